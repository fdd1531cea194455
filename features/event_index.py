"""The event index: all events that a snapshot needs, sorted once for a span of time and then
queried at many moments.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import polars as pl

from features.catalogue.definitions import MASS_RULE, MassRule
from features.entities import calls, transfers
from features.entities.feeds import Feeds, call_feeds, transfer_feeds
from features.entities.holdings import account_holdings, number_holdings
from features.entities.mass_numbers import (
    build_mass_timeline,
    busy_numbers,
    may_be_mass_numbers,
    without_public_services,
)
from features.entities.number_profiles import (
    FOLLOWED_SUMS,
    contacts_of_numbers,
    first_payments_outside,
    payments_after_contact,
)
from features.event_timelines import TIMELINES
from features.kernel.source_tables import SourceTables, dense_codes
from features.kernel.timeline import Timeline

__all__ = [
    "HOLDING",
    "KIND_CODES",
    "CodedHoldings",
    "EventIndex",
    "build_event_index",
    "code_holdings",
    "index_with_people_anew",
    "mass_timelines",
    "names_in_cases",
]


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
    holdings = code_holdings(tables, people)
    number_list = list_numbers(tables)
    account_list = list_accounts(tables)
    timelines = lay_out_timelines(tables, holdings, number_list, account_list)
    led = payments_after_contact(
        timelines["stranger_contacts"],
        first_payments_outside(timelines["new_payee_payments"].events),
    )
    return EventIndex(
        people=people,
        numbers_held=holdings.numbers.select(*HOLDING),
        accounts_held=holdings.accounts.drop_nulls("owner").select(*HOLDING),
        **timelines,
        **mass_timelines(
            timelines["contacts_by_number"],
            busy_numbers(timelines["contacts_by_number"].events.lazy()),
            limit=holdings.mass_limit(mass_rule),
        ),
        payments_after_contact=Timeline.of(led.lazy(), sums=FOLLOWED_SUMS),
        named_peers=first_named_at(tables.cases, "suspect_numbers", number_list, "peer"),
        named_payees=first_named_at(tables.cases, "suspect_accounts", account_list, "payee"),
        numbers=number_list,
        accounts=account_list,
        call_feeds=call_feeds(tables, people),
        transfer_feeds=transfer_feeds(tables, people),
    )


def lay_out_timelines(
    tables: SourceTables, holdings: "CodedHoldings", numbers: pl.DataFrame, accounts: pl.DataFrame
) -> dict[str, Timeline]:
    """The timelines of ``TIMELINES`` from all calls and transfers of ``tables``."""
    coded_calls = calls.code_calls(
        without_public_services(tables),
        people=holdings.numbers.lazy(),
        peers=numbers.lazy().select("peer", peer_code="code"),
    )
    coded_transfers = transfers.code_transfers(
        tables.transfers,
        holders=holdings.accounts.lazy(),
        payees=accounts.lazy().select("payee", payee_code="code"),
    )
    made_of = {
        "contacts": calls.relate_contacts(coded_calls).collect().lazy(),
        "payments": transfers.relate_payments(coded_transfers).collect().lazy(),
    }
    return {
        name: Timeline.of(one.events(made_of[one.made_of]), sums=one.sums)
        for name, one in TIMELINES.items()
    }


def index_with_people_anew(
    event_index: EventIndex, tables: SourceTables, owners: pl.Series
) -> EventIndex:
    """``event_index`` with what some people (codes ``owners``) did laid out anew from ``tables``,
    in the same codes, and with the feeds of ``tables``.

    It answers for these people alone. What numbers and accounts do to the district stays as it is
    in ``event_index``: so it costs what these people's records cost, however large the district.
    """
    holdings = code_holdings(tables, event_index.people)
    theirs = pl.col("owner").is_in(owners.implode())
    numbers = holdings.numbers.filter(theirs)["number"].unique()
    accounts = holdings.accounts.filter(theirs)["account"].unique()
    mine = replace(
        tables,
        calls=tables.calls.filter(pl.col("number").is_in(numbers.implode())),
        transfers=tables.transfers.filter(pl.col("account").is_in(accounts.implode())),
    )
    timelines = lay_out_timelines(mine, holdings, event_index.numbers, event_index.accounts)
    mass = event_index.mass_numbers.events["owner"].unique().cast(pl.Int64).to_numpy()
    contacts = contacts_of_numbers(timelines["contacts_by_number"].of_owners(mass))
    anew: dict[str, Any] = {
        name: log for name, log in timelines.items() if name not in OF_COUNTERPARTIES
    }
    return replace(
        event_index,
        **anew,
        mass_contacts=Timeline.of(contacts.lazy()),
        call_feeds=call_feeds(tables, event_index.people),
        transfer_feeds=transfer_feeds(tables, event_index.people),
    )


OF_COUNTERPARTIES = ("contacts_by_number", "payments_by_account")
HOLDING = ("owner", "since", "until")


@dataclass(frozen=True, eq=False)
class CodedHoldings:
    """Who held which number and account (``features.entities.holdings``), ``owner`` the code of the
    person: of numbers those of residents, of accounts all, null for somebody from elsewhere.
    """

    numbers: pl.DataFrame
    accounts: pl.DataFrame

    def mass_limit(self, rule: MassRule) -> float:
        """How many residents a number must reach within a day to be a mass number."""
        return rule.limit(self.numbers["owner"].n_unique())


def code_holdings(tables: SourceTables, people: pl.DataFrame) -> CodedHoldings:
    """The holdings of the registers; ``people`` has ``person`` and ``code``."""
    owners = people.lazy().select("person", owner="code")
    return CodedHoldings(
        numbers=number_holdings(tables).join(owners, on="person").collect(),
        accounts=account_holdings(tables).join(owners, on="person", how="left").collect(),
    )


def mass_timelines(
    by_number: Timeline, busy: pl.LazyFrame, *, limit: float, until: datetime | None = None
) -> dict[str, Timeline]:
    """``mass_numbers`` and ``mass_contacts`` from the contacts by number that were known before
    ``until``; ``busy`` says how many of these there were a day
    (``features.entities.mass_numbers.busy_numbers``).
    """
    codes = may_be_mass_numbers(busy, limit=limit)
    contacts = contacts_of_numbers(by_number.of_owners(codes.cast(pl.Int64).to_numpy()))
    contacts = contacts if until is None else contacts.filter(pl.col("known_at") < until)
    mass = build_mass_timeline(contacts.sort("owner", "peer_code", "known_at"), limit=limit)
    theirs = pl.col("peer_code").is_in(mass.events["owner"].unique().implode())
    return {"mass_numbers": mass, "mass_contacts": Timeline.of(contacts.lazy().filter(theirs))}


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
    named = names_in_cases(cases, column).rename({"name": key})
    return named.join(names.lazy(), on=key).select("code", "named_at").collect()


def names_in_cases(cases: pl.LazyFrame, column: str) -> pl.LazyFrame:
    """``name`` and ``named_at``: what cases name in ``column``, and since when that is known."""
    return (
        cases.select("known_at", name=pl.col(column))
        .explode("name")
        .drop_nulls("name")
        .group_by("name")
        .agg(named_at=pl.col("known_at").min())
    )
