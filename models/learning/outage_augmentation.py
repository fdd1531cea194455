"""Outages to learn from: a share of the samples is computed as if an operator or a bank had been
missing.

A model that never saw an outage takes a person whose operator is silent for one who makes no calls.
So outages are drawn over the training time, some of the people whom they would have struck are laid
out a second time without the records that they would have cost, and some of their samples are
computed from that. What numbers and accounts do to the district is taken as it was. The features
of the group ``feeds`` show the model which is which.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from features.entities.feeds import Feeds
from features.event_index import EventIndex, index_with_people_anew
from features.kernel.source_tables import SourceTables
from features.point_in_time import build_snapshot
from features.reputation import ReputationModel
from models.labels.sampling import first_known_at
from models.learning.boosters import Say, say_nothing

__all__ = [
    "OUTAGE_SHARE",
    "BuildPieces",
    "Outage",
    "build_in_turn",
    "draw_outages",
    "drop_lost_records",
    "hit_by_outage",
    "snapshot_with_outages",
]

Flags = npt.NDArray[np.bool_]
# The snapshots of some pieces of query points, in their order.
BuildPieces = Callable[
    [EventIndex, ReputationModel, Sequence[pl.DataFrame]], Iterable[pl.DataFrame]
]

OUTAGE_SHARE = 0.15  # of the moments, where outages are learned from
DAY = timedelta(days=1)
PIECE = 10_000  # moments whose features are computed before it is told
MAX_OUTAGE_DAYS = 7  # the longest outage that ends
MAX_CALM_DAYS = (
    2  # the longest time from the end of one outage to the start of the next in the same dataset
)
PERMANENT_CHANCE = 0.15  # the chance that a source does not come back


@dataclass(frozen=True)
class Outage:
    """A source of ``dataset`` delivers nothing from ``start_at`` until ``end_at``; None: it never
    comes back.
    """

    dataset: Literal["calls", "transfers"]
    source: str
    start_at: datetime
    end_at: datetime | None = None

    @property
    def lost_records(self) -> pl.Expr:
        """Which records of the dataset it costs."""
        known_at = pl.col("known_at")
        lost = (pl.col("source") == self.source) & (known_at >= self.start_at)
        return lost if self.end_at is None else lost & (known_at < self.end_at)


def draw_outages(
    event_index: EventIndex, *, start: datetime, end: datetime, seed: int
) -> tuple[Outage, ...]:
    """Outages that begin in ``[start, end)``, of one to seven days or for ever, of the sources that
    deliver.
    """
    rng = np.random.default_rng([seed, 7])
    return (
        *draw_source_outages("calls", event_index.call_feeds, start=start, end=end, rng=rng),
        *draw_source_outages(
            "transfers", event_index.transfer_feeds, start=start, end=end, rng=rng
        ),
    )


def draw_source_outages(
    dataset: Literal["calls", "transfers"],
    feeds: Feeds,
    *,
    start: datetime,
    end: datetime,
    rng: np.random.Generator,
) -> Iterator[Outage]:
    """One after the other with calm days between; the last of several sources always returns."""
    delivering = list(feeds.delivering_sources)
    start += DAY * int(rng.integers(1, MAX_CALM_DAYS + 1))
    while delivering and start < end:
        source = delivering[int(rng.integers(len(delivering)))]
        back = start + DAY * int(rng.integers(1, MAX_OUTAGE_DAYS + 1))
        if rng.random() < PERMANENT_CHANCE and len(delivering) > 1:
            delivering.remove(source)
            yield Outage(dataset, source, start)
        else:
            yield Outage(dataset, source, start, back)
        start = back + DAY * int(rng.integers(1, MAX_CALM_DAYS + 1))


def drop_lost_records(tables: SourceTables, outages: Sequence[Outage]) -> SourceTables:
    """``tables`` as they would have come had these outages happened."""
    kept = {
        dataset: pl.all_horizontal(
            pl.lit(True),
            *(~one.lost_records.fill_null(False) for one in outages if one.dataset == dataset),
        )
        for dataset in ("calls", "transfers")
    }
    return replace(
        tables,
        calls=tables.calls.filter(kept["calls"]),
        transfers=tables.transfers.filter(kept["transfers"]),
    )


def hit_by_outage(
    event_index: EventIndex, moments: pl.DataFrame, outages: Sequence[Outage]
) -> Flags:
    """Whether at each moment (``person``, ``at``) a source that serves the person is out."""
    points = moments.select("person", "at").join(
        event_index.people.select("person", "code"), on="person", how="left", maintain_order="left"
    )
    owner, at = points["code"].to_numpy(), points["at"]
    found = np.zeros(len(points), dtype=np.bool_)
    for one in outages:
        feeds = event_index.call_feeds if one.dataset == "calls" else event_index.transfer_feeds
        during = (
            at > one.start_at if one.end_at is None else (at > one.start_at) & (at <= one.end_at)
        )
        found |= feeds.served[one.source][owner] & during.to_numpy()
    return found


def choose_balanced(
    affected: Flags, labels: npt.NDArray[np.int8], *, outage_share: float, seed: int
) -> Flags:
    """About ``outage_share`` of all moments, out of those that are ``affected``, and as large a
    part of each label.

    If outages affected fewer positive samples than negative ones, which happens by chance with few
    episodes, the model would learn that an outage is a good sign. So where one label is affected
    less than ``outage_share``, no other is affected more often.
    """
    rates = {label: float(affected[labels == label].mean()) for label in np.unique(labels)}
    rate = min([outage_share, *rates.values()])
    chance = np.zeros(len(affected))
    for label, hit_rate in rates.items():
        chance[labels == label] = rate / hit_rate if hit_rate else 0.0
    return np.asarray(affected & (np.random.default_rng([seed, 8]).random(len(affected)) < chance))


def build_in_turn(
    event_index: EventIndex, reputation_model: ReputationModel, pieces: Sequence[pl.DataFrame]
) -> Iterator[pl.DataFrame]:
    """The snapshot of each piece, one after the other."""
    for piece in pieces:
        yield build_snapshot(event_index, piece, reputation_model=reputation_model)


def snapshot_with_outages(
    event_index: EventIndex,
    tables: SourceTables,
    moments: pl.DataFrame,
    *,
    reputation_model: ReputationModel,
    at: datetime,
    outage_share: float,
    seed: int,
    build: BuildPieces = build_in_turn,
    say: Say = say_nothing,
) -> pl.DataFrame:
    """The snapshot of ``moments``, about ``outage_share`` of them seen through outages; rows in the
    order of ``moments``.

    ``moments`` has ``person``, ``at`` and ``label``. ``event_index`` was built from ``tables``, of
    which nothing known from ``at`` on is used a second time. ``build`` computes the
    pieces; ``say`` hears how many moments are done.
    """
    points = moments.select("person", "at")
    snapshot_of = partial(counted_snapshot, reputation_model=reputation_model, build=build, say=say)
    start = first_known_at(event_index)
    outages = (
        draw_outages(event_index, start=start, end=at, seed=seed) if outage_share and start else ()
    )
    affected = choose_balanced(
        hit_by_outage(event_index, points, outages),
        moments["label"].to_numpy(),
        outage_share=outage_share,
        seed=seed,
    )
    if not affected.any():
        return snapshot_of(event_index, points)
    seen = snapshot_of(event_index, points.filter(~affected))
    say("computing features as if sources had been missing")
    struck = points.filter(affected)
    owners = event_index.people.join(struck, on="person", how="semi")["code"]
    reduced = index_with_people_anew(
        event_index, drop_lost_records(tables.known_before(at), outages), owners
    )
    unseen = snapshot_of(reduced, struck)
    place = np.concatenate([np.flatnonzero(~affected), np.flatnonzero(affected)])
    return pl.concat([seen, unseen])[np.argsort(place)]


def counted_snapshot(
    event_index: EventIndex,
    points: pl.DataFrame,
    *,
    reputation_model: ReputationModel,
    build: BuildPieces,
    say: Say,
) -> pl.DataFrame:
    """The snapshot of ``points``, made piece by piece so that ``say`` hears of each."""
    pieces = [points[start : start + PIECE] for start in range(0, max(1, len(points)), PIECE)]
    snapshots, done = [], 0
    for snapshot in build(event_index, reputation_model, pieces):
        snapshots.append(snapshot)
        done += len(snapshot)
        say(f"computing features: {done:,} of {len(points):,} moments")
    return pl.concat(snapshots)
