"""The people of the district, with their numbers, accounts, contacts and payees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.simulate.mix import Daily, Mix
from pipelines.simulate.numbering import (
    FEED_BANKS,
    OPERATOR_SHARES,
    AccountBook,
    Floats,
    Ints,
    NumberBook,
    draw_id_numbers,
)

__all__ = ["People", "settle"]

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国志红梅文斌鑫宇浩然子轩雨欣怡佳琪思雪峰海波"
_STREETS = ("新华", "中山", "呼伦", "兴安", "锡林", "大学", "昭乌达", "乌兰察布", "成吉思汗", "鄂尔多斯")


@dataclass(frozen=True)
class People:
    """The residents as columns of shape (people,), and their registers as frames.

    Numbers and accounts stand as positions in their books; person ``i`` has number ``i`` and account ``i`` first.
    """

    numbers: NumberBook
    accounts: AccountBook
    registers: dict[str, pl.DataFrame]
    id_numbers: list[str]
    age: Ints
    floating: npt.NDArray[np.bool_]
    wealth: Floats  # 1 is the middle
    gullible: Floats  # mean 1, few have much of it
    sociable: Floats  # factor on calls, mean about 1
    trade: npt.NDArray[np.bool_]
    second_number: Ints  # -1: none
    second_account: Ints  # -1: none
    grid: Ints
    owner_of_number: Ints  # person of each subscriber's number
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

    def line(self, rng: np.random.Generator, person: Ints) -> Ints:
        """A number of each person: the second one a quarter of the time, where there is one."""
        second = self.second_number[person]
        return np.where((second >= 0) & (rng.random(len(person)) < 0.25), second, person)

    def purse(self, rng: np.random.Generator, person: Ints) -> Ints:
        """An account of each person: the second one a quarter of the time, where there is one."""
        second = self.second_account[person]
        return np.where((second >= 0) & (rng.random(len(person)) < 0.25), second, person)


def settle(mix: Mix, *, people: int, start: date, seed: int) -> People:
    """Draws ``people`` residents as they stand on ``start``."""
    rng = np.random.default_rng([seed, 1])
    who = mix.population
    numbers = NumberBook(np.random.default_rng([seed, 2]), area_code=who.area_code)
    accounts = AccountBook(np.random.default_rng([seed, 3]))
    age = np.clip(rng.normal(who.age_mean, who.age_sd, people), *who.age_range).astype(np.int64)
    floating = rng.random(people) < who.floating_share
    trade = (rng.random(people) < who.trade_share) & (age < 65)
    male = rng.random(people) < 0.51
    births = np.datetime64(start, "D") - (age * 365.2425 + rng.uniform(1, 364, people)).astype("timedelta64[D]")
    regions = np.where(floating, rng.choice(who.away_region_codes, people), rng.choice(who.region_codes, people))
    id_numbers = draw_id_numbers(rng, regions=regions, births=births, male=male)
    grid = rng.integers(0, max(1, round(people / who.people_per_grid)), people)
    wealth = np.exp(rng.normal(0, 0.55, people)) * np.interp(age, [16, 24, 45, 60, 92], [0.35, 0.7, 1.2, 1.1, 0.7])

    two_sims = np.flatnonzero((rng.random(people) < who.two_sims_share) & (age > 17))
    operators = [str(o) for o in rng.choice(list(OPERATOR_SHARES), people + len(two_sims), p=list(OPERATOR_SHARES.values()))]
    numbers.issue_subscribers(operators)
    two_accounts = np.flatnonzero(rng.random(people) < who.second_account_share)
    banks = [str(b) for b in rng.choice(FEED_BANKS, people + len(two_accounts))]
    accounts.issue(len(banks), banks=banks)
    merchants = accounts.issue_merchants(max(200, people // 12))
    owner_of_number = np.concatenate([np.arange(people), two_sims])
    owner_of_account = np.concatenate([np.arange(people), two_accounts])
    contacts, contact_count = _draw_contacts(rng, mix, numbers, people, grid)
    registers = {
        "residents": _residents(rng, mix, id_numbers, male=male, births=births, floating=floating, grid=grid),
        "subscribers": _subscribers(rng, mix, id_numbers, numbers.texts, owner_of_number, operators, floating, start),
        "accounts": _accounts(rng, id_numbers, accounts.texts, owner_of_account, banks, start),
    }
    return People(
        numbers=numbers,
        accounts=accounts,
        registers=registers,
        id_numbers=id_numbers,
        age=age,
        floating=floating,
        wealth=wealth,
        gullible=rng.gamma(0.7, 1 / 0.7, people),
        sociable=rng.gamma(2.2, 1 / 2.2, people) * np.where(trade, 2.2, 1) * np.interp(age, [16, 30, 60, 92], [0.8, 1.15, 1, 0.6]),
        trade=trade,
        second_number=_spread(two_sims, people),
        second_account=_spread(two_accounts, people),
        grid=grid,
        owner_of_number=owner_of_number,
        number_source=operators,
        account_source=banks,
        contacts=contacts,
        contact_count=contact_count,
        payees=_draw_payees(rng, accounts, people),
        merchants=merchants,
        favourites=merchants[np.minimum((len(merchants) * rng.random((people, 10)) ** 2).astype(int), len(merchants) - 1)],
        employer=accounts.issue(max(5, people // 40))[rng.integers(0, max(5, people // 40), people)],
    )


def _spread(owners: Ints, people: int) -> Ints:
    """Positions after the first ``people``, given to their owners; -1 for the others."""
    table = np.full(people, -1)
    table[owners] = people + np.arange(len(owners))
    return table


def _draw_contacts(
    rng: np.random.Generator, mix: Mix, numbers: NumberBook, people: int, grid: Ints
) -> tuple[Ints, Ints]:
    daily: Daily = mix.daily
    most = daily.contacts[1]
    outside = numbers.issue("mobile", people * 3)
    abroad_numbers = numbers.issue("international", max(4, round(people * mix.population.abroad_share * 3)))
    contacts = outside[rng.integers(0, len(outside), (people, most))]
    # Neighbours of the same grid first, others from anywhere in the district.
    order = np.argsort(grid, kind="stable")
    place = np.empty(people, np.int64)
    place[order] = np.arange(people)
    near = order[(place[:, None] + rng.integers(1, 60, (people, most))) % people]
    anyone = rng.integers(0, people, (people, most))
    resident = np.where(rng.random((people, most)) < 0.5, near, anyone)
    local = (rng.random((people, most)) < daily.resident_contact_share) & (resident != np.arange(people)[:, None])
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


def _residents(
    rng: np.random.Generator,
    mix: Mix,
    id_numbers: list[str],
    *,
    male: npt.NDArray[np.bool_],
    births: npt.NDArray[np.datetime64],
    floating: npt.NDArray[np.bool_],
    grid: Ints,
) -> pl.DataFrame:
    count = len(id_numbers)
    letters = rng.integers(0, len(_GIVEN), (count, 2))
    family = rng.integers(0, len(_SURNAMES), count)
    names = [
        _SURNAMES[f] + _GIVEN[a] + (_GIVEN[b] if two else "")
        for f, (a, b), two in zip(family, letters, rng.random(count) < 0.75, strict=True)
    ]
    streets = rng.integers(0, len(_STREETS), count)
    addresses = [
        f"{_STREETS[s]}路{house}号{flat}室"
        for s, house, flat in zip(streets, rng.integers(1, 180, count), rng.integers(101, 2800, count), strict=True)
    ]
    community = grid // mix.population.grids_per_community
    return pl.DataFrame(
        {
            "id_number": id_numbers,
            "name": names,
            "sex": np.where(male, "M", "F"),
            "birth_date": births.astype("datetime64[D]"),
            "residency": np.where(floating, "floating", "local"),
            "community_id": [f"C{c:03d}" for c in community],
            "grid_id": [f"G{g:04d}" for g in grid],
            "address": addresses,
        }
    )


def _subscribers(
    rng: np.random.Generator,
    mix: Mix,
    id_numbers: list[str],
    texts: list[str],
    owner: Ints,
    operators: list[str],
    floating: npt.NDArray[np.bool_],
    start: date,
) -> pl.DataFrame:
    count = len(owner)
    days = rng.uniform(100, 4000, count) * np.where(floating[owner], 0.4, 1.0)
    recent = rng.random(count) < mix.population.recycled_share
    days = np.where(recent, rng.uniform(1, 90, count), days)
    return pl.DataFrame(
        {
            "msisdn": texts[:count],
            "id_number": [id_numbers[i] for i in owner],
            "operator": operators,
            "activated_on": [start - timedelta(days=int(d)) for d in days],
        }
    )


def _accounts(
    rng: np.random.Generator, id_numbers: list[str], texts: list[str], owner: Ints, banks: list[str], start: date
) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "account_id": texts[: len(owner)],
            "id_number": [id_numbers[i] for i in owner],
            "bank": banks,
            "opened_on": [start - timedelta(days=int(d)) for d in rng.uniform(20, 5000, len(owner))],
        }
    )
