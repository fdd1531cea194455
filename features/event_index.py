"""The event index: all events that a snapshot needs, sorted once for a span of time and then
queried at many moments.
"""

from dataclasses import dataclass

import polars as pl

from features.catalogue.definitions import MASS_RULE, MassRule
from features.entities import account_profiles as payees
from features.entities import calls, transfers
from features.entities import number_profiles as peers
from features.entities.feeds import Feeds, call_feeds, transfer_feeds
from features.entities.holdings import account_holdings, number_holdings
from features.entities.mass_numbers import build_mass_timeline, without_public_services
from features.kernel.relationships import is_stranger
from features.kernel.source_tables import SourceTables, dense_codes
from features.kernel.timeline import Timeline
from features.windowed_sums import columns_to_sum, sum_expressions

__all__ = ["KIND_CODES", "EventIndex", "build_event_index"]


@dataclass(frozen=True, eq=False)
class EventIndex:
    """Timelines of a district, and the registers that do not change with the moment.

    ``people`` has one row a resident in code order: ``person`` and ``birth_month``;
    ``numbers_held`` and ``accounts_held`` one for each time that a resident (``owner``) held a
    number or account: the days ``since`` and ``until``. ``numbers`` and ``accounts`` hold every
    number and account in code order (:func:`list_numbers`, :func:`list_accounts`); ``named_peers``
    and ``named_payees`` hold ``code`` and the moment ``named_at`` from which a reported case is
    known to name it.

    The features that are sums over windows name the timelines ``contacts``, ``stranger_contacts``,
    ``payments`` and ``new_payee_payments`` in the catalogue. ``stranger_endings`` and
    ``new_payee_endings`` hold the events after which a counterparty is no longer new to a person.
    ``mass_numbers`` holds when a number is heard of by everybody
    (``features.entities.mass_numbers``); ``mass_contacts`` are the contacts with such numbers,
    which at some moments do not count. Contacts with public services are nowhere.
    """

    people: pl.DataFrame
    numbers_held: pl.DataFrame
    accounts_held: pl.DataFrame
    mass_numbers: Timeline
    contacts: Timeline
    mass_contacts: Timeline
    stranger_contacts: Timeline
    stranger_endings: Timeline
    contacts_by_number: Timeline
    payments: Timeline
    new_payee_payments: Timeline
    new_payee_endings: Timeline
    payments_by_account: Timeline
    payments_after_contact: Timeline
    named_peers: pl.DataFrame
    named_payees: pl.DataFrame
    numbers: pl.DataFrame
    accounts: pl.DataFrame
    call_feeds: Feeds
    transfer_feeds: Feeds


def build_event_index(tables: SourceTables, *, mass_rule: MassRule = MASS_RULE) -> EventIndex:
    """Lay out ``tables``: at least ``features.kernel.source_tables.LOOKBACK`` of events before the
    first query point.
    """
    people = build_resident_register(tables)
    owners = people.lazy().select("person", owner="code")
    numbers = number_holdings(tables).join(owners, on="person").collect()
    holders = account_holdings(tables).join(owners, on="person", how="left").collect()
    number_list = list_numbers(tables)
    account_list = list_accounts(tables)

    contact_events = calls.build_contacts(
        without_public_services(tables),
        people=numbers.lazy(),
        peers=number_list.lazy().select("peer", peer_code="code"),
    ).collect()
    mass_numbers = build_mass_timeline(
        contact_events, limit=mass_rule.limit(numbers["owner"].n_unique())
    )
    payment_events = transfers.build_payments(
        tables.transfers,
        holders=holders.lazy(),
        payees=account_list.lazy().select("payee", payee_code="code"),
    ).collect()
    stranger_timeline = build_declared_timeline(
        calls.filter_strangers(contact_events.lazy()), "stranger_contacts"
    )
    new_payee_timeline = build_declared_timeline(
        transfers.filter_new_payees(payment_events.lazy()), "new_payee_payments"
    )
    return EventIndex(
        people=people,
        numbers_held=numbers.select("owner", "since", "until"),
        accounts_held=holders.drop_nulls("owner").select("owner", "since", "until"),
        mass_numbers=mass_numbers,
        contacts=build_narrow_timeline(contact_events.lazy(), "contacts"),
        mass_contacts=Timeline.of(
            contact_events.lazy()
            .filter(pl.col("peer_code").is_in(mass_numbers.events["owner"].unique().implode()))
            .with_columns(is_stranger=is_stranger())
        ),
        stranger_contacts=stranger_timeline,
        stranger_endings=Timeline.of(calls.filter_endings(contact_events.lazy())),
        payments_after_contact=peers.build_followed_timeline(stranger_timeline, new_payee_timeline),
        contacts_by_number=peers.build_peer_timeline(contact_events.lazy()),
        payments=build_narrow_timeline(payment_events.lazy(), "payments"),
        new_payee_payments=new_payee_timeline,
        new_payee_endings=Timeline.of(transfers.filter_endings(payment_events.lazy())),
        payments_by_account=payees.build_payee_timeline(payment_events.lazy()),
        named_peers=first_named_at(tables.cases, "suspect_numbers", number_list, "peer"),
        named_payees=first_named_at(tables.cases, "suspect_accounts", account_list, "payee"),
        numbers=number_list,
        accounts=account_list,
        call_feeds=call_feeds(tables, people),
        transfer_feeds=transfer_feeds(tables, people),
    )


def build_resident_register(tables: SourceTables) -> pl.DataFrame:
    """One row a resident, numbered densely in order of the pseudonym."""
    return (
        tables.residents.select("person", "birth_month")
        .unique("person")
        .sort("person")
        .with_row_index("code")
        .collect()
    )


KIND_CODES = {
    "international": 1,
    "virtual": 2,
    "service_95": 3,
    "service_96": 3,
    "service_400": 4,
    "service_106": 5,
    "landline": 6,
    "mobile": 7,
}


def list_numbers(tables: SourceTables) -> pl.DataFrame:
    """Every number heard of: ``peer``, ``code`` (dense), its place by name ``order``, its kind, and
    if it is ``tagged``.
    """
    kinds = tables.calls.group_by("peer").agg(pl.col("peer_kind").cast(pl.String).min())
    return (
        dense_codes(tables.calls, column="peer")
        .join(kinds, on="peer", how="left", maintain_order="left")
        .join(
            tables.number_tags.select(peer="number", tagged=pl.lit(True)).unique("peer"),
            on="peer",
            how="left",
            maintain_order="left",
        )
        .with_columns(
            pl.col("tagged").fill_null(False),
            order="code",
            peer_kind_code=pl.col("peer_kind").replace_strict(
                KIND_CODES, default=0, return_dtype=pl.Int8
            ),
        )
        .collect()
    )


def list_accounts(tables: SourceTables) -> pl.DataFrame:
    """Every account dealt with: ``payee``, ``code`` (dense), its place by name ``order``, and
    whether a resident holds it or once did.
    """
    held = tables.accounts.select(payee="account", is_local=pl.lit(True)).unique("payee")
    return (
        dense_codes(tables.transfers, column="payee")
        .join(held, on="payee", how="left", maintain_order="left")
        .with_columns(pl.col("is_local").fill_null(False), order="code")
        .collect()
    )


def first_named_at(cases: pl.LazyFrame, column: str, names: pl.DataFrame, key: str) -> pl.DataFrame:
    """``code`` and ``named_at``: since when a reported case is known to name each number or
    account.
    """
    return (
        cases.select("known_at", pl.col(column).alias(key))
        .explode(key)
        .drop_nulls(key)
        .group_by(key)
        .agg(named_at=pl.col("known_at").min())
        .join(names.lazy(), on=key)
        .select("code", "named_at")
        .collect()
    )


def build_declared_timeline(events: pl.LazyFrame, name: str) -> Timeline:
    """The timeline ``name`` with the sums that the catalogue declares over it; ``events`` keep all
    their columns.
    """
    return Timeline.of(events, sums=sum_expressions(name))


def build_narrow_timeline(events: pl.LazyFrame, name: str) -> Timeline:
    """The same with no more columns than the sums need: few for the many events of a person."""
    return build_declared_timeline(events.select("owner", "known_at", *columns_to_sum(name)), name)
