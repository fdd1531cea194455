"""How a number behaves towards the whole district, as of a moment."""

from datetime import timedelta

import numpy as np
import polars as pl

from features.kernel.relationships import is_stranger
from features.kernel.segment import Positions, to_milliseconds
from features.kernel.source_tables import PAYMENT_AFTER_CONTACT
from features.kernel.timeline import Timeline

__all__ = [
    "FOLLOWED_SUMS",
    "PEER_SUMS",
    "contacts_by_number",
    "contacts_of_numbers",
    "first_payments_outside",
    "payments_after_contact",
    "peer_state",
]

REACH_WINDOWS = {"24h": timedelta(hours=24), "3d": timedelta(days=3), "14d": timedelta(days=14)}
AGE_HORIZON = timedelta(days=30)


ANSWERED, INBOUND, VOICE = pl.col("is_answered"), pl.col("is_in"), pl.col("is_voice")
# What can be added up of what a number did.
PEER_SUMS = {
    "contact": pl.lit(1.0),
    "reached": pl.col("is_first"),
    "in": INBOUND,
    "sms": ~VOICE,
    "rang": INBOUND & VOICE,
    "answered": INBOUND & ANSWERED,
    "hung_up": INBOUND & ANSWERED & (pl.col("duration_s") <= 25),
    "engaged": ANSWERED & (pl.col("duration_s") >= 120),
    "long": ANSWERED & (pl.col("duration_s") >= 600),
    "talk_s": pl.col("duration_s"),
}


def contacts_by_number(contacts: pl.LazyFrame) -> pl.LazyFrame:
    """All contacts of the district, owned by the number; ``resident`` is whom it dealt with."""
    return contacts.select(
        "known_at",
        "is_first",
        "is_in",
        "is_voice",
        "is_answered",
        "duration_s",
        "peer_kind",
        is_stranger=is_stranger(),
        owner="peer_code",
        resident="owner",
    )


def contacts_of_numbers(by_number: pl.DataFrame) -> pl.DataFrame:
    """The contacts again, owned by the residents; ``peer_code`` is the number."""
    return by_number.rename({"owner": "peer_code", "resident": "owner"})


def payments_after_contact(strangers: Timeline, paid: pl.DataFrame) -> pl.DataFrame:
    """The residents whom a number led to pay: ``owner`` is the number, and one row for each
    relationship with a resident, known with the first such payment.

    ``paid`` are the payments to look at (``owner``, ``known_at``), the first each to an account
    outside the district. A resident counts who made one within ``PAYMENT_AFTER_CONTACT`` of a
    contact with the number, while that was a stranger. ``resident`` and
    ``relationship_started_at`` say which relationship it is.
    """
    resident, paid_ms = paid["owner"].cast(pl.Int64).to_numpy(), to_milliseconds(paid["known_at"])
    # One millisecond more, for a window ends before its moment: what became known with the payment
    # belongs to it.
    heard = strangers.rows(
        owner=resident,
        at_ms=paid_ms + 1,
        window=PAYMENT_AFTER_CONTACT + timedelta(milliseconds=1),
    )
    return (
        heard.with_columns(paid_at=paid["known_at"].gather(heard["point"]))
        .filter(
            (pl.col("paid_at") - pl.col("known_at")).is_between(timedelta(0), PAYMENT_AFTER_CONTACT)
        )
        .group_by("owner", "peer_code", "relationship_started_at")
        .agg(pl.col("paid_at").min())
        .select(
            "relationship_started_at",
            known_at="paid_at",
            owner="peer_code",
            resident="owner",
        )
    )


def first_payments_outside(new_payees: pl.DataFrame) -> pl.DataFrame:
    """Of the payments to new payees those by which a resident first pays one outside the
    district.
    """
    return new_payees.filter("is_first", "is_debit", ~pl.col("is_local"))


FOLLOWED_SUMS = {"followed": pl.lit(1.0)}


def peer_state(timeline: Timeline, *, peer: Positions, at_ms: Positions) -> pl.DataFrame:
    """One row for each query point (``peer``, ``at_ms``), from what was known strictly before.

    ``peer_reach_*`` residents first contacted in the window · ``peer_age_d`` days since the number
    was first seen, at most 30 · shares are over 14 days, null where their base is empty.
    """
    fortnight = REACH_WINDOWS["14d"]
    wanted = {span: ["reached"] for span in REACH_WINDOWS.values()} | {fortnight: [*timeline.added]}
    sums = timeline.window_sums(wanted, owner=peer, at_ms=at_ms)
    reached = {name: sums[span]["reached"] for name, span in REACH_WINDOWS.items()}
    total = sums[fortnight]
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
