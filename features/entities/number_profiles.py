"""How a number behaves towards the whole district, as of a moment."""

from datetime import timedelta

import numpy as np
import polars as pl

from features.kernel.source_tables import PAYMENT_AFTER_CONTACT
from features.kernel.timeline import Positions, Timeline, to_milliseconds

__all__ = ["build_followed_timeline", "build_peer_timeline", "peer_state"]

REACH_WINDOWS = {"24h": timedelta(hours=24), "3d": timedelta(days=3), "14d": timedelta(days=14)}
AGE_HORIZON = timedelta(days=30)


def build_peer_timeline(contacts: pl.LazyFrame) -> Timeline:
    """All contacts of the district, owned by the peer; the totals say what the peer did."""
    answered, inbound = pl.col("is_answered"), pl.col("is_in")
    return Timeline.of(
        contacts.select(
            "known_at",
            "is_first",
            "is_in",
            "is_voice",
            "is_answered",
            "duration_s",
            owner="peer_code",
        ),
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


def build_followed_timeline(strangers: Timeline, new_payees: Timeline) -> Timeline:
    """The residents whom a peer led to pay: owner is the peer, one event for each relationship with
    a resident.

    A resident counts who first paid an account outside the district within
    ``PAYMENT_AFTER_CONTACT`` of a contact with the peer, while the peer was a stranger. The event
    becomes known with the first such payment.
    """
    paid = new_payees.events.filter(pl.col("is_first"), pl.col("is_debit"), ~pl.col("is_local"))
    resident, paid_ms = paid["owner"].cast(pl.Int64).to_numpy(), to_milliseconds(paid["known_at"])
    # One millisecond more, for a slice ends before its moment: what became known with the payment
    # belongs to it.
    heard = strangers.rows(
        owner=resident,
        at_ms=paid_ms + 1,
        window=PAYMENT_AFTER_CONTACT + timedelta(milliseconds=1),
    )
    led = (
        heard.lazy()
        .with_columns(paid_at=paid["known_at"].gather(heard["point"]))
        .filter(
            (pl.col("paid_at") - pl.col("known_at")).is_between(timedelta(0), PAYMENT_AFTER_CONTACT)
        )
        .group_by("owner", "peer_code", "relationship_started_at")
        .agg(pl.col("paid_at").min())
        .select(pl.lit(1.0).alias("followed"), known_at="paid_at", owner="peer_code")
    )
    return Timeline.of(led, sums={"followed": pl.col("followed")})


def peer_state(timeline: Timeline, *, peer: Positions, at_ms: Positions) -> pl.DataFrame:
    """One row for each query point (``peer``, ``at_ms``), from what was known strictly before.

    ``peer_reach_*`` residents first contacted in the window · ``peer_age_d`` days since the number
    was first seen, at most 30 · shares are over 14 days, null where their base is empty.
    """
    reached = {
        name: timeline.sums(["reached"], owner=peer, at_ms=at_ms, window=span)["reached"]
        for name, span in REACH_WINDOWS.items()
    }
    total = timeline.sums(timeline.added, owner=peer, at_ms=at_ms, window=REACH_WINDOWS["14d"])
    with np.errstate(divide="ignore", invalid="ignore"):
        frame = {
            **{f"peer_reach_{name}": values for name, values in reached.items()},
            "peer_contacts_14d": total["contact"],
            "peer_age_d": timeline.age_days(owner=peer, at_ms=at_ms, horizon=AGE_HORIZON),
            "peer_in_share": total["in"] / total["contact"],
            "peer_sms_share": total["sms"] / total["contact"],
            "peer_answer_share": total["answered"] / total["rang"],
            "peer_hang_up_share": total["hung_up"] / total["answered"],
            "peer_engaged_n": total["engaged"],
            "peer_long_n": total["long"],
            "peer_talk_mean_s": total["talk_s"] / np.maximum(1, total["contact"] - total["sms"]),
        }
    return pl.DataFrame(frame, nan_to_null=True)
