"""How a number behaves towards the whole district, as of a moment."""

from datetime import timedelta

import numpy as np
import polars as pl

from features.timeline import Positions, Timeline

__all__ = ["peer_state", "peer_timeline"]

REACH_WINDOWS = {"24h": timedelta(hours=24), "3d": timedelta(days=3), "14d": timedelta(days=14)}
HORIZON = timedelta(days=30)


def peer_timeline(contacts: pl.LazyFrame) -> Timeline:
    """All contacts of the district from the peer's side: owner is the peer, totals are what it did."""
    answered, inbound = pl.col("is_answered"), pl.col("is_in")
    return Timeline.of(
        contacts.select("known_at", "is_first", "is_in", "is_voice", "is_answered", "duration_s", owner="peer_code"),
        sums={
            "contact": pl.lit(1.0),
            "reached": pl.col("is_first"),
            "in": inbound,
            "sms": ~pl.col("is_voice"),
            "rang": inbound & pl.col("is_voice"),
            "answered": inbound & answered,
            "hung_up": inbound & answered & (pl.col("duration_s") <= 25),
            "engaged": answered & (pl.col("duration_s") >= 120),
            "long": answered & (pl.col("duration_s") >= 600),
            "talk_s": pl.col("duration_s"),
        },
    )


FOLLOWS = timedelta(hours=24)  # a payment so soon after a contact may be its fruit


def followed_timeline(strangers: pl.LazyFrame, deals: pl.LazyFrame) -> Timeline:
    """Residents who first paid an account outside the district soon after a contact with a stranger; owner: peer."""
    paid = deals.filter(pl.col("is_first"), pl.col("is_debit"), ~pl.col("is_local")).select(
        "owner", paid_at="known_at", amount_cny="amount_cny"
    )
    heard = strangers.select("owner", "peer_code", "thread_started_at", heard_at="known_at")
    pairs = (
        paid.join(heard, on="owner")
        .filter((pl.col("paid_at") - pl.col("heard_at")).is_between(timedelta(0), FOLLOWS))
        .group_by("owner", "peer_code", "thread_started_at")
        .agg(known_at=pl.col("paid_at").min())
        .select("known_at", owner="peer_code")
    )
    return Timeline.of(pairs, sums={"followed": pl.col("owner").is_not_null()})


def peer_state(timeline: Timeline, *, peer: Positions, at_ms: Positions) -> pl.DataFrame:
    """One row a question (``peer``, ``at_ms``), from what was known strictly before.

    ``peer_reach_*`` residents first contacted in the window · ``peer_age_d`` days since the number was first seen, at
    most 30 · shares are over 14 days, null where their base is empty.
    """
    windows = {name: timeline.slices(peer, at_ms, span) for name, span in REACH_WINDOWS.items()}
    fortnight = windows["14d"]
    total = {name: timeline.sums(name, fortnight) for name in timeline.totals}
    with np.errstate(divide="ignore", invalid="ignore"):
        frame = {
            **{f"peer_reach_{name}": timeline.sums("reached", span) for name, span in windows.items()},
            "peer_contacts_14d": total["contact"],
            "peer_age_d": timeline.age_days(peer, at_ms, HORIZON),
            "peer_in_share": total["in"] / total["contact"],
            "peer_sms_share": total["sms"] / total["contact"],
            "peer_answer_share": total["answered"] / total["rang"],
            "peer_hang_up_share": total["hung_up"] / total["answered"],
            "peer_engaged_n": total["engaged"],
            "peer_long_n": total["long"],
            "peer_talk_mean_s": total["talk_s"] / np.maximum(1, total["contact"] - total["sms"]),
        }
    return pl.DataFrame(frame, nan_to_null=True)
