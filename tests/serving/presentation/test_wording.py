"""Codes and numbers in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.words.everyday_reasons import load_everyday_reasons
from features.catalogue.definitions import GROUPS
from serving.operations.wording import describe_fact as describe_run_fact
from serving.presentation.translations import get_translator
from serving.presentation.wording import describe_fact, describe_missing, scam_type_name

ZH, EN = get_translator("zh"), get_translator("en")


@pytest.mark.parametrize(
    ("code", "zh", "en"),
    [
        ("calls", "没有通话记录", "No call records"),
        ("calls:cmcc", "中国移动的通话记录缺失", "Call records of China Mobile are missing"),
        (
            "transfers:icbc:2026-07-03",
            "工商银行的转账记录自 7 月 3 日起缺失",
            "Transfers of ICBC are missing since July 3",
        ),
        (
            "transfers:county_bank:2026-11-30",
            "county_bank的转账记录自 11 月 30 日起缺失",
            "Transfers of county_bank are missing since November 30",
        ),
        ("weather", "weather", "weather"),
        ("weather:north", "weather:north", "weather:north"),
        ("calls:cmcc:yesterday", "calls:cmcc:yesterday", "calls:cmcc:yesterday"),
    ],
)
def test_what_is_missing_is_told_in_words(code: str, zh: str, en: str) -> None:
    assert (describe_missing(code, ZH), describe_missing(code, EN)) == (zh, en)


@given(st.text())
def test_no_code_breaks_a_page(code: str) -> None:
    assert isinstance(describe_missing(code, ZH), str)
    assert isinstance(describe_missing(f"calls:{code}", EN), str)
    assert isinstance(describe_missing(f"calls:cmcc:{code}", EN), str)


@pytest.mark.parametrize(
    ("name", "value", "zh", "en"),
    [
        ("received_cny_14d", 312_400.4, "14 天内收到：¥312,400", "Received in 14 days: ¥312,400"),
        ("answer_share", 0.314, "接通率：31%", "Answered: 31%"),
        ("talk_mean_s", 150.0, "平均通话：2.5 分钟", "Mean talk: 2.5 min"),
        ("age_d", 3.0, "已出现：3 天", "Known for: 3 days"),
        ("age_d", 1.0, "已出现：1 天", "Known for: 1 day"),
        ("contacts_14d", 1320.0, "14 天内通话和短信：1,320", "Calls and texts in 14 days: 1,320"),
        ("burst", 7.0, "burst：7", "burst: 7"),
    ],
)
def test_facts_carry_their_unit(name: str, value: float, zh: str, en: str) -> None:
    assert (describe_fact(name, value, ZH), describe_fact(name, value, EN)) == (zh, en)


def test_what_a_run_counts_has_the_form_that_the_number_asks_for() -> None:
    assert describe_run_fact("files", 1.0, EN) == "1 file"
    assert describe_run_fact("files", 2.0, EN) == "2 files"
    assert describe_run_fact("scored", 1650, EN) == "1,650 people scored"
    assert describe_run_fact("scored", 1, ZH) == "1 人已评分"


def test_a_scam_type_has_the_name_it_was_declared_with() -> None:
    assert scam_type_name("police", "en") == "Fake police"
    assert scam_type_name("nobody_declared_it", "zh") == "nobody_declared_it"


def test_every_reason_that_can_be_told_has_everyday_words() -> None:
    never_told = {"profile", "feeds"}
    assert {group.code for group in GROUPS} - never_told == set(load_everyday_reasons())
    for words in load_everyday_reasons().values():
        assert not any(char.isdigit() for char in words.zh + words.en)
