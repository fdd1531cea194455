"""The columns of coded events, and of the events of every timeline made of them."""

import polars as pl

from data_contracts.forms.number_plan import NUMBER_KINDS
from features.entities import calls, transfers
from features.entities.number_profiles import FOLLOWED_SUMS, payments_after_contact
from features.event_timelines import TIMELINES
from features.kernel.timeline import Timeline
from pipelines.storage.lake_schemas import MOMENT

__all__ = ["CODED", "EMPTY_EVENTS", "FOLLOWED", "LED_KEY", "PEER_KIND", "RELATE", "SUMS"]

PEER_KIND = pl.Enum(NUMBER_KINDS)
FOLLOWED = "payments_after_contact"
LED_KEY = ("owner", "resident", "relationship_started_at")
RELATE = {"contacts": calls.relate_contacts, "payments": transfers.relate_payments}
CODED = {
    "contacts": pl.DataFrame(
        schema={
            "owner": pl.UInt32,
            "peer_code": pl.UInt32,
            "peer_kind": PEER_KIND,
            "known_at": MOMENT,
            "started_at": MOMENT,
            "duration_s": pl.Int32,
            "is_voice": pl.Boolean,
            "is_in": pl.Boolean,
            "is_answered": pl.Boolean,
        }
    ),
    "payments": pl.DataFrame(
        schema={
            "owner": pl.UInt32,
            "payee_code": pl.UInt32,
            "known_at": MOMENT,
            "occurred_at": MOMENT,
            "amount_cny": pl.Float64,
            "is_debit": pl.Boolean,
            "is_own": pl.Boolean,
            "is_local": pl.Boolean,
            "is_merchant": pl.Boolean,
        }
    ),
}


def empty_events() -> dict[str, pl.DataFrame]:
    """No events of each timeline."""
    related = {kind: RELATE[kind](coded.lazy()) for kind, coded in CODED.items()}
    empty = {name: one.events(related[one.made_of]).collect() for name, one in TIMELINES.items()}
    strangers = Timeline((), empty["stranger_contacts"])
    return {**empty, FOLLOWED: payments_after_contact(strangers, empty["new_payee_payments"])}


EMPTY_EVENTS = empty_events()
SUMS = {**{name: one.sums for name, one in TIMELINES.items()}, FOLLOWED: FOLLOWED_SUMS}
