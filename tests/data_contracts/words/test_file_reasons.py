"""Each reason for which a file is held or cannot be read has its Chinese words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_contracts.words.file_reasons import say_reason

ROOT = Path(__file__).parents[3]
ROOMS = (
    "data_contracts/files",
    "data_contracts/mappings/translation",
    "pipelines/ingestion/landing",
)
MODULES = ("pipelines/ingestion/waiting_files.py", "pipelines/ingestion/parsing/parser_process.py")
CHINESE = re.compile("[一-鿿]")
PIECES = re.compile(r"^(\d+ is \d+|\d+)\.?$")  # all is said by other texts: see the test below


def spoken(node: ast.expr) -> str:
    """An f-string with 7 in the place of what differs, and the plural of what has two forms."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(map(spoken, values))
        case ast.FormattedValue(value=ast.Call(func=ast.Name(id="choose_form"), args=args)):
            return spoken(args[2])
        case ast.FormattedValue(value=ast.Call(func=ast.Name(id="count_things"), args=args)):
            return f"7 {spoken(args[1])}s"
    return "7"


def reasons_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        named = {word.arg: word.value for word in node.keywords}
        if node.func.id == "DeliveryError" and node.args:
            yield spoken(node.args[0])
        elif node.func.id == "Hold" and not isinstance(named["reason"], ast.Call):
            yield spoken(named["reason"])
        elif node.func.id == "_unknown_delivery":
            yield spoken(named["problem"])


def test_every_reason_that_is_written_down_has_chinese_words() -> None:
    places = [*(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))]
    places += [ROOT / module for module in MODULES]
    found = {reason for path in places for reason in reasons_in(ast.parse(path.read_text()))}
    whole = {reason for reason in found if not PIECES.match(reason)}
    assert len(whole) > 40
    unsaid = {reason for reason in whole if not CHINESE.search(say_reason(reason, "zh"))}
    assert {re.sub(r"\d", "", reason).strip() for reason in unsaid} <= {
        "is mislabelled: its content is .",
        "the file",
        "like a preamble; the headings seem to be on line .",
        "It is , and this file does not say them.",
        "; the first is line .",  # so far put together of several texts: below
        "there is no landing folder",  # is no reason of a file
    }


@pytest.mark.parametrize(
    ("reason", "zh"),
    [
        (
            "1 of 40 rows is bad, more than 5%: duration_s.negative (1)",
            "40 行中有 1 行不合格，超过 5%：duration_s.negative (1)",
        ),
        ("a.csv is mislabelled: its content is Parquet.", "a.csv 的后缀不符：其内容是 Parquet"),
        ("a.csv is a PDF.", "a.csv 是 PDF"),
        ("the file took over 60 s to parse", "解析该文件超过 60 秒"),
        (
            "a.csv is text in GB18030, but for 1 line; the first is line 5.",
            "a.csv 是 GB18030 文本，但有 1 行不是，首个在第 5 行",
        ),
        (
            "a.csv lacks the columns amount, channel. Line 1 looks like a preamble; the headings "
            "seem to be on line 2.",
            "a.csv 缺少列 amount, channel。第 1 行像是表前说明，表头似在第 2 行",
        ),
        (
            "a.csv lacks the columns account_id. It is ICBC web, and this file does not say them.",
            "a.csv 缺少列 account_id；其格式为 ICBC web，而本文件没有给出",
        ),
        ("somebody else's reason", "somebody else's reason"),
    ],
)
def test_a_reason_keeps_what_it_names(reason: str, zh: str) -> None:
    assert say_reason(reason, "zh") == zh
    assert say_reason(reason, "en") == reason.removesuffix(".")
