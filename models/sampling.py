"""Which moments to learn from: those at which the system would have been asked."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from features.evidence import Evidence

__all__ = ["Sampling", "everyone", "touches", "training_moments"]

TICK = "15m"
SCHEMA = pl.Schema(
    {
        "person": pl.String(),
        "at": pl.Datetime("us", "Asia/Shanghai"),
        "label": pl.Int8(),
        "weight": pl.Float64(),
        "share": pl.Float64(),
        "case_id": pl.String(),
        "scam_type": pl.String(),
    }
)


@dataclass(frozen=True)
class Sampling:
    """How many quiet moments stand against the live ones, and how much an episode weighs."""

    negatives: int = 150_000
    episode_weight: float = 100.0
    late_weight: float = 0.25  # a moment after the main payment, against one before it
    burn_in_days: int = 7  # nothing is learnt from these, after the first event: everybody is a stranger to everybody
    every: str = TICK  # the clock whose ticks are learnt from


def touches(evidence: Evidence, *, start: datetime, end: datetime, every: str) -> pl.DataFrame:
    """``person``, ``at``: for each event known in ``[start, end)`` the first tick strictly after it.

    ``every`` is a Polars duration such as ``15m``. Ticks come in order, and lie in ``(start, end]`` if ``end`` is one.
    """
    logs = (evidence.contacts, evidence.payments)
    events = pl.concat([log.events.lazy().select("owner", "known_at") for log in logs])
    return (
        events.filter(pl.col("known_at").is_between(start, end, closed="left"))
        .select("owner", at=pl.col("known_at").dt.truncate(every).dt.offset_by(every))
        .unique()
        .join(evidence.people.lazy().select("person", owner="code"), on="owner")
        .select("person", "at")
        .sort("at", "person")
        .collect()
    )


def everyone(evidence: Evidence, *, at: datetime) -> pl.DataFrame:
    """``person``, ``at``: every resident at one moment."""
    moment = pl.lit(at).cast(evidence.contacts.events.schema["known_at"])
    return evidence.people.select("person", at=moment)


def training_moments(
    evidence: Evidence, episodes: pl.DataFrame, *, at: datetime, sampling: Sampling, seed: int
) -> pl.DataFrame:
    """What to learn from before ``at``.

    Columns: ``person``, ``at``, ``label``, ``weight``, ``share``, ``case_id``, ``scam_type``.

    Live moments are the ticks at which a person in an episode was touched, after its first trace and up to its last
    payment; each episode weighs the same, moments before the main payment more than those after. Quiet moments are
    drawn from everyone else; the persons of known cases are left out, as nobody knows when their story began.
    ``share`` is how many real moments a row stands for, for calibration.
    """
    start = first_known(evidence)
    if start is None:
        return pl.DataFrame(schema=SCHEMA)
    warm = start + timedelta(days=sampling.burn_in_days)
    ticks = touches(evidence, start=warm, end=at, every=sampling.every).filter(pl.col("at") < at)
    live = (
        ticks.join(episodes, on="person", maintain_order="left_right")
        .filter(pl.col("at") > pl.col("opened_at"), pl.col("at") <= pl.col("closed_at"))
        .unique(["person", "at"], keep="first", maintain_order=True)
        .with_columns(late=(pl.col("at") > pl.col("main_at")).fill_null(False))
        .with_columns(part=pl.when("late").then(sampling.late_weight).otherwise(1.0))
        .with_columns(weight=sampling.episode_weight * pl.col("part") / pl.col("part").sum().over("case_id"))
        .select(
            "person",
            "at",
            pl.lit(1, pl.Int8).alias("label"),
            "weight",
            pl.lit(1.0).alias("share"),
            "case_id",
            "scam_type",
        )
    )
    quiet = ticks.join(episodes, on="person", how="anti", maintain_order="left")
    drawn = quiet.sample(min(len(quiet), sampling.negatives), seed=seed)
    share = len(quiet) / max(1, len(drawn))
    rest = drawn.with_columns(
        label=pl.lit(0, pl.Int8),
        weight=pl.lit(share),
        share=pl.lit(share),
        case_id=pl.lit(None, pl.String),
        scam_type=pl.lit(None, pl.String),
    )
    return pl.concat([live, rest])


def first_known(evidence: Evidence) -> datetime | None:
    """When the first of all calls and payments was known, None without any."""
    firsts = [log.events["known_at"].min() for log in (evidence.contacts, evidence.payments)]
    return min((first for first in firsts if isinstance(first, datetime)), default=None)


def folds(persons: pl.Series, *, count: int, seed: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """A fold for each row, the same for all rows of a person."""
    spread = persons.hash(seed=seed).to_numpy()
    return np.asarray(spread % np.uint64(count), dtype=np.int64)
