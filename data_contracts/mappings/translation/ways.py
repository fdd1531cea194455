"""Where each column of a contract comes from in one file: which headings, constants, and lines
before the headings.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from data_contracts.contract import Column, Contract
from data_contracts.mappings.language import Amount, DatasetMapping
from data_contracts.mappings.shipped_formats import plain_heading

__all__ = ["AmountWay", "Ways", "find_ways", "in_preamble"]

#: What the headings of two amount columns begin with: money that leaves, money that arrives.
_OUT = r"^(支出|支取|借方|转出|付款|付出|取出|withdraw|debit|支|借|付)"
_IN = r"^(收入|存入|贷方|转入|收款|deposit|credit|收|贷|存)"
_IS_AMOUNT = r"(金额|发生额|数额|amount|额)?(\(元\)|（元）)?$"


#: How headings name the unit that the contract has, too: any other must be said in a mapping.
_UNITS = {"CNY": ("元", "人民币", "人民币元", "cny", "rmb"), "s": ("秒", "s")}
_UNIT_MARKS = ("({})", "（{}）", "/{}")

#: One way to fill a column: in words, and as an expression over the file's columns.
_Way = tuple[str, pl.Expr]


@dataclass(frozen=True, kw_only=True)
class AmountWay:
    """Where amounts and their directions come from: two columns, or one with a sign."""

    debit: str | None = None
    credit: str | None = None
    signed: str | None = None
    negative: str = "debit"

    @property
    def words(self) -> str:
        """The headings that it comes from."""
        return self.signed or f"{self.debit} and {self.credit}"


@dataclass(frozen=True, kw_only=True)
class Ways:
    """How the columns of a contract are filled from one file.

    ``columns`` has, for each, expressions over the file's columns of which the first counts that
    says something; ``plain`` the heading, where there is just one; ``words`` say it. ``used`` are
    the headings that help, ``missing`` the columns that the contract needs and nothing fills,
    ``ambiguous`` those that several headings claim. ``guessed`` are two amount columns that nobody
    has named.
    """

    columns: Mapping[str, tuple[pl.Expr, ...]]
    amount: AmountWay | None
    used: frozenset[str]
    missing: tuple[str, ...]
    ambiguous: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    plain: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    guessed: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every column that is needed has one way to be filled."""
        return not self.missing and not self.ambiguous


def find_ways(
    headings: Sequence[str],
    *,
    contract: Contract,
    mapping: DatasetMapping,
    preamble: Sequence[str] = (),
) -> Ways:
    """Find how each column of a contract is filled from a file with these headings."""
    actual = {plain_heading(heading): heading for heading in headings}
    return _Search(actual, contract=contract, mapping=mapping, preamble=preamble).ways()


class _Search:
    def __init__(
        self,
        actual: Mapping[str, str],
        *,
        contract: Contract,
        mapping: DatasetMapping,
        preamble: Sequence[str],
    ) -> None:
        self._actual = actual
        self._contract = contract
        self._mapping = mapping
        self._preamble = preamble
        self._used: set[str] = set()
        self._ambiguous: dict[str, tuple[str, ...]] = {}

    def ways(self) -> Ways:
        amount = self._amount()
        columns: dict[str, tuple[pl.Expr, ...]] = {}
        plain: dict[str, str] = {}
        words = {} if amount is None else {"amount": amount.words, "direction": amount.words}
        for column in self._contract.columns:
            by_amount = amount is not None and column.name == "amount"
            headings = [] if by_amount else self._headings_of(column)
            made, given = self._made(column), self._given(column)
            numbered = column.name == "record_id" and bool(self._mapping.record_numbers)
            if not headings and not made and not given and not by_amount and not numbered:
                headings = self._synonym_of(column)
            named = [(heading, pl.col(heading)) for heading in headings]
            found = [*made, *named, *given]
            if found:
                columns[column.name] = tuple(expression for _, expression in found)
                words[column.name] = ", else ".join(said for said, _ in found)
                if len(found) == 1 and headings:
                    plain[column.name] = headings[0]
        filled = {*columns}
        if amount is not None:
            filled |= {"amount", "direction"}
        if self._mapping.record_numbers:
            filled.add("record_id")
        is_said = self._mapping.amount or "amount" in self._mapping.headings.values()
        guessed = () if amount is None or is_said else (amount.debit, amount.credit)
        return Ways(
            columns=columns,
            amount=amount,
            used=frozenset(self._used),
            missing=tuple(
                column.name
                for column in self._contract.columns
                if column.name not in filled and not column.optional
            ),
            ambiguous=self._ambiguous,
            plain=plain,
            words=words,
            guessed=tuple(heading for heading in guessed if heading),
        )

    def _find(self, heading: str) -> str | None:
        """The file's own spelling of a heading, which is used from now on."""
        found = self._actual.get(plain_heading(heading))
        if found is not None:
            self._used.add(found)
        return found

    def _first(self, headings: Sequence[str]) -> str | None:
        return next((found for one in headings if (found := self._find(one))), None)

    def _headings_of(self, column: Column) -> list[str]:
        """The headings of a column that the mapping names."""
        named = [h for h, target in self._mapping.headings.items() if target == column.name]
        return [actual for heading in named if (actual := self._find(heading))]

    def _synonym_of(self, column: Column) -> list[str]:
        """The heading of a column that the contract knows, unless it is mapped elsewhere."""
        names = (*column.headings, column.name)
        free = (*names, *_with_units(names, unit=column.unit))
        known = [h for h in free if self._mapping.headings.get(h, column.name) == column.name]
        synonyms = list(dict.fromkeys(here for one in known if (here := self._find(one))))
        if len(synonyms) > 1 and not column.optional:
            self._ambiguous[column.name] = tuple(synonyms)
        return synonyms[:1]

    def _made(self, column: Column) -> list[_Way]:
        """What a mapping makes of several fields, and of a part of one."""
        said, name = self._mapping, column.name
        made: list[_Way] = []
        if name in said.join:
            parts = [found for one in said.join[name] if (found := self._find(one))]
            if len(parts) == len(said.join[name]):
                made.append((" + ".join(parts), _joined(parts, dates=column.form == "moment")))
        if name in said.split and (heading := self._find(said.split[name].heading)):
            part = said.split[name]
            field = pl.col(heading).cast(pl.String).str.strip_chars()
            taken = (
                field.str.extract(part.pattern, 1)
                if part.pattern is not None
                else field.str.split(part.at or "").list.get(part.part - 1, null_on_oob=True)
            )
            made.append((f"a part of {heading}", taken))
        return made

    def _given(self, column: Column) -> list[_Way]:
        """What a mapping gives for every row: from the lines before the headings, or a constant."""
        said, name = self._mapping, column.name
        given: list[_Way] = []
        if name in said.preamble and (found := in_preamble(self._preamble, said.preamble[name])):
            given.append(("the lines before the headings", pl.lit(found)))
        if name in said.constants:
            given.append(("a constant", pl.lit(said.constants[name])))
        return given

    def _amount(self) -> AmountWay | None:
        if "amount" not in self._contract.schema:
            return None
        said = self._mapping.amount
        if said is not None and (way := self._said_amount(said)):
            return way
        headings = [h for h, column in self._mapping.headings.items() if column == "amount"]
        has_direction = any(self._find(h) for h in self._direction_headings())
        mapped = [found for one in headings if (found := self._find(one))]
        if (
            has_direction
            or len(mapped) == 1
            or self._first(self._contract.column("amount").headings)
        ):
            return None
        candidates = mapped or list(self._actual.values())
        suffix = "" if mapped else _IS_AMOUNT
        debit, credit = (
            [one for one in candidates if re.search(sign + suffix, plain_heading(one))]
            for sign in (_OUT, _IN)
        )
        if len(debit) != 1 or len(credit) != 1:
            return None
        self._used |= {debit[0], credit[0]}
        return AmountWay(debit=debit[0], credit=credit[0])

    def _said_amount(self, said: Amount) -> AmountWay | None:
        if said.signed:
            signed = self._first(said.signed)
            return AmountWay(signed=signed, negative=said.negative) if signed else None
        debit, credit = self._first(said.debit), self._first(said.credit)
        return AmountWay(debit=debit, credit=credit) if debit and credit else None

    def _direction_headings(self) -> list[str]:
        column = self._contract.column("direction")
        named = [h for h, target in self._mapping.headings.items() if target == "direction"]
        return [*named, *column.headings, column.name]


def _with_units(names: Sequence[str], *, unit: str | None) -> list[str]:
    """Headings with the unit behind them, as in ``金额(元)``."""
    marks = [mark.format(word) for word in _UNITS.get(unit or "", ()) for mark in _UNIT_MARKS]
    return [f"{name}{mark}" for name in names for mark in marks]


def _joined(headings: Sequence[str], *, dates: bool) -> pl.Expr:
    """Fields joined with a space; a date and a time of day are written in full."""
    fields = [pl.col(heading).cast(pl.String).str.strip_chars() for heading in headings]
    if dates:
        day, *rest = fields
        day = day.str.replace(r"[ T]00:00(:00(\.0+)?)?$", "").str.replace(
            r"^(\d{4})(\d{2})(\d{2})$", "$1-$2-$3"
        )
        fields = [day, *(_time_of_day(one) for one in rest)]
    joined = pl.concat_str(fields, separator=" ", ignore_nulls=True).str.strip_chars()
    return pl.when(joined != "").then(joined)


def _time_of_day(field: pl.Expr) -> pl.Expr:
    """``80000`` (a spreadsheet ate the zero) and ``8:00`` as ``08:00:00``."""
    digits = field.str.contains(r"^\d{5,6}$")
    compact = field.str.zfill(6).str.replace(r"^(\d{2})(\d{2})(\d{2})$", "$1:$2:$3")
    short = field.str.replace(r"^(\d{1,2}:\d{2})$", "$1:00").str.replace(r"^(\d:)", "0$1")
    return pl.when(digits).then(compact).otherwise(short)


def in_preamble(lines: Sequence[str], pattern: str) -> str | None:
    """What the first of the lines says that the pattern matches."""
    found = pl.Series(list(lines), dtype=pl.String).str.extract(pattern, 1).drop_nulls()
    return found[0] if len(found) else None
