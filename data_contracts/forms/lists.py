"""Several numbers or accounts in one cell, as people type them.

A cell is split at marks and words of listing (``; , 、 / |``, 和, 及) and at line ends. Words,
names and notes go; 无, 不详 and their like say that there is nothing. Spaces and hyphens part two
items only where each of them is one. What is left must be a number of the plan, or an account. The
rest is unread: it is left out of the list, and a warning of the row says so.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from data_contracts.forms.account_numbers import LONGEST_APART, is_placeholder, tidy_account
from data_contracts.forms.number_plan import load_number_plan
from data_contracts.forms.phone_numbers import read_number
from data_contracts.forms.text import half_width, says_nothing

__all__ = ["account_numbers", "has_unread_accounts", "has_unread_numbers", "phone_numbers"]

#: The items of a cell, and whether something in it could not be read.
Reading = tuple[list[str], bool]

_STRINGS = pl.List(pl.String)
_DASHES = re.compile("[‐-―−]")
_NOTE = re.compile(r"[(\[{<【《「]([^()\[\]{}<>【】《》「」]*)[)\]}>】》」]")
_EXTENSION = re.compile(r"(?<=\d)\s*(?:转|分机|ext\.?)\s*:?\d{1,6}(?!\d)", re.IGNORECASE)
#: What stands behind these words is no number and no account, however it looks.
_OTHER = re.compile(
    r"(?:QQ群?号?码?|尾号|尾数|[末后]\s*[一二三四五六七八\d]\s*位(?:数)?|身份证号?码?|证件号?码?|群号|邮箱|e-?mail"
    r"|车牌号?|验证码|金额)[\s:为是]*[\w*@.\-]+|[\w.\-]+@[\w.\-]+"
    r"|(?:微信(?:号|id)?|wechat|wx|vx)[\s:为是]*[a-z][\w\-]{4,}",
    re.IGNORECASE | re.ASCII,
)
_LABEL = re.compile(
    r"(?<![A-Za-z])(?:tel(?:ephone)?|phone|mobile|mob|cell|no|num(?:ber)?|wechat|weixin|wx|vx|alipay"
    r"|card|account|acct|a/c|n/a|(?:icbc|abc|ccb|boc|bcm|cmb|psbc|cmbc|spdb)(?=[\s:]|\d{12}))"
    r"(?![A-Za-z])[.:#]*",
    re.IGNORECASE,
)
_MARKS = re.compile(r"[;,、/|\\&:=\n\r\t。…·]+|\band\b|\bor\b|[^\x00-\x7f]+", re.IGNORECASE)
_KEY = re.compile(r"00[1-9]\d{5,16}|0[1-9]\d{8,11}|[1-9]\d{2,19}")
_ACCOUNT = re.compile(r"(?=.{6,34}$)[A-Z]{0,10}\d{4,}[A-Z]{0,2}")
_CARD = range(15, 22)
_MOBILE = re.compile(r"1[3-9]\d{9}")
_MOST_GROUPS = 24


def phone_numbers(values: pl.Series) -> pl.Series:
    """The lists of numbers; what could not be read is left out."""
    return _each(values, _numbers_of_cell, _items, _STRINGS)


def account_numbers(values: pl.Series) -> pl.Series:
    """The lists of accounts; what could not be read is left out."""
    return _each(values, _accounts_of_cell, _items, _STRINGS)


def has_unread_numbers(values: pl.Series) -> pl.Series:
    """Whether a cell holds something that :func:`phone_numbers` left out."""
    return _each(values, _numbers_of_cell, _is_unread, pl.Boolean())


def has_unread_accounts(values: pl.Series) -> pl.Series:
    """Whether a cell holds something that :func:`account_numbers` left out."""
    return _each(values, _accounts_of_cell, _is_unread, pl.Boolean())


def _items(reading: Reading) -> object:
    return reading[0]


def _is_unread(reading: Reading) -> object:
    return reading[1]


def _each(
    values: pl.Series,
    read: Callable[[str], Reading],
    part: Callable[[Reading], object],
    dtype: pl.DataType,
) -> pl.Series:
    """A part of the reading of each cell; an empty one is an empty list in which all is read."""
    if isinstance(values.dtype, pl.List):
        values = values.cast(_STRINGS).list.join("\n", ignore_nulls=True)
    cells = half_width(values)
    distinct = cells.drop_nulls().unique()
    read_cells = pl.DataFrame(
        {"cell": distinct, "part": pl.Series([part(read(c)) for c in distinct], dtype=dtype)},
        schema={"cell": pl.String(), "part": dtype},
    )
    nothing = pl.lit([] if dtype == _STRINGS else False, dtype=dtype)
    joined = (
        cells.alias("cell")
        .to_frame()
        .join(read_cells, on="cell", how="left", maintain_order="left")
    )
    return joined.select(pl.col("part").fill_null(nothing).alias(values.name))[values.name]


@dataclass(frozen=True, slots=True)
class _Items:
    """How items of one kind are read.

    ``read`` gives the key of one, or None; ``read_run`` the same, where it is one of several;
    ``are_apart`` says if groups are items of their own.
    """

    read: Callable[[str], str | None]
    read_run: Callable[[str], str | None]
    are_apart: Callable[[list[str]], bool]


def _numbers_of_cell(cell: str) -> Reading:
    kind = _Items(_listed_number, _number_among_others, _two_numbers)
    return _read_cell(_EXTENSION.sub(";", cell), kind)


def _accounts_of_cell(cell: str) -> Reading:
    return _read_cell(cell, _Items(_listed_account, _card_among_others, _two_accounts))


def _read_cell(cell: str, kind: _Items) -> Reading:
    if says_nothing(cell):
        return [], False
    bare, others = _OTHER.subn(";", _NOTE.sub(_open_note, _DASHES.sub("-", cell)))
    items: list[str] = []
    unread = others > 0
    for piece in _MARKS.split(_LABEL.sub(" ", bare)):
        found, left = _read_piece(piece.strip(" -_.'\"`#"), kind)
        items += found
        unread |= left
    return items, unread or not items


def _open_note(note: re.Match[str]) -> str:
    """What is left of brackets: a number in them, the brackets of an area code, no words."""
    inside = note[1]
    if re.search(r"\d[\d \-]{4,}", inside):
        return f";{inside};"
    return f" {inside} " if re.fullmatch(r"[\d+\-\s]*", inside) else ";"


def _read_piece(piece: str, kind: _Items) -> Reading:
    """The items of text without marks; unread if letters or digits are left over."""
    if not re.search(r"[0-9A-Za-z*]", piece) or says_nothing(piece):
        return [], False
    groups = re.split(r"[\s\-]+", piece)
    if not kind.are_apart(groups) and (whole := kind.read(piece)):
        return [whole], False
    if len(groups) == 1:
        return [], True
    if parted := _part(groups, kind):
        return parted, False
    return [item for group in groups if len(group) >= 5 and (item := kind.read_run(group))], True


def _part(groups: list[str], kind: _Items) -> list[str] | None:
    """The one way to make items of all groups in their order; None if there is none or more."""
    if len(groups) > _MOST_GROUPS:
        return None
    ways: list[list[list[str]]] = [[[]]]
    for end in range(1, len(groups) + 1):
        here: list[list[str]] = []
        for start in range(end):
            run = groups[start:end]
            if len(here) < 2 and ways[start] and not kind.are_apart(run):
                item = kind.read_run(" ".join(run))
                here += [[*before, item] for before in ways[start] if item]
        ways.append(here[:2])
    return ways[-1][0] if len(ways[-1]) == 1 else None


def _two_numbers(groups: list[str]) -> bool:
    """Whether every group is a number by itself."""
    return len(groups) > 1 and all(load_number_plan().kind_given_out(group) for group in groups)


def _listed_number(written: str) -> str | None:
    key = read_number(written)
    if _KEY.fullmatch(key) is None:
        return None
    plan = load_number_plan()
    kind = plan.kind_of(key)
    given_out = plan.kind_given_out(key) is not None
    return None if kind == "unknown" or (kind == "service_short" and not given_out) else key


def _number_among_others(written: str) -> str | None:
    """The same, but what looks like a carrier's prefix is the beginning of a number."""
    key = _listed_number(written)
    digits = re.sub(r"^0{0,2}86", "", re.sub(r"\D", "", written))
    carried = digits != key and digits.startswith(load_number_plan().dial_prefixes)
    return None if carried else key


def _two_accounts(groups: list[str]) -> bool:
    """Whether groups are too long for parts of one account."""
    return len(groups) > 1 and all(_stands_for_itself(group) for group in groups)


def _stands_for_itself(group: str) -> bool:
    return len(group) >= 12 or _MOBILE.fullmatch(group) is not None


def _listed_account(written: str) -> str | None:
    account = tidy_account(written)
    apart = re.search(r"[\s\-]", written) is not None
    if _ACCOUNT.fullmatch(account) is None or is_placeholder(account):
        return None
    # A mobile number names somebody's wallet; no movement shows it as an account.
    if _MOBILE.fullmatch(account) or (apart and len(account) > LONGEST_APART):
        return None
    return account


def _card_among_others(written: str) -> str | None:
    account = _listed_account(written)
    alone = " " not in written and _stands_for_itself(written)
    return account if account and (alone or len(account) in _CARD) else None
