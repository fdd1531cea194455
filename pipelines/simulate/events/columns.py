"""Events as columns: calls between two numbers, payments between two accounts.

An event is one row, whether one or both of the two live in the district; ``delivery`` turns it
into one or two records. Times are whole seconds since the first midnight, money is whole cents
(fen).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Self

import numpy as np
import numpy.typing as npt

from pipelines.simulate.people.numbering import Flags, Floats, Ints

__all__ = ["DAY_S", "CallEvents", "Journal", "PaymentEvents", "draw_lognormal", "to_paid_cents"]

DAY_S = 86_400
FULL = 50_000
_ROUND_SHARE, _WHOLE_SHARE = 0.22, 0.33


def draw_lognormal(
    rng: np.random.Generator, median: float, sigma: float, count: int | None = None
) -> Floats:
    """Draws of a lognormal given by its median; an array of shape (count,), or () when ``count`` is
    left out.
    """
    return np.asarray(np.exp(rng.normal(np.log(median), sigma, count)))


def to_paid_cents(rng: np.random.Generator, amounts_cny: npt.ArrayLike) -> Ints:
    """Amounts as people pay them, in cents: some to the ten yuan, some to the yuan, the rest to the
    cent.

    One rule for every payment, large or small, honest or not: the last digits carry nothing.
    """
    cents = np.maximum(1, np.round(np.asarray(amounts_cny, float) * 100)).astype(np.int64)
    form = rng.random(cents.shape)
    step = np.where(form < _ROUND_SHARE, 1000, np.where(form < _ROUND_SHARE + _WHOLE_SHARE, 100, 1))
    rounded: Ints = np.maximum(step, (cents + step // 2) // step * step)
    return rounded


class _Columns:
    """Columns of equal length."""

    def __len__(self) -> int:
        return len(self.at)

    at: Ints

    def take(self, rows: Flags | Ints) -> Self:
        """The given rows (a mask or positions)."""
        return type(self)(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})  # type: ignore[arg-type]

    @classmethod
    def join(cls, parts: list[Self]) -> Self:
        """All parts, one after another."""
        return cls(
            **{
                f.name: np.concatenate([getattr(p, f.name) for p in parts])
                for f in fields(cls)  # type: ignore[arg-type]
            }
        )

    def by_day(self, days: int) -> list[Self]:
        """The events of each day, ``days`` parts; events before the first and after the last day
        are left out.
        """
        rows = self.take(np.argsort(self.at, kind="stable"))
        edges = np.searchsorted(rows.at, np.arange(days + 1) * DAY_S)
        return [rows.take(np.arange(a, b)) for a, b in pairwise(edges.tolist())]


@dataclass(frozen=True)
class CallEvents(_Columns):
    """Calls and texts: positions in the number book, seconds, and whether the event belongs to a
    story.
    """

    caller: Ints
    callee: Ints
    text: Flags
    at: Ints
    duration_s: Ints
    scripted: Flags  # part of a story: is not cut short when the line is busy

    @classmethod
    def of(
        cls,
        caller: Ints,
        callee: Ints,
        *,
        at: Ints,
        duration_s: Ints | None = None,
        text: bool = False,
    ) -> CallEvents:
        """Everyday events; without ``duration_s`` all are unanswered, or texts."""
        zeros = np.zeros(len(at), np.int64)
        return cls(
            caller,
            callee,
            np.full(len(at), text),
            at,
            zeros if duration_s is None else duration_s,
            zeros.astype(bool),
        )


@dataclass(frozen=True)
class PaymentEvents(_Columns):
    """Payments: positions in the account book, cents, seconds."""

    payer: Ints
    payee: Ints
    cents: Ints
    at: Ints


class Journal:
    """Takes down the events of stories one by one.

    ``full`` is called when it holds ``FULL`` of a kind, to read them and ``clear`` it.
    """

    def __init__(
        self, rng: np.random.Generator, *, full: Callable[[Journal], object] = lambda _: None
    ) -> None:
        self._rng, self._full = rng, full
        self._calls: list[tuple[int, int, bool, int, int]] = []
        self._payments: list[tuple[int, int, int, int]] = []

    def call(self, caller: int, callee: int, *, at: float, duration_s: float) -> int:
        """A call; returns the second at which it ends. ``duration_s`` 0: not answered."""
        start, length = int(at), int(duration_s)
        self._take_down((caller, callee, False, start, length))
        return start + length

    def text(self, sender: int, receiver: int, *, at: float) -> int:
        """A text message; returns its second."""
        self._take_down((sender, receiver, True, int(at), 0))
        return int(at)

    def pay(self, payer: int, payee: int, *, at: float, amount_cny: float) -> int:
        """A payment; returns the cents that were really paid (see :func:`to_paid_cents`)."""
        cents = int(to_paid_cents(self._rng, amount_cny))
        self._payments.append((payer, payee, cents, int(at)))
        if len(self._payments) >= FULL:
            self._full(self)
        return cents

    def _take_down(self, call: tuple[int, int, bool, int, int]) -> None:
        self._calls.append(call)
        if len(self._calls) >= FULL:
            self._full(self)

    def clear(self) -> None:
        """Begin anew."""
        self._calls, self._payments = [], []

    def calls(self) -> CallEvents:
        """All calls and texts taken down."""
        table = np.array(self._calls, np.int64).reshape(-1, 5).T
        return CallEvents(
            table[0],
            table[1],
            table[2].astype(bool),
            table[3],
            table[4],
            np.full(table.shape[1], True),
        )

    def payments(self) -> PaymentEvents:
        """All payments taken down."""
        table = np.array(self._payments, np.int64).reshape(-1, 4).T
        return PaymentEvents(*table)
