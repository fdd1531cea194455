"""The people of the district, with their numbers, accounts, contacts and payees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from pipelines.simulate.mix.district_mix import Daily, Mix
from pipelines.simulate.people.numbering import (
    FEED_BANKS,
    OPERATOR_SHARES,
    AccountBook,
    Ints,
    NumberBook,
    draw_id_numbers,
)
from pipelines.simulate.people.registers import Registers
from pipelines.simulate.people.traits import Traits, draw_traits

__all__ = ["People", "generate_population"]


@dataclass(frozen=True)
class People(Traits):
    """The residents with their numbers, accounts and habits, and their registers as frames.

    Numbers and accounts are positions in their books; person ``i`` has number ``i`` and
    account ``i`` first.
    """

    numbers: NumberBook
    accounts: AccountBook
    registers: dict[str, pl.DataFrame]
    id_numbers: list[str]
    second_number: Ints  # -1: none
    second_account: Ints  # -1: none
    number_source: list[str]  # operator of each subscriber's number
    account_source: list[str]  # bank of each resident's account
    contacts: Ints  # (people, most contacts), nearest first
    contact_count: Ints
    payees: Ints  # (people, 8) accounts
    merchants: Ints  # all merchant codes
    favourites: Ints  # (people, 10) merchant codes
    employer: Ints  # account that pays the salary or pension

    def __len__(self) -> int:
        return len(self.age)

    def shelve_identifiers(self) -> None:
        """Keep the numbers and accounts so far in little room."""
        self.numbers.shelve()
        self.accounts.shelve()

    def forget_identifiers(self) -> None:
        """Let go of the numbers and accounts since then, which were met once."""
        self.numbers.forget()
        self.accounts.forget()

    def draw_number(self, rng: np.random.Generator, person: Ints) -> Ints:
        """A number of each person: the second one a quarter of the time, where there is one."""
        second = self.second_number[person]
        return np.where((second >= 0) & (rng.random(len(person)) < 0.25), second, person)

    def draw_account(self, rng: np.random.Generator, person: Ints) -> Ints:
        """An account of each person: the second one a quarter of the time, where there is one."""
        second = self.second_account[person]
        return np.where((second >= 0) & (rng.random(len(person)) < 0.25), second, person)


def generate_population(mix: Mix, *, people: int, start: date, seed: int) -> People:
    """Draws ``people`` residents as they are on ``start``."""
    rng = np.random.default_rng([seed, 1])
    numbers = NumberBook(np.random.default_rng([seed, 2]), area_code=mix.population.area_code)
    accounts = AccountBook(np.random.default_rng([seed, 3]))
    traits = draw_traits(rng, mix.population, people=people, start=start)
    away = np.where(traits.floating, rng.choice(mix.population.away_region_codes, people), "")
    regions = np.where(traits.floating, away, rng.choice(mix.population.region_codes, people))
    id_numbers = draw_id_numbers(rng, regions=regions, births=traits.births, male=traits.male)

    two_sims = np.flatnonzero(
        (rng.random(people) < mix.population.two_sims_share) & (traits.age > 17)
    )
    shares = list(OPERATOR_SHARES.values())
    operators = [
        str(o) for o in rng.choice(list(OPERATOR_SHARES), people + len(two_sims), p=shares)
    ]
    numbers.issue_subscribers(operators)
    two_accounts = np.flatnonzero(rng.random(people) < mix.population.second_account_share)
    banks = [str(b) for b in rng.choice(FEED_BANKS, people + len(two_accounts))]
    accounts.issue(len(banks), banks=banks)
    registers = Registers(rng, mix, id_numbers, start=start)
    contacts, contact_count = _draw_contacts(rng, mix, numbers, people, grid=traits.grid)
    merchants = accounts.issue_merchants(max(600, people // 10))
    employers = accounts.issue(max(5, people // 40))
    everyone = np.arange(people)
    return People(
        **vars(traits),
        numbers=numbers,
        accounts=accounts,
        registers={
            "residents": registers.residents(traits),
            "subscribers": registers.subscribers(
                traits, numbers.texts, np.append(everyone, two_sims), operators
            ),
            "accounts": registers.accounts(
                accounts.texts, np.append(everyone, two_accounts), banks
            ),
        },
        id_numbers=id_numbers,
        second_number=_assign_positions(two_sims, people),
        second_account=_assign_positions(two_accounts, people),
        number_source=operators,
        account_source=banks,
        contacts=contacts,
        contact_count=contact_count,
        payees=_draw_payees(rng, accounts, people),
        merchants=merchants,
        favourites=merchants[(len(merchants) * rng.random((people, 10)) ** 1.5).astype(int)],
        employer=rng.choice(employers, people),
    )


def _assign_positions(owners: Ints, people: int) -> Ints:
    """Positions after the first ``people``, given to their owners; -1 for the others."""
    table = np.full(people, -1)
    table[owners] = people + np.arange(len(owners))
    return table


def _draw_contacts(
    rng: np.random.Generator, mix: Mix, numbers: NumberBook, people: int, *, grid: Ints
) -> tuple[Ints, Ints]:
    daily: Daily = mix.daily
    most = daily.contacts[1]
    outside = numbers.issue("mobile", people * 3)
    abroad_numbers = numbers.issue(
        "international", max(4, round(people * mix.population.abroad_share * 3))
    )
    contacts = outside[rng.integers(0, len(outside), (people, most))]
    # Neighbours of the same grid first, others from anywhere in the district.
    order = np.argsort(grid, kind="stable")
    place = np.empty(people, np.int64)
    place[order] = np.arange(people)
    near = order[(place[:, None] + rng.integers(1, 60, (people, most))) % people]
    anyone = rng.integers(0, people, (people, most))
    resident = np.where(rng.random((people, most)) < 0.5, near, anyone)
    local = (rng.random((people, most)) < daily.resident_contact_share) & (
        resident != np.arange(people)[:, None]
    )
    contacts = np.where(local, resident, contacts)
    abroad = rng.random(people) < mix.population.abroad_share
    contacts[abroad, 1] = abroad_numbers[rng.integers(0, len(abroad_numbers), int(abroad.sum()))]
    return contacts, rng.integers(daily.contacts[0], most + 1, people)


def _draw_payees(rng: np.random.Generator, accounts: AccountBook, people: int) -> Ints:
    outside = accounts.issue(people * 3)
    payees = outside[rng.integers(0, len(outside), (people, 8))]
    resident = rng.integers(0, people, (people, 8))
    local = (rng.random((people, 8)) < 0.4) & (resident != np.arange(people)[:, None])
    return np.where(local, resident, payees)
