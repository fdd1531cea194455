"""Contributions folded to plain reasons that are true of the moment."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.catalogue.definitions import FEATURES, GROUPS, feature_names
from features.catalogue.reasons import Reason, summarise_reasons
from tests.examples import examples

NUMBER = {
    "lead_peer_reach_24h": 0.0,
    "lead_peer_reach_3d": 31.0,
    "lead_peer_reach_14d": 31.0,
    "lead_peer_age_d": 2.1,
}


def only_reason(contributions: dict[str, float], values: dict[str, float | None]) -> Reason:
    (reason,) = summarise_reasons(contributions, values)
    return reason


def test_windows_of_one_thing_are_one_reason() -> None:
    """The window that weighs most is told; a shorter one where it says the same."""
    weights = {
        "stranger_new_24h": 0.1,
        "stranger_new_3d": 0.3,
        "stranger_new_7d": 0.4,
        "stranger_max_talk_s": 0.2,
    }
    values = {
        "stranger_new_24h": 2.0,
        "stranger_new_3d": 5.0,
        "stranger_new_7d": 5.0,
        "stranger_max_talk_s": 5040.0,
    }

    assert only_reason(weights, values) == Reason(
        code="strangers",
        zh="3 天内与 5 个陌生号码首次联系，与陌生号码最长一次通话 84 分钟",
        en="First contact with 5 unknown numbers in the last 3 days, "
        "longest call with an unknown number 84 minutes",
        contribution=pytest.approx(1.0),
    )


def test_what_a_score_weighs_is_told_by_what_it_is_made_of() -> None:
    reason = only_reason(
        {"lead_reputation": 1.5, "lead_relationship_n": 0.1},
        {**NUMBER, "lead_reputation": 0.8, "lead_relationship_n": 3.0},
    )

    assert (
        reason.zh == "最可疑的陌生号码：3 天内与本区 31 名居民首次联系，2 天前首次出现（近 30 天）"
    )
    assert reason.en == (
        "The most suspicious unknown number first contacted 31 residents in the last 3 days, "
        "was first seen 2 days ago (within 30 days)"
    )


@pytest.mark.parametrize(
    ("values", "zh", "en"),
    [
        (
            {"payee_caller_h": 3.0},
            "与陌生号码首次联系 3 小时后，首次与区外新收款账户往来",
            "First dealt with a new payee outside the district 3 hours after "
            "an unknown number's first contact",
        ),
        (
            {"new_back_cny_24h": 106.0},
            "24 小时内付款过的新账户返还 106 元",
            "CNY 106 came back from new accounts paid before in the last 24 hours",
        ),
        ({"own_in_cny_6h": 20000.4}, "6 小时内从本人其他账户归集 20,000 元", None),
        (
            {"named_peers_7d": 1.0},
            None,
            "In contact with 1 number named in a reported case in the last 7 days",
        ),
        (
            {"payee_named": True},
            "重点新收款账户已被报案提及",
            "The new payee in focus is named in a reported case",
        ),
        (
            {"lead_kind": 1.0},
            "最可疑的陌生号码：为境外号码",
            "The most suspicious unknown number is an international number",
        ),
        ({"payee_age_d": 0.05}, "重点新收款账户：72 分钟前首次出现（近 30 天）", None),
        ({"new_debit_to_habit": 12.9}, "24 小时内向新账户付款达平日日均支出的 12 倍以上", None),
        (
            {"lead_peer_in_share": 0.98},
            None,
            "The most suspicious unknown number starts 98% of its contacts with residents itself",
        ),
    ],
)
def test_words(values: dict[str, float], zh: str | None, en: str | None) -> None:
    (name,) = values
    reason = only_reason({name: 1.0}, values)

    assert zh in {None, reason.zh}
    assert en in {None, reason.en}


def test_heaviest_first_and_five_at_most() -> None:
    values = {
        "new_debit_cny_6h": 900.0,
        "own_in_cny_6h": 50.0,
        "payee_named": 1.0,
        "payee_age_d": 1.0,
        "large_24h": 2.0,
    }
    values |= {"stranger_sms_6h": 2.0, "payee_caller_h": 2.0}
    weights = {name: 1.0 + place for place, name in enumerate(values)}

    assert [reason.code for reason in summarise_reasons(weights, values)] == [
        "call_then_pay",
        "strangers",
        "spending",
        "payee_account",
        "named",
    ]
    assert len(summarise_reasons(weights, values, limit=2)) == 2


def test_only_what_speaks_for_an_episode_beyond_the_third() -> None:
    """Three reasons there are, if three true things can be said; what speaks against or hardly
    weighs comes last.
    """
    values = {
        "new_debit_cny_6h": 900.0,
        "own_in_cny_6h": 50.0,
        "payee_named": 1.0,
        "payee_age_d": 1.0,
    }
    weights = {
        "new_debit_cny_6h": 2.0,
        "own_in_cny_6h": 0.01,
        "payee_named": -0.2,
        "payee_age_d": -0.1,
    }

    assert [reason.code for reason in summarise_reasons(weights, values)] == [
        "new_payees",
        "pooling",
        "payee_account",
    ]
    assert [
        reason.code
        for reason in summarise_reasons(
            {**weights, "payee_age_d": 0.5, "payee_named": 0.09}, values
        )
    ] == [
        "new_payees",
        "payee_account",
        "named",
    ]


def test_what_did_not_happen_is_no_reason() -> None:
    """No call can weigh for an episode, but it is nothing to tell; neither is a missing value nor a
    habit.
    """
    weights = {
        "calls_in_24h": 2.0,
        "lead_relationship_talk_s": 1.0,
        "age_years": 3.0,
        "payee_named": 1.0,
        "payee_age_d": 1.0,
    }
    values = {
        "calls_in_24h": 0.0,
        "lead_relationship_talk_s": None,
        "age_years": 70.0,
        "payee_named": False,
        "payee_age_d": math.nan,
    }

    assert summarise_reasons(weights, values) == ()
    assert summarise_reasons({}, {}) == ()


values_of_features = st.dictionaries(
    st.sampled_from(feature_names()),
    st.one_of(st.none(), st.sampled_from((0.0, 1.0, 2.0, 59.9)), st.floats(0, 1e6)),
    max_size=60,
)
weights_of_features = st.dictionaries(
    st.sampled_from(feature_names()), st.floats(-5, 5), max_size=60
)


@examples(100)
@given(contributions=weights_of_features, values=values_of_features)
def test_any_alert(contributions: dict[str, float], values: dict[str, float | None]) -> None:
    reasons = summarise_reasons(contributions, values)
    notable_groups = {
        feature.group for feature in FEATURES if feature.is_notable(values.get(feature.name))
    }

    assert min(3, len(notable_groups)) <= len(reasons) <= 5
    assert {reason.code for reason in reasons} <= notable_groups
    assert len({reason.code for reason in reasons}) == len(reasons)
    weights = [reason.contribution for reason in reasons]
    assert weights == sorted(weights, reverse=True)
    assert all(weight > 0 for weight in weights[3:])
    sums = {g.code: sum(contributions.get(f.name, 0.0) for f in g.features) for g in GROUPS}
    assert weights == pytest.approx([sums[reason.code] for reason in reasons])
    assert all(
        reason.zh and reason.en and reason.en[0] == reason.en[0].upper() for reason in reasons
    )
