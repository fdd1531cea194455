"""The catalogues are whole: every text shown has its words, and no word is left over."""

import ast
import importlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from serving.presentation.translations import LOCALE, NP_, get_translator

ROOT = Path(__file__).parents[3]
TABLES = {  # modules that map codes to texts, and a code of a table of theirs
    "serving.presentation.wording": ("RESULTS", "open"),
    "serving.operations.wording": ("VERBS", "nightly"),
    "serving.access.audit.wording": ("ACTIONS", "print"),
    "serving.alerts.timeline_chart": ("LANES", ("call", "in")),
}
WITHOUT_WORDS = {"COLOURS", "SHAPES"}  # tables of how things are drawn
CHINESE = re.compile("[\u4e00-\u9fff]")
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


def words_of(message: Message, catalog: Catalog) -> tuple[str, ...]:
    said = catalog.get(message.id, message.context)
    return forms(said.string) if said else ("",)


def tables_of(module: str) -> dict[str, Mapping[object, str]]:
    """Return every table of a module that maps codes to marked texts."""
    return {
        name: table
        for name, table in vars(importlib.import_module(module)).items()
        if isinstance(table, Mapping)
        and name not in WITHOUT_WORDS
        and all(isinstance(text, str) for text in table.values())
    }


def chinese_in(tree: ast.AST) -> Iterator[str]:
    """Yield the Chinese texts of a module, except examples of what people write."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.keyword(arg="examples") | ast.Dict(keys=[ast.Constant(value="example")]):
                continue
            case ast.Constant(value=str(text)) if CHINESE.search(text):
                yield text
        yield from chinese_in(node)


def test_every_text_of_the_pages_has_chinese_words(used: Catalog, chinese: Catalog) -> None:
    assert len(used) > 100
    assert [
        message.id for message in used if message.id and not all(words_of(message, chinese))
    ] == []


def test_no_word_is_left_over(used: Catalog, chinese: Catalog) -> None:
    assert [
        message.id
        for message in chinese
        if message.id and used.get(message.id, message.context) is None
    ] == []


@pytest.mark.parametrize("module", TABLES)
def test_every_code_of_a_table_has_chinese_words(module: str) -> None:
    say, tables = get_translator("zh"), tables_of(module)
    name, code = TABLES[module]
    assert code in tables[name]
    untranslated = {
        (name, code): text
        for name, table in tables.items()
        for code, text in table.items()
        if any(char.isalpha() for char in text) and not CHINESE.search(say(text))
    }
    assert untranslated == {}


def test_no_module_of_serving_holds_chinese() -> None:
    held = {
        str(module.relative_to(ROOT)): list(chinese_in(ast.parse(module.read_text("utf-8"))))
        for module in (ROOT / "serving").rglob("*.py")
    }
    assert {module: texts for module, texts in held.items() if texts} == {}


def test_a_context_tells_two_meanings_of_a_text_apart() -> None:
    zh, en = get_translator("zh"), get_translator("en")
    paid = NP_("result", "Already paid")
    assert (zh("Already paid"), zh(paid)) == ("已付金额", "已付款")
    assert (en("Already paid"), en(paid)) == ("Already paid", "Already paid")
    assert zh(NP_("nowhere", "no such text")) == "no such text"


def test_a_code_without_a_label_speaks_for_itself() -> None:
    say = get_translator("zh")
    table = {"paid": NP_("result", "Already paid")}
    # The last two are texts of the pages, but no codes of this table.
    codes = ("paid", "", "password", "Already paid")
    assert [say.label(table, code) for code in codes] == ["已付款", "", "password", "Already paid"]


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
