"""Which timelines there are, and how each is made of contacts or payments in relationship order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from features.entities import calls, transfers
from features.entities.account_profiles import PAYEE_SUMS, payments_by_account
from features.entities.number_profiles import PEER_SUMS, contacts_by_number
from features.kernel.relationships import new_events
from features.windowed_sums import columns_to_sum, sum_expressions

__all__ = ["TIMELINES", "TimelineDefinition"]


@dataclass(frozen=True, kw_only=True)
class TimelineDefinition:
    """How a timeline is made: ``choose`` takes its events from contacts or payments, ``sums`` are
    what can be added up over its windows. Where it ``looks_back``, it needs the events that were
    carried forward as well, and leaves them out itself.
    """

    made_of: Literal["contacts", "payments"]
    choose: Callable[[pl.LazyFrame], pl.LazyFrame]
    sums: Mapping[str, pl.Expr] = field(default_factory=dict)
    looks_back: bool = False

    def events(self, related: pl.LazyFrame) -> pl.LazyFrame:
        """The events of the timeline, from contacts or payments in relationship order."""
        return self.choose(related if self.looks_back else new_events(related))


def narrow(name: str) -> Callable[[pl.LazyFrame], pl.LazyFrame]:
    """No more columns than the declared sums need: few for the many events of a person."""
    columns = ("owner", "known_at", *columns_to_sum(name))
    return lambda events: events.select(columns)


TIMELINES: Mapping[str, TimelineDefinition] = {
    "contacts": TimelineDefinition(
        made_of="contacts", choose=narrow("contacts"), sums=sum_expressions("contacts")
    ),
    "stranger_contacts": TimelineDefinition(
        made_of="contacts",
        choose=calls.filter_strangers,
        sums=sum_expressions("stranger_contacts"),
    ),
    "stranger_endings": TimelineDefinition(
        made_of="contacts", choose=calls.filter_endings, looks_back=True
    ),
    "contacts_by_number": TimelineDefinition(
        made_of="contacts", choose=contacts_by_number, sums=PEER_SUMS
    ),
    "payments": TimelineDefinition(
        made_of="payments", choose=narrow("payments"), sums=sum_expressions("payments")
    ),
    "new_payee_payments": TimelineDefinition(
        made_of="payments",
        choose=transfers.filter_new_payees,
        sums=sum_expressions("new_payee_payments"),
    ),
    "new_payee_endings": TimelineDefinition(
        made_of="payments", choose=transfers.filter_endings, looks_back=True
    ),
    "payments_by_account": TimelineDefinition(
        made_of="payments", choose=payments_by_account, sums=PAYEE_SUMS
    ),
}
