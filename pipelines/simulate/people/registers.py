"""The registers that departments deliver whole: residents, subscribers, accounts."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from pipelines.simulate.mix.district_mix import Mix
from pipelines.simulate.people.numbering import Ints
from pipelines.simulate.people.traits import Traits

__all__ = ["Registers"]

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于"
    "董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
)
_GIVEN_NAMES = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国"
    "志红梅文斌鑫宇浩然子轩雨欣怡佳琪思雪峰海波"
)
_STREETS = (
    "新华",
    "中山",
    "呼伦",
    "兴安",
    "锡林",
    "大学",
    "昭乌达",
    "乌兰察布",
    "成吉思汗",
    "鄂尔多斯",
)


class Registers:
    """Writes drawn residents as registers; ``owner`` gives the person of each number or account."""

    def __init__(
        self, rng: np.random.Generator, mix: Mix, id_numbers: list[str], *, start: date
    ) -> None:
        self._rng, self._mix, self._id_numbers, self._start = rng, mix, id_numbers, start

    def residents(self, traits: Traits) -> pl.DataFrame:
        """The full register of residents."""
        community = traits.grid // self._mix.population.grids_per_community
        return pl.DataFrame(
            {
                "id_number": self._id_numbers,
                "name": self._names(),
                "sex": np.where(traits.male, "M", "F"),
                "birth_date": traits.births.astype("datetime64[D]"),
                "residency": np.where(traits.floating, "floating", "local"),
                "community_id": [f"C{c:03d}" for c in community],
                "grid_id": [f"G{g:04d}" for g in traits.grid],
                "address": self._addresses(),
            }
        )

    def subscribers(
        self, traits: Traits, numbers: list[str], owner: Ints, operators: list[str]
    ) -> pl.DataFrame:
        """Who holds which number since when; some numbers are young, as if recycled."""
        rng, count = self._rng, len(owner)
        days = rng.uniform(100, 4000, count) * np.where(traits.floating[owner], 0.4, 1.0)
        recent = rng.random(count) < self._mix.population.recycled_share
        days = np.where(recent, rng.uniform(1, 90, count), days)
        return pl.DataFrame(
            {
                "msisdn": numbers[:count],
                "id_number": [self._id_numbers[i] for i in owner],
                "operator": operators,
                "activated_on": [self._start - timedelta(days=int(d)) for d in days],
            }
        )

    def accounts(self, accounts: list[str], owner: Ints, banks: list[str]) -> pl.DataFrame:
        """Who holds which account at which bank since when."""
        days = self._rng.uniform(20, 5000, len(owner))
        return pl.DataFrame(
            {
                "account_id": accounts[: len(owner)],
                "id_number": [self._id_numbers[i] for i in owner],
                "bank": banks,
                "opened_on": [self._start - timedelta(days=int(d)) for d in days],
            }
        )

    def _names(self) -> list[str]:
        rng, count = self._rng, len(self._id_numbers)
        family = rng.integers(0, len(_SURNAMES), count)
        given = rng.integers(0, len(_GIVEN_NAMES), (count, 2))
        long = rng.random(count) < 0.75
        return [
            _SURNAMES[f] + _GIVEN_NAMES[a] + (_GIVEN_NAMES[b] if two else "")
            for f, (a, b), two in zip(family, given, long, strict=True)
        ]

    def _addresses(self) -> list[str]:
        rng, count = self._rng, len(self._id_numbers)
        places = zip(
            rng.choice(_STREETS, count),
            rng.integers(1, 180, count),
            rng.integers(101, 2800, count),
            strict=True,
        )
        return [f"{street}路{house}号{flat}室" for street, house, flat in places]
