"""Reputations: how likely a number belongs to a fraud, and how likely an account does, learned from
reported cases.

Two small boosters over the state rows of ``features.reputation``. They are learned at the
moments at which residents had contact with the number or the account, so a reputation is that of
the moment, not that of hindsight.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from features.catalogue.definitions import CounterpartyKind
from features.counterparties import COUNTERPARTIES, Counterparties
from features.event_index import EventIndex
from features.kernel.segment import to_milliseconds
from features.reputation import HAND_WRITTEN_REPUTATION, ReputationModel
from models.labels.drawn_people import EVERYBODY, DrawnPeople

__all__ = ["LearnedReputation", "OutOfFoldReputation", "learn_reputation"]

Codes = npt.NDArray[np.int64]

BLOCKS = (
    6  # stretches of time; what is said at a moment while learning comes from the other stretches
)
MIN_NAMED = 20  # with fewer numbers named by cases the hand-written reputation speaks
MAX_NEGATIVES = 60_000  # meetings with numbers and accounts that no case names, to learn from
# One contact with a fraudster against so many others: that is what a reputation of one half means.
NEGATIVES_PER_POSITIVE = 20.0
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
class LearnedReputation:
    """What reported cases taught about numbers and accounts: a booster for each kind; without one
    the hand-written formula speaks.
    """

    boosters: Mapping[CounterpartyKind, Any] = field(default_factory=dict)

    def score(self, states: pl.DataFrame, *, of: Counterparties) -> pl.Series:
        """0 to 1 for each row of ``of.states``."""
        booster = self.boosters.get(of.kind)
        if booster is None:
            return HAND_WRITTEN_REPUTATION.score(states, of=of)
        return predicted_reputation(booster, states, of.inputs)


@dataclass(frozen=True, eq=False)
class Stretches:
    """The stretches of time of one kind of counterparty: ``boundaries`` (milliseconds since 1970)
    end all but the last; ``named`` holds the stretch of each named one by its code, and -1 for the
    others.
    """

    boundaries: Codes
    named: Codes

    def of(self, codes: Codes, at_ms: pl.Series) -> Codes:
        """The stretch that a query point belongs to: that of the named one, else of the moment."""
        own = self.named[codes]
        return np.where(own >= 0, own, block_at(at_ms, self.boundaries))


@dataclass(frozen=True, eq=False)
class OutOfFoldReputation:
    """The same for the rows that another model learns from: each moment is judged by what other
    stretches taught.

    A number or account that a case names is judged by the model that saw nothing of it, at all
    moments; all others by that which saw nothing of the stretch of the moment.
    """

    parts: tuple[ReputationModel, ...]
    stretches: Mapping[CounterpartyKind, Stretches]

    def score(self, states: pl.DataFrame, *, of: Counterparties) -> pl.Series:
        """0 to 1 for each row of ``of.states``."""
        found = np.zeros(len(states))
        stretch = self.stretches[of.kind].of(states[of.code].to_numpy(), states["at_ms"])
        for number, part in enumerate(self.parts):
            mine = stretch == number
            if mine.any():
                found[mine] = part.score(states.filter(pl.Series(mine)), of=of).to_numpy()
        return pl.Series("reputation", found)


def predicted_reputation(booster: Any, states: pl.DataFrame, inputs: tuple[str, ...]) -> pl.Series:
    """The booster's answer for each row."""
    if not len(states):
        return pl.Series("reputation", [], dtype=pl.Float64)
    matrix = states.select(pl.col(inputs).cast(pl.Float64)).to_numpy()
    return pl.Series("reputation", np.asarray(booster.predict(matrix), dtype=np.float64))


def learn_reputation(
    event_index: EventIndex,
    *,
    at: datetime,
    seed: int,
    threads: int = 2,
    drawn: DrawnPeople = EVERYBODY,
) -> tuple[LearnedReputation, OutOfFoldReputation]:
    """Reputations from the cases known before ``at``: those to use from then on, and those to learn
    further from.

    The second kind is out of fold by time: see :class:`OutOfFoldReputation`. Were one of the two
    learned and the other not, or were it to know only some ages, a model would learn from other
    leads than it scores in use; so all are learned or none. Meetings with counterparties that no
    case names are those of ``drawn`` people.
    """
    boosters: dict[CounterpartyKind, list[Any]] = {}
    stretches: dict[CounterpartyKind, Stretches] = {}
    for of in COUNTERPARTIES:
        rows = contact_samples(event_index, of, at=at, seed=seed, drawn=drawn)
        boundaries = block_boundaries(rows)
        boosters[of.kind] = fit_blocks(rows, of.inputs, boundaries, seed=seed, threads=threads)
        named = blocks_of_named(rows, boundaries, count=len(of.register(event_index)))
        stretches[of.kind] = Stretches(boundaries, named)
    to_use, *folds = [
        LearnedReputation({kind: found[place] for kind, found in boosters.items() if found})
        for place in range(BLOCKS + 1)
    ]
    return to_use, OutOfFoldReputation(tuple(folds), stretches)


def contact_samples(
    event_index: EventIndex,
    of: Counterparties,
    *,
    at: datetime,
    seed: int,
    drawn: DrawnPeople = EVERYBODY,
) -> pl.DataFrame:
    """State rows at the moments when residents met strangers, with ``label`` and ``weight``.

    Label 1 where a case known before ``at`` names the number or account; every one of these counts
    with the root of its meetings, so that the busiest do not drown the others. The meetings of the
    label 0 are those of ``drawn`` people.
    """
    start = event_index.contacts.first_known_at
    if start is None:
        return pl.DataFrame()
    named_codes = (
        of.named(event_index)
        .filter(pl.col("named_at") < at)
        .select(pl.col("code").cast(pl.Int64).alias(of.code), label=pl.lit(1))
    )
    relationships = of.relationships(event_index)
    is_named = pl.col(of.code).is_in(named_codes[of.code].implode())
    met = pl.concat(
        relationships.known_between(start + BURN_IN, at, where=of.met & chosen, owner=owner)
        for chosen, owner in ((is_named, None), (~is_named, drawn.codes))
    )
    met = met.with_columns(at=pl.col("known_at").dt.truncate("15m").dt.offset_by("15m")).filter(
        pl.col("at") <= at
    )
    contacts = (
        met.filter(~of.set_aside(event_index, met))
        .select(pl.col(of.code).cast(pl.Int64), "at")
        .unique()
        .join(named_codes, on=of.code, how="left")
        .with_columns(pl.col("label").fill_null(0))
    )
    # In the order of names: what is drawn must not depend on which codes they were given.
    place = of.register(event_index)["order"].gather(contacts[of.code])
    contacts = contacts.with_columns(place=place).sort("at", "place").drop("place")
    theirs, others = contacts.filter(pl.col("label") == 1), contacts.filter(pl.col("label") == 0)
    rows = pl.concat([theirs, others.sample(min(MAX_NEGATIVES, len(others)), seed=seed)])
    states = of.states(
        event_index, codes=rows[of.code].to_numpy(), at_ms=to_milliseconds(rows["at"])
    )
    weight = pl.when(pl.col("label") == 1).then(1 / pl.len().over(of.code).sqrt()).otherwise(1.0)
    return states.with_columns(rows["label"]).with_columns(weight=weight)


def first_contacts(rows: pl.DataFrame) -> pl.DataFrame:
    """When each named number or account was first met: its code and ``at_ms``."""
    return rows.filter(pl.col("label") == 1).group_by(rows.columns[0]).agg(pl.col("at_ms").min())


def block_boundaries(rows: pl.DataFrame) -> Codes:
    """The moments that part the stretches, in milliseconds: each holds as many first meetings with
    named ones.
    """
    firsts = first_contacts(rows)["at_ms"] if len(rows) else pl.Series([], dtype=pl.Int64)
    if not len(firsts):
        return np.zeros(BLOCKS - 1, dtype=np.int64)
    parts = [(number + 1) / BLOCKS for number in range(BLOCKS - 1)]
    return np.asarray(np.quantile(firsts.to_numpy(), parts), dtype=np.int64)


def blocks_of_named(rows: pl.DataFrame, boundaries: Codes, *, count: int) -> Codes:
    """For each code the stretch in which what is named was first met, -1 for what is not."""
    found = np.full(count, -1, dtype=np.int64)
    if len(rows):
        firsts = first_contacts(rows)
        found[firsts[rows.columns[0]].to_numpy()] = block_at(firsts["at_ms"], boundaries)
    return found


def block_at(at_ms: pl.Series, boundaries: Codes) -> Codes:
    """The stretch of each moment."""
    return np.searchsorted(boundaries, at_ms.to_numpy(), side="right").astype(np.int64)


def fit_blocks(
    rows: pl.DataFrame, inputs: tuple[str, ...], boundaries: Codes, *, seed: int, threads: int
) -> list[Any]:
    """The booster to use, then one for each stretch; empty where one has too few to learn from.

    ``threads`` of them grow at a time.
    """
    if not len(rows):
        return []
    fit = partial(fit_booster, rows, inputs, boundaries, seed=seed)
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(lambda block: fit(without=block), (None, *range(BLOCKS))))
    return found if all(booster is not None for booster in found) else []


def fit_booster(
    rows: pl.DataFrame,
    inputs: tuple[str, ...],
    boundaries: Codes,
    *,
    without: int | None,
    seed: int,
) -> Any:
    """A booster from all rows, or from those outside a stretch and without what is named and was
    first met in it.

    None with too few named ones or nothing to tell them by.
    """
    import lightgbm as lgb

    key, kept = rows.columns[0], rows
    if without is not None:
        firsts = first_contacts(rows)
        named_then = firsts.filter(pl.Series(block_at(firsts["at_ms"], boundaries) == without))[key]
        then = pl.Series(block_at(rows["at_ms"], boundaries) == without)
        kept = rows.filter(~then, ~pl.col(key).is_in(named_then.implode()))
    labels = kept["label"].to_numpy()
    if kept.filter(pl.col("label") == 1)[key].n_unique() < MIN_NAMED:
        return None
    weight = kept["weight"].to_numpy()
    theirs = labels == 1
    weight = (
        np.where(
            theirs,
            weight / weight[theirs].sum(),
            weight / weight[~theirs].sum() * NEGATIVES_PER_POSITIVE,
        )
        * len(kept)
        / NEGATIVES_PER_POSITIVE
    )
    matrix = kept.select(pl.col(inputs).cast(pl.Float64)).to_numpy()
    data = lgb.Dataset(matrix, labels, weight=weight, feature_name=list(inputs))
    booster = lgb.train({**PARAMS, "seed": seed, "num_threads": 1}, data, ROUNDS)
    return (
        booster if booster.num_trees() > 1 else None
    )  # a lone tree has no branch: it says the same of everyone
