"""Lines among the rows of a table that are no rows: blank and total lines, headings said again, the
words at the foot of a statement.
"""

import re
from collections.abc import Sequence

import polars as pl

from data_contracts.mappings.shipped_formats import plain_heading

__all__ = ["BLANK_LINE", "line_kind", "line_kinds"]

BLANK_LINE = "blank line"
_TOTAL_LINE = "total line"
_FOOTER_LINE = "footer line"
_REPEATED_HEADINGS = "repeated headings"

_TOTAL_WORDS = (
    r"(本页|本次|交易|支出|收入|借方|贷方)?(合\s*计|总\s*计|小\s*计|共\s*计|累\s*计|汇\s*总)"
    r"|共\s*[\d,]+\s*(笔|条|行|项|次|个|记录)"
    r"|((grand|sub)[\s-]*)?total\s*([:：(].*)?$|(sum|totals|summe)\s*[:：]?$"
)
_FOOTER_WORDS = (
    r"[-=*#_—─]{3,}|注\s*[:：]|(特别)?(说明|备注|声明|提示)\s*[:：]|以[上下]|温馨提示|重要提示"
    r"|本(明细|账单|对账单|回单|文件|报表)|[(（]?(报表|列表|数据|文件)?结束"
    r"|(导出|打印|制表|生成|查询|统计|下载|起始|终止|截止|截至)[^\d:：]{0,6}\s*[:：]"
    r"|第\s*\d+\s*页|page\s*\d+|-\s*\d+\s*-$"
    r"|(end|eof)\b|(generated|exported|printed|created|report(ed)?)\b.*[:：]"
)
_TOTAL = re.compile(_TOTAL_WORDS, re.IGNORECASE)
_FOOTER = re.compile(_FOOTER_WORDS, re.IGNORECASE)
_DOUBTFUL = rf"(?i)^\s*($|{_TOTAL_WORDS}|{_FOOTER_WORDS})"  # in the dialect of Polars, too
_FEW_FIELDS = 2  # a footer says a thing and its value


def line_kind(fields: Sequence[str | None], *, headings: Sequence[str]) -> str | None:
    """What a line is, if it is no row."""
    said = [(field or "").strip() for field in fields]
    filled = [field for field in said if field]
    if not filled:
        return BLANK_LINE
    if _same(said, headings):
        return _REPEATED_HEADINGS
    expected = sum(1 for heading in headings if heading)
    if _TOTAL.match(filled[0]) and len(filled) < expected:
        return _TOTAL_LINE
    if len(filled) <= min(_FEW_FIELDS, expected - 1) and _FOOTER.match(filled[0]):
        return _FOOTER_LINE
    return None


def line_kinds(values: pl.DataFrame, *, headings: Sequence[str]) -> dict[int, str]:
    """The rows of a table (by index) that are no rows, and what they are."""
    first = values.to_series(0)
    empty = first.is_null() | (first == "")
    if empty.any():
        first = values.select(
            pl.coalesce(pl.when(pl.col(name) != "").then(pl.col(name)) for name in values.columns)
        ).to_series()
    heading = next((name for name in headings if name), "")
    doubtful = (
        first.is_null()
        | first.str.contains(_DOUBTFUL)
        | first.str.starts_with(heading)
        | first.str.starts_with("\ufeff")
    )
    found = {}
    for index in doubtful.arg_true().to_list():
        kind = line_kind(values.row(index), headings=headings)
        if kind is not None:
            found[index] = kind
    return found


def _same(fields: Sequence[str], headings: Sequence[str]) -> bool:
    width = max(len(fields), len(headings))
    ours, theirs = (
        [plain_heading(field) for field in [*row, *[""] * (width - len(row))]]
        for row in (fields, headings)
    )
    return ours == theirs
