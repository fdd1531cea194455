"""The catalogues are whole: every text of the pages has its words, and no word is left over."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from serving.presentation.translations import LOCALE, get_translator

ROOT = Path(__file__).parents[3]
PLACEHOLDER = re.compile(r"\{(\w+)")


@pytest.fixture(scope="module")
def used() -> Catalog:
    """Give the texts that templates and code hold now."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    catalog = Catalog()
    for _, _, text, _, context in extract_from_dir(ROOT, methods, options):
        catalog.add(text, context=context)
    return catalog


@pytest.fixture(scope="module")
def chinese() -> Catalog:
    """Give the Chinese catalogue as it stands in the repository."""
    with (LOCALE / "zh" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale="zh", abort_invalid=True)


def forms(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def words_of(text: str | tuple[str, ...], catalog: Catalog) -> tuple[str, ...]:
    said = catalog.get(text)
    return forms(said.string) if said else ("",)


def test_every_text_of_the_pages_has_chinese_words(used: Catalog, chinese: Catalog) -> None:
    assert len(used) > 100
    assert [
        message.id for message in used if message.id and not all(words_of(message.id, chinese))
    ] == []


def test_no_word_is_left_over(used: Catalog, chinese: Catalog) -> None:
    assert [message.id for message in chinese if message.id and message.id not in used] == []


def test_translations_fill_the_same_placeholders(chinese: Catalog) -> None:
    for message in chinese:
        if message.id:
            asked = set(PLACEHOLDER.findall(forms(message.id)[-1]))
            assert all(set(PLACEHOLDER.findall(form)) == asked for form in forms(message.string)), (
                message.id
            )
            assert not message.fuzzy


def test_a_text_without_translation_stays_english() -> None:
    assert get_translator("zh")("no such text {here}") == "no such text {here}"
    assert get_translator("en")("Log in") == "Log in"
    assert get_translator("zh")("Log in") == "登录"


def test_sentences_of_problems_are_found(used: Catalog) -> None:
    assert "The vault does not hold what is behind this pseudonym." in used
    assert "Start it with the vault's key." in used  # a remedy
    assert "analyst" in used


def test_numbers_money_and_times_are_said_as_people_write_them() -> None:
    zh, en = get_translator("zh"), get_translator("en")
    assert (zh.number(1234567), en.number(1234.56, 1)) == ("1,234,567", "1,234.6")
    assert (zh.percent(0.0314), en.percent(1.0, 0)) == ("3.1%", "100%")
    assert (zh.money(312_400.4), en.money(None)) == ("¥312,400", "–")
    at = datetime(2026, 8, 1, 9, 5, tzinfo=UTC)
    assert (zh.moment(at), en.moment(at)) == ("8月1日 09:05", "Aug 1 09:05")
    assert (zh.day(at), en.day(date(2026, 12, 31))) == ("8月1日", "Dec 31")


def test_a_count_takes_its_form() -> None:
    en = get_translator("en")
    assert en.plural("{count} alert", "{count} alerts", 1) == "1 alert"
    assert (
        en.plural("{count} alert of {n}", "{count} alerts of {n}", 1200, n=3) == "1,200 alerts of 3"
    )
