"""The number plan: the kinds, lengths and areas of phone numbers, from ``number_plan.yaml``.

A key is a number as it is stored: digits only, landlines with the 0 of their area code, numbers
abroad with 00.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import polars as pl
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from data_contracts.shipped_yaml import read_shipped

__all__ = [
    "NUMBER_KINDS",
    "NumberPlan",
    "NumberRange",
    "load_number_plan",
    "number_area",
    "number_kind",
]

NUMBER_KINDS = (
    "mobile",
    "virtual",
    "landline",
    "service_95",
    "service_96",
    "service_400",
    "service_106",
    "service_short",
    "international",
    "unknown",
)

_FILE = Path(__file__).with_name("number_plan.yaml")


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Numbers of one kind with one beginning.

    ``digits`` are the shortest and longest length that the plan gives out (None: none), and
    ``lookalike`` those that count as the kind.
    """

    kind: str
    begins: tuple[str, ...]
    digits: tuple[int, int] | None
    lookalike: tuple[float, float]
    title_zh: str

    def holds(self, number: str) -> bool:
        """Whether a key is of this range, or looks like it."""
        shortest, longest = self.lookalike
        return number.startswith(self.begins) and shortest <= len(number) <= longest


@dataclass(frozen=True, slots=True, eq=False)
class NumberPlan:
    """The ranges in order, the area codes (without 0) with the lengths of their numbers, and the
    prefixes that may stand before a full number.
    """

    home: str
    ranges: tuple[NumberRange, ...]
    area_codes: Mapping[str, tuple[int, ...]]
    dial_prefixes: tuple[str, ...]

    def kind_given_out(self, number: str) -> str | None:
        """The kind of a number without 0 before it that has exactly a form of the plan, else
        None.
        """
        found = _given_out_pattern(self).fullmatch(number)
        return None if found is None else self.ranges[(found.lastindex or 1) - 1].kind

    def kind_of(self, number: str) -> str:
        """The kind of a key, as :func:`number_kind` tells it."""
        if not (number.isascii() and number.isdigit()):
            return "unknown"
        return next((one.kind for one in self.ranges if one.holds(number)), "unknown")

    def area_of(self, number: str) -> str | None:
        """The area code, without 0, with which a number without 0 begins."""
        short, long = number[:2], number[:3]
        return next((code for code in (short, long) if code in self.area_codes), None)

    def lengths_of(self, area: str) -> tuple[int, ...]:
        """How many digits the numbers of an area have."""
        return self.area_codes[area]


@cache
def load_number_plan() -> NumberPlan:
    """The plan of ``number_plan.yaml``."""
    table = read_shipped(_FILE)
    areas = {
        code: tuple(group["digits"])
        for group in table["area_codes"]
        for code in str(group["codes"]).split()
    }
    return NumberPlan(
        home=table["home"],
        ranges=tuple(
            NumberRange(
                kind=row["kind"],
                begins=tuple(row["begins"]),
                digits=tuple(row["digits"]) if "digits" in row else None,
                lookalike=tuple(row["lookalike"]),
                title_zh=row["zh"],
            )
            for row in table["ranges"]
        ),
        area_codes=MappingProxyType(areas),
        dial_prefixes=tuple(str(table["dial_prefixes"]).split()),
    )


@cache
def _given_out_pattern(plan: NumberPlan) -> re.Pattern[str]:
    """One group for each range, in order; what begins with 0 is told by its area or country."""
    return re.compile(
        "|".join(
            "([^0-9])"
            if one.digits is None or one.begins[0].startswith("0")
            else rf"((?=\d{{{one.digits[0]},{one.digits[1]}}}$)(?:{'|'.join(one.begins)})\d*)"
            for one in plan.ranges
        )
    )


def number_kind(number: pl.Expr) -> pl.Expr:
    """Return the kind of a key (see ``NUMBER_KINDS``); null and what fits nowhere is ``unknown``.

    Only the prefix and the rough length decide, since look-alikes are often a digit short or long.
    """
    length = number.str.len_bytes()
    kind: pl.Expr = pl.lit("unknown")
    for one in reversed(load_number_plan().ranges):
        begins = pl.any_horizontal(*(number.str.starts_with(prefix) for prefix in one.begins))
        shortest, longest = one.lookalike
        fits = length >= shortest if math.isinf(longest) else length.is_between(shortest, longest)
        kind = pl.when(begins & fits).then(pl.lit(one.kind)).otherwise(kind)
    is_number = number.str.contains(r"^\d+$").fill_null(value=False)
    return pl.when(is_number).then(kind).otherwise(pl.lit("unknown"))


def number_area(number: pl.Expr) -> pl.Expr:
    """Return the area of a key, null where it tells none.

    A landline's area code (``010``, ``0471``: three digits for 010 and 02x, else four), an
    international number's country prefix (``00852``).
    """
    international = number.str.starts_with("00")
    landline = number.str.starts_with("0") & ~international
    return (
        pl.when(international)
        .then(number.str.extract(_country_prefix_pattern()))
        .when(landline & number.str.contains(r"^0(10|2)"))
        .then(number.str.slice(0, 3))
        .when(landline)
        .then(number.str.slice(0, 4))
    )


def _country_prefix_pattern() -> str:
    """No country code is the beginning of another, so the alternation needs no order."""
    codes = "|".join(str(code) for code in sorted(COUNTRY_CODE_TO_REGION_CODE))
    return rf"^(00(?:{codes}))"
