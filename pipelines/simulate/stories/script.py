"""Plays one story between a resident and a stranger, as its script says.

Fraud and the honest stories that resemble it are played by the same functions and taken down in the
same journal; only the script's numbers and the other side's lines and purses differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeVar

import numpy as np

from pipelines.simulate.events.callers import Rotation
from pipelines.simulate.events.columns import DAY_S, Journal, draw_lognormal
from pipelines.simulate.events.daytime import move_to_waking_hours
from pipelines.simulate.mix.scripts import CallerKind, Script
from pipelines.simulate.people.numbering import draw_weighted
from pipelines.simulate.people.population import People

__all__ = ["Counterparty", "ScriptRun", "ScriptTrace", "Stage", "draw_number_kind", "draw_people"]

Stage = Literal["contact", "attempt", "paid"]
Option = TypeVar("Option")
_LONGEST_TALK_S = 3 * 3600


@dataclass(frozen=True)
class Counterparty:
    """The other side: lines that call, lines that text, accounts that receive, and lenders both
    sides may use.
    """

    lines: list[Rotation]
    texts: list[Rotation]
    purses: list[Rotation]
    lenders: list[int]


@dataclass
class ScriptTrace:
    """What a story left: when each record became known, the payments made, the numbers and accounts
    met.
    """

    known_at: list[int] = field(default_factory=list)
    payments: list[tuple[int, int]] = field(default_factory=list)  # (second, cents)
    numbers: list[int] = field(default_factory=list)
    accounts: list[int] = field(default_factory=list)


def draw_people(
    rng: np.random.Generator, *, script: Script, people: People, count: int, gullible: bool
) -> list[int]:
    """Residents to whom a script happens: by age, and for fraud by how easily they are drawn in."""
    weights = np.exp(-0.5 * ((people.age - script.age_mean) / script.age_sd) ** 2) + 0.02
    if gullible:
        weights = weights * people.gullible
    return [int(p) for p in rng.choice(len(people), count, p=weights / weights.sum())]


class ScriptRun:
    """One run of a script from its first contact, at second ``at``. Nothing is taken down after
    ``end``.
    """

    def __init__(
        self,
        script: Script,
        *,
        person: int,
        other: Counterparty,
        at: float,
        end: float,
        people: People,
        journal: Journal,
        rng: np.random.Generator,
    ) -> None:
        self._script, self._person, self._other = script, person, other
        self._at, self._end, self._people, self._journal, self._rng = at, end, people, journal, rng
        own = np.array([person])
        self._own_number = int(people.draw_number(rng, own)[0])
        self._own_account = int(people.draw_account(rng, own)[0])
        self._busy_until = at
        self.trace = ScriptTrace()

    @property
    def own_number(self) -> int:
        """The resident's number to which it happens."""
        return self._own_number

    def play(self, stage: Stage) -> ScriptTrace:
        """Plays up to a stage: only the contact, an attempt without payment, or all of it."""
        script, rng = self._script, self._rng
        self._open(must_leave_trace=stage == "contact")
        if stage == "contact":
            if self._chance(script.talks.after_contact_share):
                self._follow_up()
            return self.trace
        delay_s = float(draw_lognormal(rng, script.delay_h_median, script.delay_h_sigma)) * 3600
        pay_at = move_to_waking_hours(rng, self._at + max(300.0, delay_s))
        pays = stage == "paid" and self._chance(script.payments.share)
        talks = self._plan_talks(pay_at, pays=pays)
        if self._chance(script.lure.share):
            self._lure(pay_at, gift_only=stage == "attempt")
        if pays or (stage == "attempt" and self._chance(0.3)):
            self._gather(pay_at)
        if pays:
            pay_at = max(pay_at, talks)
            self._pay(pay_at)
        return self.trace

    def _chance(self, share: float) -> bool:
        return bool(self._rng.random() < share)

    def _within(self, low_high: tuple[float, float]) -> float:
        return float(self._rng.uniform(*low_high))

    def _count(self, low_high: tuple[int, int]) -> int:
        return int(self._rng.integers(low_high[0], low_high[1] + 1))

    def _any(self, options: list[Option]) -> Option:
        return options[int(self._rng.integers(len(options)))]

    def _one(self, rotations: list[Rotation], at: float) -> int:
        return self._any(rotations).at(at)

    # What is taken down

    def _talk(self, number: int, *, at: float, duration_s: float, callback: bool = False) -> float:
        """A call of this story, after any earlier one has ended; returns its end."""
        at = max(at, self._busy_until)
        if at < self._end:
            duration_s = min(duration_s, _LONGEST_TALK_S)
            ends = (self._own_number, number) if callback else (number, self._own_number)
            end = self._journal.call(*ends, at=at, duration_s=duration_s)
            self._note(end, number)
            self._busy_until = end + float(self._rng.exponential(60)) + 5
        return at + duration_s

    def _text(self, number: int, *, at: float) -> None:
        if at < self._end:
            self._note(self._journal.text(number, self._own_number, at=at), number)

    def _note(self, known_at: int, number: int) -> None:
        self.trace.known_at.append(known_at)
        if number not in self.trace.numbers:
            self.trace.numbers.append(number)

    def _pay_out(self, account: int, *, at: float, amount_cny: float) -> None:
        if at < self._end:
            cents = self._journal.pay(self._own_account, account, at=at, amount_cny=amount_cny)
            self.trace.payments.append((int(at), cents))
            self._note_account(int(at), account)

    def _receive(self, account: int, *, at: float, amount_cny: float) -> None:
        if at < self._end:
            self._journal.pay(account, self._own_account, at=at, amount_cny=amount_cny)
            self._note_account(int(at), account)

    def _note_account(self, known_at: int, account: int) -> None:
        self.trace.known_at.append(known_at)
        if account not in self.trace.accounts:
            self.trace.accounts.append(account)

    # The acts

    def _open(self, *, must_leave_trace: bool) -> None:
        opening = self._script.opening
        calls = self._chance(opening.call_share)
        texts = self._chance(opening.text_share)
        if must_leave_trace and not calls and not texts:
            calls = self._chance(opening.call_share / (opening.call_share + opening.text_share))
            texts = not calls
        if texts:
            self._text(self._one(self._other.texts, self._at), at=self._at)
        if calls:
            lag = float(self._rng.exponential(1800)) if texts else 0.0
            self._talk(
                self._one(self._other.lines, self._at),
                at=self._at + lag,
                duration_s=float(
                    np.maximum(
                        8, draw_lognormal(self._rng, opening.call_s_median, opening.call_s_sigma)
                    )
                ),
            )

    def _follow_up(self) -> None:
        at = move_to_waking_hours(self._rng, self._at + float(self._rng.exponential(6 * 3600)))
        length = float(
            draw_lognormal(
                self._rng, self._script.talks.minutes_median * 20, self._script.talks.minutes_sigma
            )
        )
        self._exchange(self._one(self._other.lines, at), at=at, length=length)

    def _plan_talks(self, pay_at: float, *, pays: bool) -> float:
        """The talks between contact and payment; returns the moment the last of them lets the
        payment happen.
        """
        talks = self._script.talks
        if not self._chance(talks.share):
            return pay_at
        voices = [self._any(self._other.lines) for _ in range(self._count(talks.callers))]
        moments = (
            np.sort(self._rng.beta(1.0, 0.8, self._count(talks.count))) * (pay_at - self._at)
            + self._at
        )
        on_the_line = pays and self._chance(talks.on_the_line_share)
        ready = pay_at
        for i, moment in enumerate(moments):
            voice = voices[min(i * len(voices) // len(moments), len(voices) - 1)]
            length = float(
                draw_lognormal(self._rng, talks.minutes_median * 60, talks.minutes_sigma)
            )
            at = move_to_waking_hours(self._rng, float(moment))
            if on_the_line and i == len(moments) - 1:
                start = max(
                    at, pay_at - length * float(self._rng.uniform(0.3, 0.9)), self._busy_until
                )
                self._talk(voice.at(start), at=start, duration_s=length)
                ready = start + length * float(self._rng.uniform(0.4, 0.95))
            else:
                self._exchange(voice.at(at), at=at, length=length)
        return ready

    def _exchange(self, number: int, *, at: float, length: float) -> None:
        """One talk: a text, a call that is not answered, or a call, sometimes from the resident's
        side.
        """
        talks = self._script.talks
        if self._chance(talks.text_share):
            self._text(number, at=at)
            return
        answered = not self._chance(talks.unanswered_share)
        callback = self._chance(talks.callback_share) and number in self.trace.numbers
        self._talk(number, at=at, duration_s=max(5.0, length) if answered else 0, callback=callback)

    def _lure(self, pay_at: float, *, gift_only: bool) -> None:
        lure = self._script.lure
        rounds = self._count(lure.rounds)
        first = self._at + (pay_at - self._at) * self._within(lure.begins)
        for i in range(rounds):
            at = move_to_waking_hours(self._rng, first + (pay_at - first) * i / rounds)
            stake = self._within(lure.stake_cny)
            purse = self._any(self._other.purses)
            back = stake * (1 + self._within(lure.profit))
            if gift_only or self._chance(lure.gift_share):
                back = max(1.0, stake * self._within((0.02, 0.3)))
            else:
                self._pay_out(purse.at(at), at=at, amount_cny=stake)
            if back > 0:
                back_at = move_to_waking_hours(self._rng, at + self._within(lure.back_h) * 3600)
                payer = (
                    purse.at(back_at)
                    if self._chance(lure.same_account_share)
                    else self._one(self._other.purses, back_at)
                )
                self._receive(payer, at=back_at, amount_cny=back)

    def _gather(self, pay_at: float) -> None:
        """Money made ready: nothing of this goes to or comes from the other side."""
        gather, payments, people = self._script.gather, self._script.payments, self._people
        amount = float(
            draw_lognormal(self._rng, payments.total_cny_median * 0.6, payments.total_cny_sigma)
        )
        own = [self._person, int(people.second_account[self._person])]
        if min(own) >= 0 and self._chance(gather.pool_share):
            source = own[1] if self._own_account == own[0] else own[0]
            self._move(source, self._own_account, before=pay_at, amount_cny=amount)
        if self._chance(gather.loan_share):
            for _ in range(self._count((1, 2))):
                borrowed = float(np.clip(amount, 1000, 80_000))
                self._move(
                    self._any(self._other.lenders),
                    self._own_account,
                    before=pay_at,
                    amount_cny=borrowed,
                )
        if self._chance(gather.family_share):
            for payee in self._rng.choice(
                people.payees[self._person], self._count((1, 3)), replace=False
            ):
                help_cny = max(300.0, amount * self._within((0.2, 0.8)))
                self._move(int(payee), self._own_account, before=pay_at, amount_cny=help_cny)

    def _move(self, payer: int, payee: int, *, before: float, amount_cny: float) -> None:
        span = min(0.5 * max(600.0, before - self._at), 2.0 * DAY_S)
        at = move_to_waking_hours(self._rng, before - span * self._within((0.05, 1)))
        if self._at <= at < self._end and payer != payee:
            self._journal.pay(payer, payee, at=at, amount_cny=amount_cny)

    def _pay(self, at: float) -> None:
        payments, rng = self._script.payments, self._rng
        total = float(draw_lognormal(rng, payments.total_cny_median, payments.total_cny_sigma))
        total *= float(self._people.wealth[self._person]) ** 0.5
        parts = np.cumprod(
            [1.0, *(self._within(payments.growth) for _ in range(self._count(payments.count) - 1))]
        )
        purse, start = self._any(self._other.purses), at
        for amount in total * parts / parts.sum():
            self._pay_out(purse.at(at), at=at, amount_cny=max(20.0, float(amount)))
            if self._chance(payments.quit_share):
                break
            if self._chance(payments.new_payee_share):
                purse = self._any(self._other.purses)
            at = move_to_waking_hours(
                rng,
                at
                + max(
                    40.0,
                    float(draw_lognormal(rng, payments.gap_h_median * 3600, payments.gap_h_sigma)),
                ),
            )
        if self._chance(payments.refund_share):
            self._receive(
                purse.at(start),
                at=move_to_waking_hours(rng, at + float(rng.exponential(5 * DAY_S))),
                amount_cny=total,
            )


def draw_number_kind(rng: np.random.Generator, script: Script) -> CallerKind:
    """The kind of number a caller of this script shows."""
    return draw_weighted(rng, script.caller_kinds)
