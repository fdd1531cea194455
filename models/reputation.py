"""Reputations: how likely a number belongs to a fraud, and how likely an account does, learned from reported cases.

Two small boosters over the state rows of ``features.standing``. They are asked at the moments at which residents met
the number or the account, so a reputation is that of the moment, not that of hindsight.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from features.evidence import Evidence
from features.standing import HAND_WRITTEN, NUMBER_INPUTS, PAYEE_INPUTS, Standing, number_states, payee_states
from features.timeline import Timeline, milliseconds

__all__ = ["Folded", "Reputations", "learn_reputations"]

Codes = npt.NDArray[np.int64]

BLOCKS = 3  # stretches of time; what is said of a number while learning comes from the other stretches
LEAST_NAMED = 20  # with fewer numbers named by cases the hand-written reputation speaks
EVENTS = 60_000  # meetings with numbers and accounts that no case names, to learn from
ODDS = 20.0  # a meeting with the other side against so many others: what a reputation of one half means
BURN_IN = timedelta(days=7)
ROUNDS = 120
PARAMS: Mapping[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 20,
    "feature_fraction": 0.6,
    "lambda_l2": 10.0,
    "extra_trees": True,
    "deterministic": True,
    "force_col_wise": True,
    "verbose": -1,
}


@dataclass(frozen=True, eq=False)
class Reputations:
    """What reported cases taught about numbers and accounts; where there were too few, what stands to reason."""

    number_booster: Any = None
    payee_booster: Any = None

    def numbers(self, states: pl.DataFrame) -> pl.Series:
        """0 to 1 for each row of ``number_states``."""
        if self.number_booster is None:
            return HAND_WRITTEN.numbers(states)
        return asked(self.number_booster, states, NUMBER_INPUTS)

    def payees(self, states: pl.DataFrame) -> pl.Series:
        """0 to 1 for each row of ``payee_states``."""
        if self.payee_booster is None:
            return HAND_WRITTEN.payees(states)
        return asked(self.payee_booster, states, PAYEE_INPUTS)


@dataclass(frozen=True, eq=False)
class Folded:
    """The same for the rows that another model learns from: each number is judged by what other times taught."""

    parts: tuple[Standing, ...]
    number_block: Codes
    payee_block: Codes

    def numbers(self, states: pl.DataFrame) -> pl.Series:
        """0 to 1 for each row of ``number_states``."""
        block = self.number_block[states["peer_code"].to_numpy()]
        return self._each(block, states, [part.numbers for part in self.parts])

    def payees(self, states: pl.DataFrame) -> pl.Series:
        """0 to 1 for each row of ``payee_states``."""
        block = self.payee_block[states["payee_code"].to_numpy()]
        return self._each(block, states, [part.payees for part in self.parts])

    @staticmethod
    def _each(block: Codes, states: pl.DataFrame, parts: list[Any]) -> pl.Series:
        found = np.zeros(len(states))
        for number, part in enumerate(parts):
            mine = block == number
            if mine.any():
                found[mine] = part(states.filter(pl.Series(mine))).to_numpy()
        return pl.Series("reputation", found)


def asked(booster: Any, states: pl.DataFrame, inputs: tuple[str, ...]) -> pl.Series:
    """The booster's answer for each row."""
    if not len(states):
        return pl.Series("reputation", [], dtype=pl.Float64)
    matrix = states.select(pl.col(inputs).cast(pl.Float64)).to_numpy()
    return pl.Series("reputation", np.asarray(booster.predict(matrix), dtype=np.float64))


def learn_reputations(evidence: Evidence, *, at: datetime, seed: int, threads: int = 2) -> tuple[Reputations, Folded]:
    """Reputations from the cases known before ``at``: those to use from then on, and those to learn further from.

    The second kind is out of fold by time: the boosters that judge a number saw only numbers of other stretches.
    """
    numbers = meetings(evidence, "number", at=at, seed=seed)
    payees = meetings(evidence, "payee", at=at, seed=seed)
    fitted = [
        Reputations(
            fit(numbers, NUMBER_INPUTS, without=block, seed=seed, threads=threads),
            fit(payees, PAYEE_INPUTS, without=block, seed=seed, threads=threads),
        )
        for block in (None, *range(BLOCKS))
    ]
    number_block, payee_block = (
        blocks(evidence.peers, len(evidence.peer_names), numbers),
        blocks(evidence.payees, len(evidence.payee_names), payees),
    )
    return fitted[0], Folded(tuple(fitted[1:]), number_block, payee_block)


def meetings(evidence: Evidence, kind: str, *, at: datetime, seed: int) -> pl.DataFrame:
    """State rows at the moments when residents met strangers, with ``label``, ``weight`` and ``block``.

    Label 1 where a case known before ``at`` names the number or account; every one of these counts with the root of
    its meetings, so that the busiest do not drown the others.
    """
    is_number = kind == "number"
    log, named, code = (
        (evidence.strangers.events, evidence.named_peers, "peer_code")
        if is_number
        else (evidence.new_payees.events.filter("is_debit"), evidence.named_payees, "payee_code")
    )
    start = evidence.contacts.events["known_at"].min()
    if not isinstance(start, datetime):
        return pl.DataFrame()
    bad = named.filter(pl.col("named_at") < at).select(pl.col("code").cast(pl.Int64).alias(code), label=pl.lit(1))
    met = (
        log.filter(pl.col("known_at").is_between(start + BURN_IN, at, closed="left"))
        .select(pl.col(code).cast(pl.Int64), at=pl.col("known_at").dt.truncate("15m").dt.offset_by("15m"))
        .filter(pl.col("at") <= at)
        .unique(maintain_order=True)
        .join(bad, on=code, how="left", maintain_order="left")
        .with_columns(pl.col("label").fill_null(0))
    )
    theirs, others = met.filter(pl.col("label") == 1), met.filter(pl.col("label") == 0)
    rows = pl.concat([theirs, others.sample(min(EVENTS, len(others)), seed=seed)])
    at_ms, keys = milliseconds(rows["at"]), rows[code].to_numpy()
    states = (
        number_states(evidence, peer=keys, at_ms=at_ms)
        if is_number
        else payee_states(evidence, payee=keys, at_ms=at_ms)
    )
    weight = pl.when(pl.col("label") == 1).then(1 / pl.len().over(code).sqrt()).otherwise(1.0)
    rows = states.with_columns(rows["label"]).with_columns(weight=weight)
    seen = first_seen(evidence.peers if is_number else evidence.payees)
    return rows.join(seen, left_on=code, right_on="owner", how="left", maintain_order="left")


def first_seen(timeline: Timeline) -> pl.DataFrame:
    """``owner`` and ``first_at``, in whole milliseconds: when the first record of each number or account was known."""
    return timeline.events.group_by(pl.col("owner").cast(pl.Int64)).agg(first_at=pl.col("known_at").min())


def blocks(timeline: Timeline, count: int, rows: pl.DataFrame) -> Codes:
    """For each code the stretch of time in which it was first seen; the stretches hold as many named ones each."""
    seen = first_seen(timeline)
    found = np.zeros(count, dtype=np.int64)
    if len(rows):
        found[seen["owner"].to_numpy()] = block_of(seen["first_at"], rows)
    return found


def block_of(first_at: pl.Series, rows: pl.DataFrame) -> Codes:
    """The stretch of each moment."""
    named = rows.filter(pl.col("label") == 1)["first_at"]
    if not len(named):
        return np.zeros(len(first_at), dtype=np.int64)
    marks = np.quantile(named.dt.epoch("ms").to_numpy(), [(k + 1) / BLOCKS for k in range(BLOCKS - 1)])
    return np.searchsorted(marks, first_at.dt.epoch("ms").to_numpy(), side="right").astype(np.int64)


def fit(rows: pl.DataFrame, inputs: tuple[str, ...], *, without: int | None, seed: int, threads: int) -> Any:
    """A booster from the rows of every stretch but one; None with too few named ones or nothing to tell them by."""
    import lightgbm as lgb

    if not len(rows):
        return None
    kept = rows if without is None else rows.filter(pl.Series(block_of(rows["first_at"], rows) != without))
    labels = kept["label"].to_numpy()
    key = kept.columns[0]
    if kept.filter(pl.col("label") == 1)[key].n_unique() < LEAST_NAMED:
        return None
    weight = kept["weight"].to_numpy()
    theirs = labels == 1
    weight = np.where(theirs, weight / weight[theirs].sum(), weight / weight[~theirs].sum() * ODDS) * len(kept) / ODDS
    matrix = kept.select(pl.col(inputs).cast(pl.Float64)).to_numpy()
    data = lgb.Dataset(matrix, labels, weight=weight, feature_name=list(inputs))
    booster = lgb.train({**PARAMS, "seed": seed, "num_threads": threads}, data, ROUNDS)
    return booster if booster.num_trees() > 1 else None  # a lone tree has no branch: it says the same of everyone
