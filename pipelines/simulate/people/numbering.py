"""Identifiers: ID numbers, telephone numbers and accounts, drawn the same way for everybody.

A scammer's number or a mule's account comes from the same function as a neighbour's, so nothing in
its digits tells them apart. Numbers and accounts are handled as positions in a book (``int``) until
they are written.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = [
    "BANKS",
    "OPERATORS",
    "AccountBook",
    "Flags",
    "Floats",
    "Ints",
    "NumberBook",
    "draw_id_numbers",
    "draw_weighted",
    "pack_text",
]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Key = TypeVar("Key", bound=str)

OPERATORS: dict[str, tuple[str, ...]] = {
    "cmcc": (
        "134",
        "135",
        "136",
        "137",
        "138",
        "139",
        "150",
        "151",
        "152",
        "157",
        "158",
        "159",
        "182",
        "187",
        "188",
    ),
    "cucc": ("130", "131", "132", "155", "156", "176", "185", "186"),
    "ctcc": ("133", "153", "173", "177", "180", "181", "189", "199"),
}
OPERATOR_SHARES = {"cmcc": 0.55, "cucc": 0.25, "ctcc": 0.20}
VIRTUAL_PREFIXES = ("162", "165", "167", "170", "171")
AREA_CODES = ("010", "020", "021", "022", "0311", "0371", "0431", "0571", "0755", "0851")
COUNTRIES = (
    "852",
    "853",
    "886",
    "1",
    "44",
    "61",
    "81",
    "82",
    "60",
    "65",
    "66",
    "84",
    "855",
    "95",
    "63",
)
# The first six digits of cards. ``other`` stands for every bank that has no feed here.
BANKS: dict[str, tuple[str, ...]] = {
    "icbc": ("622202", "621226"),
    "abc": ("622848", "623052"),
    "boc": ("621660", "622760"),
    "ccb": ("621700", "622700"),
    "psbc": ("621098", "622188"),
    "ruralcb": ("621457", "623018"),
    "cmb": ("621483", "622588"),
    "other": ("621462", "622908", "623062"),
}
FEED_BANKS = ("icbc", "abc", "boc", "ccb", "psbc", "ruralcb")
# Most people whom residents pay bank where the residents do.
_BANK_SHARES = {bank: 0.15 if bank in FEED_BANKS else 0.05 for bank in BANKS}

_ID_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_ID_CHECKS = np.array(list("10X98765432"))


def draw_weighted(rng: np.random.Generator, weights: Mapping[Key, float]) -> Key:
    """One key of ``weights``, in proportion to its weight."""
    values = np.fromiter(weights.values(), float)
    keys = list(weights)
    return keys[int(np.searchsorted(np.cumsum(values), rng.random() * values.sum(), side="right"))]


def draw_id_numbers(
    rng: np.random.Generator,
    *,
    regions: npt.NDArray[np.str_],
    births: npt.NDArray[np.datetime64],
    male: Flags,
) -> list[str]:
    """18-digit numbers of GB 11643, all different: region, birth date, sequence (odd: male), MOD
    11-2 check digit.
    """
    days = [str(day).replace("-", "") for day in births.astype("datetime64[D]")]
    seen: set[str] = set()
    bodies: list[str] = []
    for region, day, is_male in zip(regions, days, male, strict=True):
        body = ""
        while not body or body in seen:
            body = f"{region}{day}{2 * int(rng.integers(0, 500)) + int(is_male):03d}"
        seen.add(body)
        bodies.append(body)
    digits = np.array([list(body) for body in bodies]).astype(int)
    return [
        body + check
        for body, check in zip(bodies, _ID_CHECKS[digits @ _ID_WEIGHTS % 11], strict=True)
    ]


def pack_text(text: str) -> int:
    """A number or account as an integer, another for each: the digit before it tells ``00852`` from
    ``852`` and ``+852``, and a card from a merchant.
    """
    head = {"+": "2", "M": "3"}.get(text[0])
    return int(head + text[1:] if head else "1" + text)


class _Book:
    """Texts that are all different, known by their position."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._seen: set[str] = set()
        self._shelf = pl.Series([], dtype=pl.String)
        self._past = array("q")  # what was drawn and is in ``_seen`` no longer, packed, in order
        self.texts: list[str] = []  # those after the shelved

    def __len__(self) -> int:
        return len(self._shelf) + len(self.texts)

    def __getitem__(self, position: int) -> str:
        later = position - len(self._shelf)
        return self.texts[later] if later >= 0 else str(self._shelf[int(position)])

    def gather(self, positions: Ints) -> pl.Series:
        """The texts at ``positions``."""
        today = pl.Series(self.texts, dtype=pl.String)
        return pl.concat([self._shelf, today]).gather(positions)

    def shelve(self) -> None:
        """Put all texts so far where they take a fifth of the room; positions stay."""
        self._shelf = pl.concat([self._shelf, pl.Series(self.texts, dtype=pl.String)], rechunk=True)
        self.forget()

    def forget(self) -> None:
        """Let go of the texts since the last ``shelve``: their positions are given again, the texts
        are not.
        """
        packed = np.array([pack_text(text) for text in self.texts], np.int64)
        past = np.sort(np.concatenate([np.frombuffer(self._past, np.int64), packed]))
        self._past = array("q", past.tobytes())
        self._seen, self.texts = set(), []

    def _is_new(self, text: str) -> bool:
        if text in self._seen:
            return False
        if not self._past:
            return True
        packed = pack_text(text)
        place = bisect_left(self._past, packed)
        return place == len(self._past) or self._past[place] != packed

    def _add(self, draw: Callable[[], Iterator[str]], count: int) -> Ints:
        first = len(self)
        while (missing := first + count - len(self)) > 0:
            for text, _ in zip(draw(), range(missing), strict=False):
                if self._is_new(text):
                    self._seen.add(text)
                    self.texts.append(text)
        return np.arange(first, first + count)

    def _digits(self, length: int, count: int) -> list[str]:
        return [f"{n:0{length}d}" for n in self._rng.integers(0, 10**length, count).tolist()]

    def _one_of(self, options: tuple[str, ...], count: int) -> list[str]:
        return [options[i] for i in self._rng.integers(0, len(options), count).tolist()]


class NumberBook(_Book):
    """All telephone numbers of the simulation."""

    def __init__(self, rng: np.random.Generator, *, area_code: str) -> None:
        super().__init__(rng)
        self._area_code = area_code

    def issue_subscribers(self, operators: list[str]) -> Ints:
        """Mobile numbers of the given operators, one each; returns their positions."""
        first = len(self)
        draw, seen = self._rng.integers, self._seen
        for prefixes in (OPERATORS[name] for name in operators):
            while True:
                text = f"{prefixes[int(draw(0, len(prefixes)))]}{int(draw(0, 100_000_000)):08d}"
                if text not in seen:
                    break
            seen.add(text)
            self.texts.append(text)
        return np.arange(first, first + len(operators))

    def issue(self, kind: str, count: int = 1) -> Ints:
        """New numbers of a kind (see ``mix.NumberKind``); returns their positions."""
        return self._add(lambda: self._draw(kind, count), count)

    def _draw(self, kind: str, count: int) -> Iterator[str]:
        if kind == "mobile":
            return self._mobile(
                tuple(p for prefixes in OPERATORS.values() for p in prefixes), count
            )
        if kind == "virtual":
            return self._mobile(VIRTUAL_PREFIXES, count)
        if kind == "local_landline":
            return self._joined([self._area_code] * count, self._subscriber_part(count))
        if kind == "landline":
            return self._joined(
                self._one_of((*AREA_CODES, self._area_code), count), self._subscriber_part(count)
            )
        if kind == "international":
            signs = self._one_of(("00", "00", "00", "+"), count)
            heads = [
                sign + country
                for sign, country in zip(signs, self._one_of(COUNTRIES, count), strict=True)
            ]
            return self._joined(heads, self._subscriber_part(count))
        head, length = {
            "service_95": ("95", 3),
            "service_400": ("400", 7),
            "service_106": ("106", 8),
        }[kind]
        # Short 95 numbers run out; then they grow by digits, as in life (95013 1234).
        lengths = [
            length + 4 * (kind == "service_95" and bool(x)) for x in self._rng.random(count) < 0.6
        ]
        return iter([head + self._digits(n, 1)[0] for n in lengths])

    def _mobile(self, prefixes: tuple[str, ...], count: int) -> Iterator[str]:
        return self._joined(self._one_of(prefixes, count), self._digits(8, count))

    def _subscriber_part(self, count: int) -> list[str]:
        return [f"{n}" for n in self._rng.integers(20_000_000, 90_000_000, count).tolist()]

    @staticmethod
    def _joined(heads: list[str], tails: list[str]) -> Iterator[str]:
        return iter([head + tail for head, tail in zip(heads, tails, strict=True)])


class AccountBook(_Book):
    """All accounts and merchant codes of the simulation, with their banks."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__(rng)
        self.banks: list[str] = []
        self.is_merchant: list[bool] = []

    def issue(self, count: int = 1, *, banks: list[str] | None = None) -> Ints:
        """New 16-digit accounts at ``banks`` (any bank when left out); returns their positions."""
        banks = banks or [
            str(bank)
            for bank in self._rng.choice(list(BANKS), count, p=list(_BANK_SHARES.values()))
        ]
        first = len(self)
        for bank in banks:
            self._add_card(BANKS[bank])
        added = np.arange(first, first + len(banks))
        self.banks += banks
        self.is_merchant += [False] * count
        return added

    def forget(self) -> None:
        """Let go of the accounts since the last ``shelve``, with their banks."""
        super().forget()
        del self.banks[len(self) :], self.is_merchant[len(self) :]

    def issue_merchants(self, count: int = 1) -> Ints:
        """New merchant codes: a letter and seven digits."""
        added = self._add(lambda: iter([f"M{digits}" for digits in self._digits(7, count)]), count)
        self.banks += self._one_of(tuple(BANKS), count)
        self.is_merchant += [True] * count
        return added

    def _add_card(self, prefixes: tuple[str, ...]) -> None:
        # One at a time, and with plain numbers: a district has millions of accounts.
        draw, seen, is_new = self._rng.integers, self._seen, self._is_new
        while True:
            body = f"{prefixes[int(draw(0, len(prefixes)))]}{int(draw(0, 1_000_000_000)):09d}"
            text = body + _luhn(body)
            if is_new(text):
                seen.add(text)
                self.texts.append(text)
                return


_DOUBLED = {str(digit): (digit * 2) // 10 + (digit * 2) % 10 for digit in range(10)}


def _luhn(body: str) -> str:
    """The check digit: from the last digit on, every other one is doubled."""
    total = sum(map(_DOUBLED.__getitem__, body[::-2])) + sum(map(int, body[-2::-2]))
    return str(-total % 10)
