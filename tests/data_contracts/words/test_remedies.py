"""Whatever a delivery can be rejected for has words about what to do."""

import re
from pathlib import Path

import pytest

from data_contracts.contract import dataset_names, load_contract
from data_contracts.words.remedies import FILE_CODES, load_remedies, remedy_of

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("dataset", dataset_names())
def test_every_rule_has_a_remedy(dataset):
    other = remedy_of("some.thing_else")
    for rule in load_contract(dataset).rules:
        assert remedy_of(rule.code) is not other, rule.code


def test_remedies_are_said_in_both_languages():
    for code, remedy in load_remedies().items():
        assert remedy.en.isascii(), code
        assert any(ord(sign) > 0x4E00 for sign in remedy.zh), code
        assert (remedy.title is not None) == code.startswith(FILE_CODES), code
        assert remedy.zh.count("`") % 2 == remedy.en.count("`") % 2 == 0, code


def test_every_kind_of_hold_has_a_title_and_a_remedy_of_its_own():
    waiting = (ROOT / "pipelines" / "ingestion" / "waiting_files.py").read_text(encoding="utf-8")
    kinds = set(re.findall(r'kind="(\w+)"', waiting))
    assert len(kinds) >= 8
    assert kinds <= {code.removeprefix(FILE_CODES) for code in load_remedies()}


def test_a_code_of_its_own_comes_before_the_name_of_a_rule():
    assert remedy_of("row.too_few_fields") is load_remedies()["row.too_few_fields"]
    assert remedy_of("direction.unknown_value") is load_remedies()["unknown_value"]
    assert remedy_of("moon.full") is load_remedies()["other"]
