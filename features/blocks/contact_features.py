"""The strangers that a person heard of lately, and the one that speaks most for an episode."""

from collections.abc import Mapping

import polars as pl

from features.counterparties import NUMBERS
from features.entities.calls import LONG_TALK_S
from features.event_index import EventIndex
from features.kernel.query_points import QueryPoints, one_row_per_point
from features.reputation import (
    BAD_REPUTATION,
    ReputationModel,
    recent_relationships,
    rounded_score,
)

__all__ = ["contact_features", "stranger_relationships"]


def stranger_relationships(
    event_index: EventIndex, points: QueryPoints, *, reputation_model: ReputationModel
) -> pl.DataFrame:
    """One row for each moment and stranger of :func:`features.reputation.recent_relationships`,
    with its ``suspicion``.
    """
    rows = recent_relationships(event_index, points, of=NUMBERS, reputation_model=reputation_model)
    return rows.with_columns(suspicion=suspicion_score())


def suspicion_score() -> pl.Expr:
    """0 to 2: the number's reputation, how far this resident was drawn in, and whether a reported
    case names it.
    """
    engaged = ((1 + pl.col("relationship_talk_s") / 30).log(2) / 6).clip(0, 1)
    drawn_in = 0.35 + 0.65 * engaged
    return rounded_score(
        (0.1 + 0.9 * pl.col("reputation")) * drawn_in * pl.when("named").then(2.0).otherwise(1.0)
    )


LEAD_COLUMNS = (
    "suspicion",
    "reputation",
    "relationship_n",
    "relationship_talk_s",
    "relationship_max_talk_s",
    "relationship_sms_n",
    "relationship_answered_n",
    "relationship_call_back_n",
    "relationship_age_h",
    "silent_h",
    "peer_reach_24h",
    "peer_reach_3d",
    "peer_reach_14d",
    "peer_contacts_14d",
    "peer_age_d",
    "peer_in_share",
    "peer_sms_share",
    "peer_answer_share",
    "peer_hang_up_share",
    "peer_engaged_n",
    "peer_followed_n",
    "peer_long_n",
    "peer_talk_mean_s",
)


DAY_H, FRESH_H = 24, 48  # heard of lately; heard of for the first time lately
RETURN_AFTER_H = (6, 72)  # who is first heard of so long ago, and again now, came back
YOUNG_NUMBER_D = 20  # a number first seen so lately that what follows its calls may be its doing


def contact_features(rows: pl.DataFrame, points: QueryPoints) -> pl.DataFrame:
    """Strangers of the last week taken together, and the one that speaks most for an episode: a row
    a moment.

    Null where a moment has no such stranger; names in seconds ``_s``, hours ``_h``, days ``_d``.
    """
    together = rows.group_by("point").agg(
        **week_sums(), **bad_reputation_sums(), **returning_numbers(), **paid_after_contact()
    )
    return one_row_per_point(together.join(lead_number(rows), on="point", how="left"), points)


def week_sums() -> Mapping[str, pl.Expr]:
    """What all strangers of the week come to."""
    day = pl.col("silent_h") < DAY_H
    return {
        "suspicion_sum": pl.col("suspicion").sum(),
        "reputation_max_24h": pl.col("reputation").filter(day).max(),
        "reputation_new_48h": pl.col("reputation")
        .filter(pl.col("relationship_age_h") < FRESH_H)
        .max(),
        "named_peers_7d": pl.col("named").sum(),
        "named_talk_s": (pl.col("relationship_talk_s") * pl.col("named")).sum(),
        "relay_6h": (
            (pl.col("relationship_max_talk_s") >= LONG_TALK_S) & (pl.col("silent_h") < 6)
        ).sum(),
        "stranger_max_talk_s": pl.col("relationship_max_talk_s").max(),
        "stranger_max_talk_24h_s": (pl.col("relationship_max_talk_s") * day).max(),
        "stranger_max_calls": pl.col("relationship_answered_n").max(),
        "stranger_max_reach_24h": (pl.col("peer_reach_24h") * (pl.col("peer_age_d") < 15)).max(),
    }


def bad_reputation_sums() -> Mapping[str, pl.Expr]:
    """How much contact a person had with strangers whose reputation is above ``BAD_REPUTATION``."""
    bad, age_h = pl.col("reputation") > BAD_REPUTATION, pl.col("relationship_age_h")
    day, talk_s = pl.col("silent_h") < DAY_H, pl.col("relationship_talk_s")
    return {
        "bad_reputation_peers_24h": (bad & day).sum(),
        "bad_reputation_peers_7d": bad.sum(),
        "bad_reputation_long_24h": (
            bad & day & (pl.col("relationship_max_talk_s") >= LONG_TALK_S)
        ).sum(),
        "bad_reputation_talk_s": (talk_s * bad).sum(),
        "bad_reputation_talk_24h_s": (talk_s * (bad & (age_h < DAY_H))).sum(),
        "bad_reputation_talk_48h_s": (talk_s * (bad & (age_h < FRESH_H))).sum(),
        "bad_reputation_span_h": age_h.filter(bad).max() - pl.col("silent_h").filter(bad).min(),
        "bad_reputation_sms": (pl.col("relationship_sms_n") * bad).sum(),
        "bad_reputation_calls_back": (pl.col("relationship_call_back_n") * bad).sum(),
    }


def returning_numbers() -> Mapping[str, pl.Expr]:
    """Strangers that come back after the first contact: they call again, or text as well."""
    again = (
        (pl.col("relationship_answered_n") >= 2)
        & pl.col("relationship_age_h").is_between(*RETURN_AFTER_H)
        & (pl.col("silent_h") < 6)
    )
    texted = (pl.col("relationship_sms_n") >= 1) & (pl.col("relationship_answered_n") >= 1)
    bad = pl.col("reputation") > BAD_REPUTATION
    return {
        "returning_reputation": pl.col("reputation").filter(again).max(),
        "returning_n": (again & bad).sum(),
        "text_talk_reputation": pl.col("reputation").filter(texted).max(),
        "text_talk_s": (pl.col("relationship_talk_s") * (texted & bad)).max(),
    }


def paid_after_contact() -> Mapping[str, pl.Expr]:
    """Young numbers heard of today that residents paid after: how many did, and of how many."""
    recent = (pl.col("silent_h") < DAY_H) & (pl.col("peer_age_d") < YOUNG_NUMBER_D)
    # Five more, that one resident of one reached does not weigh more than ten of forty.
    share = pl.col("peer_followed_n") / (pl.col("peer_reach_14d") + 5)
    return {
        "followed_max": pl.col("peer_followed_n").filter(recent).max(),
        "followed_share_max": share.filter(recent).max(),
    }


def lead_number(rows: pl.DataFrame) -> pl.DataFrame:
    """The most suspicious stranger of each moment; of several the one heard of last."""
    return (
        rows.sort("point", "suspicion", "known_at", "order", descending=[False, True, True, False])
        .unique("point", keep="first", maintain_order=True)
        .select(
            "point",
            *(pl.col(name).alias(f"lead_{name}") for name in LEAD_COLUMNS),
            lead_kind=pl.col("peer_kind_code"),
            lead_named=pl.col("named"),
            lead_tagged=pl.col("peer_tagged"),
            lead_started_at=pl.col("relationship_started_at"),
            lead_peer_code=pl.col("peer_code"),
        )
    )
