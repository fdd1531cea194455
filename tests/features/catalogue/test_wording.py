"""Values as people say them."""

import pytest

from features.catalogue.definitions import FEATURES
from features.catalogue.wording import describe_value
from features.event_index import KIND_CODES

BY_NAME = {feature.name: feature for feature in FEATURES}


def described(name: str, value: float) -> tuple[str, str]:
    feature = BY_NAME[name]
    return describe_value(feature, value, language="zh"), describe_value(
        feature, value, language="en"
    )


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (45, "45 秒", "45 seconds"),
        (119, "119 秒", "119 seconds"),
        (120, "2 分钟", "2 minutes"),
        (5040, "84 分钟", "84 minutes"),
    ],
)
def test_talk_is_told_in_minutes(seconds: float, zh: str, en: str) -> None:
    assert described("lead_relationship_talk_s", seconds) == (
        f"与本人通话共 {zh}",
        f"talked {en} with this person",
    )


@pytest.mark.parametrize(
    ("hours", "zh", "en"),
    [
        (0.0, "0 秒", "0 seconds"),
        (1 / 3600, "1 秒", "1 second"),
        (1.5, "90 分钟", "90 minutes"),
        (47.6, "48 小时", "48 hours"),
        (50, "2 天", "2 days"),
    ],
)
def test_time_past_is_told_in_what_fits(hours: float, zh: str, en: str) -> None:
    assert described("lead_silent_h", hours) == (
        f"最近一次联系在 {zh}前",
        f"last had contact {en} ago",
    )


def test_one_is_singular() -> None:
    assert described("new_payees_3d", 1)[1] == "first paid 1 new account in the last 3 days"
    assert described("new_payees_3d", 2)[1] == "first paid 2 new accounts in the last 3 days"


def test_times_are_rounded_down_because_the_words_say_at_least() -> None:
    assert described("payee_escalation", 22.99) == (
        "近期一笔新账户付款达最初往来金额的 22 倍以上",
        "a recent payment to a new account at least 22 times the first amount",
    )


def test_every_kind_of_number_has_words_even_those_that_are_no_reason():
    phrases = {code: described("lead_kind", code) for code in {0, *KIND_CODES.values()}}
    assert phrases[7] == ("为手机号码", "is a mobile number")
    assert phrases[0] == ("为其他类型的号码", "is another kind of number")
    assert len(set(phrases.values())) == 8
