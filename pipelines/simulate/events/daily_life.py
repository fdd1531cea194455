"""The ordinary day of the district: calls among people who know each other, small purchases,
salaries.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from pipelines.simulate.events.columns import (
    DAY_S,
    CallEvents,
    PaymentEvents,
    draw_lognormal,
    to_paid_cents,
)
from pipelines.simulate.events.daytime import draw_seconds, season_factor
from pipelines.simulate.mix.district_mix import Mix
from pipelines.simulate.people.numbering import Floats, Ints
from pipelines.simulate.people.population import People

__all__ = ["DailyLife"]

_SATURDAY = 5


@dataclass(frozen=True)
class DailyLife:
    """Draws ordinary days, each from its own stream of random numbers."""

    mix: Mix
    people: People
    start: date
    days: int
    seed: int
    # Numbers of people one deals with once or twice: tradesmen, shops, parents of classmates.
    strangers: Ints
    text_ports: Ints  # 106 ports of banks and shops

    @classmethod
    def of(cls, mix: Mix, *, people: People, start: date, days: int, seed: int) -> DailyLife:
        """Ordinary life of ``people`` from ``start`` on."""
        strangers = [
            ("mobile", 0.35),
            ("virtual", 0.03),
            ("landline", 0.03),
            ("local_landline", 0.05),
        ]
        count = len(people)
        pool = [people.numbers.issue(kind, max(1, int(share * count))) for kind, share in strangers]
        ports = people.numbers.issue("service_106", max(20, count // 100))
        return cls(mix, people, start, days, seed, np.concatenate(pool), ports)

    def calls(self, day: int) -> CallEvents:
        """All ordinary calls and texts of a day."""
        rng = np.random.default_rng([self.seed, 11, day])
        parts = [
            self._contact_calls(rng, day),
            self._stranger_calls(rng, day),
            self._service_texts(rng),
        ]
        events = CallEvents.join(parts)
        return CallEvents(
            events.caller,
            events.callee,
            events.text,
            events.at + day * DAY_S,
            events.duration_s,
            events.scripted,
        )

    def payments(self, day: int) -> PaymentEvents:
        """All ordinary payments of a day."""
        rng = np.random.default_rng([self.seed, 12, day])
        factor = float(season_factor(self.mix.seasons, self._date(day), 1)[0]) * self._weekend(
            day, self.mix.daily.weekend_spending
        )
        parts = [
            self._purchases(rng, factor),
            self._known_payees(rng, factor),
            self._new_payees(rng, factor),
            self._own_moves(rng),
            self._income(rng, day),
        ]
        events = PaymentEvents.join(parts)
        return PaymentEvents(events.payer, events.payee, events.cents, events.at + day * DAY_S)

    def _date(self, day: int) -> date:
        return self.start + timedelta(days=day)

    def _weekend(self, day: int, factor: float) -> float:
        return factor if self._date(day).weekday() >= _SATURDAY else 1.0

    def _occasions(self, rng: np.random.Generator, mean: float | Floats) -> Ints:
        """Positions of residents, each as often as something happens to them today."""
        return np.repeat(np.arange(len(self.people)), rng.poisson(mean, len(self.people)))

    def _contact_calls(self, rng: np.random.Generator, day: int) -> CallEvents:
        people, daily = self.people, self.mix.daily
        weekend = self._weekend(day, daily.weekend_calls)
        who = self._occasions(rng, daily.contact_calls * weekend * people.sociable)
        # Few contacts get most of the calls: ranks fall off as 1 / rank.
        rank = np.minimum(
            np.exp(rng.random(len(who)) * np.log(people.contact_count[who] + 1)).astype(int) - 1,
            people.contact_count[who] - 1,
        )
        peer = people.contacts[who, rank]
        own = people.draw_number(rng, who)
        incoming = (peer >= len(people)) & (rng.random(len(who)) < 0.5)
        nearness = np.where(rank < 3, 1.5, 1.0)
        length = (
            draw_lognormal(rng, daily.contact_s_median, daily.contact_s_sigma, len(who)) * nearness
        )
        answered = rng.random(len(who)) < daily.answered_share
        text = rng.random(len(who)) < daily.personal_texts / daily.contact_calls
        duration = np.where(answered & ~text, np.clip(length, 1, 4 * 3600), 0).astype(np.int64)
        return CallEvents(
            np.where(incoming, peer, own),
            np.where(incoming, own, peer),
            text,
            draw_seconds(rng, "day", len(who)),
            duration,
            np.zeros(len(who), bool),
        )

    def _stranger_calls(self, rng: np.random.Generator, day: int) -> CallEvents:
        people, daily = self.people, self.mix.daily
        trade = np.where(people.trade, 6.0, 1.0)
        who = self._occasions(
            rng, daily.stranger_calls * trade * self._weekend(day, daily.weekend_calls)
        )
        peer = self.strangers[(len(self.strangers) * rng.random(len(who)) ** 1.5).astype(int)]
        once = np.flatnonzero(rng.random(len(who)) < daily.one_off_share)
        peer[once] = people.numbers.issue("mobile", len(once))
        own = people.draw_number(rng, who)
        incoming = rng.random(len(who)) < 0.6
        length = draw_lognormal(rng, daily.stranger_s_median, daily.stranger_s_sigma, len(who))
        duration = np.where(
            rng.random(len(who)) < daily.answered_share, np.maximum(1, length), 0
        ).astype(np.int64)
        at = draw_seconds(rng, "day", len(who))
        return CallEvents.of(
            np.where(incoming, peer, own), np.where(incoming, own, peer), at=at, duration_s=duration
        )

    def _service_texts(self, rng: np.random.Generator) -> CallEvents:
        who = self._occasions(rng, self.mix.daily.service_texts)
        sender = self.text_ports[(len(self.text_ports) * rng.random(len(who)) ** 2).astype(int)]
        return CallEvents.of(
            sender,
            self.people.draw_number(rng, who),
            at=draw_seconds(rng, "day", len(who)),
            text=True,
        )

    def _pay(
        self,
        rng: np.random.Generator,
        payer: Ints,
        payee: Ints,
        amounts_cny: Floats,
        clock: str = "shops",
    ) -> PaymentEvents:
        return PaymentEvents(
            payer, payee, to_paid_cents(rng, amounts_cny), draw_seconds(rng, clock, len(payer))
        )

    def _purchases(self, rng: np.random.Generator, factor: float) -> PaymentEvents:
        people, daily = self.people, self.mix.daily
        who = self._occasions(
            rng,
            daily.merchant_payments
            * factor
            * np.interp(people.age, [16, 25, 50, 92], [0.9, 1.3, 1, 0.4]),
        )
        anywhere = people.merchants[(len(people.merchants) * rng.random(len(who)) ** 2).astype(int)]
        usual = people.favourites[who, rng.integers(0, people.favourites.shape[1], len(who))]
        payee = np.where(rng.random(len(who)) < 0.6, usual, anywhere)
        amounts = (
            draw_lognormal(rng, daily.merchant_cny_median, daily.merchant_cny_sigma, len(who))
            * people.wealth[who] ** 0.5
        )
        return self._pay(rng, people.draw_account(rng, who), payee, amounts)

    def _known_payees(self, rng: np.random.Generator, factor: float) -> PaymentEvents:
        people, daily = self.people, self.mix.daily
        who = self._occasions(rng, daily.known_payee_payments * factor)
        peer = people.payees[who, (8 * rng.random(len(who)) ** 1.7).astype(int)]
        incoming = (peer >= len(people)) & (rng.random(len(who)) < 0.45)
        own = people.draw_account(rng, who)
        amounts = (
            draw_lognormal(rng, daily.known_payee_cny_median, daily.known_payee_cny_sigma, len(who))
            * people.wealth[who] ** 0.5
        )
        return self._pay(
            rng, np.where(incoming, peer, own), np.where(incoming, own, peer), amounts, "anytime"
        )

    def _new_payees(self, rng: np.random.Generator, factor: float) -> PaymentEvents:
        people, daily = self.people, self.mix.daily
        who = self._occasions(
            rng, daily.new_payee_payments * factor * np.where(people.trade, 5.0, 1.0)
        )
        peer = people.accounts.issue(len(who)) if len(who) else who
        own = people.draw_account(rng, who)
        incoming = rng.random(len(who)) < np.where(people.trade[who], 0.85, 0.35)
        amounts = np.minimum(
            4800,
            draw_lognormal(rng, daily.new_payee_cny_median, daily.new_payee_cny_sigma, len(who)),
        )
        return self._pay(
            rng, np.where(incoming, peer, own), np.where(incoming, own, peer), amounts, "anytime"
        )

    def _own_moves(self, rng: np.random.Generator) -> PaymentEvents:
        people = self.people
        who = self._occasions(rng, self.mix.daily.own_account_moves)
        who = who[people.second_account[who] >= 0]
        back = rng.random(len(who)) < 0.5
        first, second = who, people.second_account[who]
        amounts = draw_lognormal(rng, 1500, 1.1, len(who)) * people.wealth[who]
        return self._pay(
            rng, np.where(back, second, first), np.where(back, first, second), amounts, "anytime"
        )

    def _income(self, rng: np.random.Generator, day: int) -> PaymentEvents:
        people, daily = self.people, self.mix.daily
        today = self._date(day).day
        pay_day = np.array(daily.pay_days)[people.employer % len(daily.pay_days)]
        who = np.flatnonzero(
            (people.age >= 19) & (pay_day == today) & (rng.random(len(people)) < 0.92)
        )
        median = np.where(people.age[who] >= 60, daily.pension_cny_median, daily.salary_cny_median)
        amounts = median * people.wealth[who] * np.exp(rng.normal(0, 0.12, len(who)))
        return self._pay(rng, people.employer[who], who, amounts, "office")
