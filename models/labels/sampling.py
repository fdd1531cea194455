"""Which query points to learn from: those at which the system would have scored somebody."""

import math
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from features.entities.mass_numbers import never_set_aside
from features.entities.number_profiles import peer_state
from features.event_index import EventIndex
from features.kernel.segment import to_milliseconds
from features.whom_to_ask import ticks_after_all_events
from models.labels.drawn_people import EVERYBODY, DrawnPeople
from models.labels.exposed_people import exposed_spans
from models.labels.frames import TrainingSample

__all__ = [
    "Sampling",
    "concat_people",
    "draw_training_samples",
]

TICK = "15m"
POST_LOSS_GRACE = timedelta(hours=3)  # after the last payment another might still follow
POST_LOSS_WINDOW = timedelta(days=7)
HARD_NEGATIVE_WINDOW = timedelta(hours=12)
HARD_NEGATIVE_MIN_TALK_S = 180
HARD_NEGATIVE_MIN_REACH = 3  # a number that is new in the district and already reached so many
HARD_NEGATIVE_MAX_AGE_D = 20


@dataclass(frozen=True)
class Sampling:
    """How many negative samples there are for the positive ones, and how much a positive one
    weighs.

    An episode of ``n`` moments weighs ``positive_weight`` times the root of ``n``: were every
    moment to weigh the same, the long courtships would drown the two hours of a fake policeman;
    were every episode to, the reverse.
    """

    negatives: int = 150_000
    hard_negative_share: float = (
        0.7  # of the negative samples, those soon after something that could have begun a fraud
    )
    positive_weight: float = 20.0
    late_weight: float = 0.25  # a moment after the main payment, against one before it
    # Nothing is learned from the first days: there everybody is a stranger to everybody.
    burn_in_days: int = 7
    every: str = TICK  # the clock whose ticks are learnt from
    # Those whom a named number or account reached are no negative samples, for a while.
    without_exposed: bool = False


def draw_training_samples(
    event_index: EventIndex,
    episodes: pl.DataFrame,
    *,
    at: datetime,
    sampling: Sampling,
    seed: int,
    lawful: pl.DataFrame | None = None,
    unclear: pl.DataFrame | None = None,
    drawn: DrawnPeople = EVERYBODY,
) -> pl.DataFrame:
    """What to learn from before ``at``.

    Columns: ``person``, ``at``, ``label``, ``weight``, ``sampling_weight``, ``case_id``,
    ``scam_type``.

    Positive samples are the ticks at which a person in an episode had an event, after its first
    trace and up to its last payment; moments before the main payment weigh more than those after.
    Negative samples are drawn from everyone else, most of them from the :func:`hard_negatives`; a
    person of a known case gives some only in the week after the last payment, as nobody knows when
    the episode began. ``lawful`` and ``unclear`` are spans (``person``, ``start_at``, ``end_at``;
    the lawful ones with the ``weight`` of each) from dispositions: all moments of the lawful ones
    are negative samples, those of the unclear ones are left out. Quiet moments are those of the
    ``drawn`` people alone. ``sampling_weight`` is how many real moments a row stands for, for
    calibration.
    """
    start = first_known_at(event_index)
    if start is None:
        return TrainingSample.create_empty()
    warm = start + timedelta(days=sampling.burn_in_days)
    if sampling.without_exposed:
        exposed = exposed_spans(event_index, at=at)
        unclear = exposed if unclear is None else pl.concat([unclear, exposed])
    known_people = concat_people(episodes, lawful, unclear)
    known = event_index.people.filter(pl.col("person").is_in(known_people.implode()))["code"]
    owner = drawn.with_others(known.cast(pl.Int64).to_numpy())
    ticks = ticks_after_all_events(
        event_index, start=warm, end=at, every=sampling.every, owner=owner
    ).filter(pl.col("at") < at)
    positives = (
        ticks.join(episodes, on="person", maintain_order="left_right")
        .filter(pl.col("at") > pl.col("opened_at"), pl.col("at") <= pl.col("closed_at"))
        .unique(["person", "at"], keep="first", maintain_order=True)
        .with_columns(late=(pl.col("at") > pl.col("main_at")).fill_null(False))
        .with_columns(part=pl.when("late").then(sampling.late_weight).otherwise(1.0))
        .with_columns(weight=pl.col("part") * (pl.len() / pl.col("part").sum()).over("case_id"))
        .with_columns(
            weight=sampling.positive_weight * pl.col("weight") / pl.len().over("case_id").sqrt()
        )
        .select(
            "person",
            "at",
            pl.lit(1, pl.Int8).alias("label"),
            "weight",
            pl.lit(1.0).alias("sampling_weight"),
            "case_id",
            "scam_type",
        )
    )
    negatives = ticks.join(episodes, on="person", how="anti", maintain_order="left")
    lawful_ticks = ticks_in_spans(negatives, lawful)
    negatives = negatives.join(
        pl.concat([lawful_ticks, ticks_in_spans(negatives, unclear)], how="diagonal"),
        on=["person", "at"],
        how="anti",
        maintain_order="left",
    )
    quiet = event_index.people.filter(drawn.includes(pl.col("code")))
    negatives = negatives.join(quiet, on="person", how="semi", maintain_order="left")
    hard = negatives.join(
        hard_negatives(event_index, negatives, drawn=drawn),
        on=["person", "at"],
        how="semi",
        maintain_order="left",
    )
    easy = negatives.join(hard, on=["person", "at"], how="anti", maintain_order="left")
    post_loss = post_loss_ticks(ticks, episodes)
    post_loss = post_loss.join(
        pl.concat(
            [positives.select("person", "at"), ticks_in_spans(post_loss, unclear)], how="diagonal"
        ),
        on=["person", "at"],
        how="anti",
        maintain_order="left",
    )
    hard_count = min(len(hard), int(sampling.negatives * sampling.hard_negative_share))
    draws = (
        (post_loss, len(post_loss), 1.0),
        (hard, hard_count, drawn.share),
        (easy, sampling.negatives - hard_count, drawn.share),
    )
    parts = [draw_negatives(part, number, seed=seed, of=share) for part, number, share in draws]
    if "weight" in lawful_ticks.columns:
        spread = pl.col("weight") / pl.len().over("span")
        parts.append(
            draw_negatives(
                lawful_ticks.select("person", "at"), len(lawful_ticks), seed=seed
            ).with_columns(lawful_ticks.select(spread))
        )
    return pl.concat([positives, *parts])


def concat_people(*frames: pl.DataFrame | None) -> pl.Series:
    """The people of several frames, once each."""
    named = [frame["person"] for frame in frames if frame is not None]
    return pl.concat([pl.Series("person", [], dtype=pl.String), *named]).unique()


def ticks_in_spans(ticks: pl.DataFrame, spans: pl.DataFrame | None) -> pl.DataFrame:
    """The ticks in the spans, once each, with the number of the ``span`` and what else it says."""
    if spans is None or not len(spans):
        return ticks.select("person", "at").clear()
    return (
        ticks.select("person", "at")
        .join(spans.with_row_index("span"), on="person", maintain_order="left_right")
        .filter(pl.col("at") > pl.col("start_at"), pl.col("at") <= pl.col("end_at"))
        .unique(["person", "at"], keep="first", maintain_order=True)
    )


def post_loss_ticks(ticks: pl.DataFrame, episodes: pl.DataFrame) -> pl.DataFrame:
    """The ticks of victims in the week after their last payment: it is over, and a warning would
    come too late.
    """
    since = pl.col("at") - pl.col("closed_at")
    return (
        ticks.join(
            episodes.filter(pl.col("outcome") == "loss"), on="person", maintain_order="left_right"
        )
        .filter(since > POST_LOSS_GRACE, since <= POST_LOSS_WINDOW)
        .select("person", "at")
        .unique(maintain_order=True)
    )


def hard_negatives(
    event_index: EventIndex, ticks: pl.DataFrame, *, drawn: DrawnPeople = EVERYBODY
) -> pl.DataFrame:
    """Those of ``ticks``, of ``drawn`` people, soon after something that a fraud could have begun
    with: the negatives that are hard to tell from a fraud.
    """
    if ticks.is_empty():
        return ticks.select("person", "at")
    first_at = pl.Series(ticks["at"]).min()
    assert isinstance(first_at, datetime)  # noqa: S101 -- tells the type checker what the column holds
    since = first_at - HARD_NEGATIVE_WINDOW
    long_talks = event_index.stranger_contacts.known_between(
        since,
        where=pl.col("relationship_talk_s") >= HARD_NEGATIVE_MIN_TALK_S,
        owner=drawn.codes,
    )
    long_talks = long_talks.filter(never_set_aside(long_talks, event_index.mass_numbers))
    now = peer_state(
        event_index.contacts_by_number,
        peer=long_talks["peer_code"].cast(pl.Int64).to_numpy(),
        at_ms=to_milliseconds(long_talks["known_at"]),
    )
    spreading = (now["peer_reach_14d"] >= HARD_NEGATIVE_MIN_REACH) & (
        now["peer_age_d"] < HARD_NEGATIVE_MAX_AGE_D
    )
    talked = long_talks.filter(spreading).select("owner", "known_at")
    paid = event_index.new_payee_payments.known_between(
        since, where=~pl.col("is_local"), owner=drawn.codes
    ).select("owner", "known_at")
    events = pl.concat([talked, paid]).sort("known_at").with_columns(is_hard=pl.lit(True))
    owned = ticks.join(
        event_index.people.select("person", owner="code"), on="person", maintain_order="left"
    ).sort("at")
    return (
        owned.join_asof(
            events,
            left_on="at",
            right_on="known_at",
            by="owner",
            tolerance=HARD_NEGATIVE_WINDOW,
            check_sortedness=False,
        )
        .filter(pl.col("is_hard").is_not_null())
        .select("person", "at")
    )


def draw_negatives(
    negatives: pl.DataFrame, number: int, *, seed: int, of: float = 1.0
) -> pl.DataFrame:
    """``number`` of the ``negatives``, which are a share ``of`` all that there are: each stands for
    its part of them all.
    """
    some = negatives.sample(min(len(negatives), number), seed=seed)
    sampling_weight = len(negatives) / of / max(1, len(some))
    return some.with_columns(
        label=pl.lit(0, pl.Int8),
        weight=pl.lit(sampling_weight),
        sampling_weight=pl.lit(sampling_weight),
        case_id=pl.lit(None, pl.String),
        scam_type=pl.lit(None, pl.String),
    )


def first_known_at(event_index: EventIndex) -> datetime | None:
    """When the first of all calls and payments was known, None without any."""
    firsts = (log.first_known_at for log in (event_index.contacts, event_index.payments))
    return min((first for first in firsts if first is not None), default=None)


def assign_folds(
    rows: pl.DataFrame, *, count: int, seed: int
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """A fold for each row, the same for all rows of a person; ``rows`` have ``person``, ``label``
    and ``scam_type``.

    Quiet people fall where their hash puts them. The few live ones are dealt out type by type,
    those with many moments first: else one fold may hold most of the episodes, and what is learnt
    without it promises the others too little.
    """
    people = rows.group_by("person").agg(
        live=(pl.col("label") == 1).sum(),
        scam_type=pl.col("scam_type").filter(pl.col("label") == 1).drop_nulls().min(),
    )
    people = people.with_columns(spread=pl.col("person").hash(seed=seed))
    live = people.filter(pl.col("live") > 0).sort("live", "spread", descending=[True, False])
    of_type: Counter[tuple[int, str | None]] = Counter()
    weight = [0.0] * count
    dealt = []
    for scam_type, moments in live.select("scam_type", "live").iter_rows():
        fold = min(range(count), key=lambda number: (of_type[number, scam_type], weight[number]))
        of_type[fold, scam_type] += 1
        weight[fold] += math.sqrt(moments)
        dealt.append(fold)
    hands = live.select("person", dealt=pl.Series(dealt, dtype=pl.Int64))
    parts = people.join(hands, on="person", how="left").select(
        "person", fold=pl.coalesce("dealt", (pl.col("spread") % count).cast(pl.Int64))
    )
    theirs = rows.select("person").join(parts, on="person", how="left", maintain_order="left")
    return np.asarray(theirs["fold"].to_numpy(), dtype=np.int64)
