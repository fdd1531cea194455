"""Entries of the vault that nothing names any more."""

from collections.abc import Iterator

import polars as pl
from sqlalchemy import select

from pipelines.settings import Settings
from pipelines.storage.installation.databases import open_serving_database
from pipelines.storage.installation.vault import IdentifierKind, Vault
from pipelines.storage.lake import Lake
from pipelines.storage.ledger import Ledger
from serving.database.engine import read_transaction
from serving.database.tables import AlertRow, DispositionRow, SuspectRow

__all__ = ["remove_unnamed"]

# Which columns of the lake name what.
NAMED_BY: dict[IdentifierKind, tuple[tuple[str, str], ...]] = {
    "person": tuple((name, "person") for name in ("residents", "subscribers", "accounts", "cases")),
    "number": (
        ("calls", "number"),
        ("calls", "peer"),
        ("subscribers", "number"),
        ("number_tags", "number"),
        ("cases", "suspect_numbers"),
    ),
    "account": (
        ("transfers", "account"),
        ("transfers", "payee"),
        ("accounts", "account"),
        ("cases", "suspect_accounts"),
    ),
}


def remove_unnamed(settings: Settings, *, lake: Lake, ledger: Ledger) -> int:
    """Remove what no record, list or file names; return how many entries went.

    Whoever calls it is the lake's only writer: a load puts its identifiers there first.
    """
    vault = Vault.open(settings)
    published = pl.Series(sorted(set(_published(settings))), dtype=pl.String)
    gone = 0
    for kind, columns in NAMED_BY.items():
        named = pl.concat([published, *(_values(lake, *column) for column in columns)])
        gone += vault.keep_only(kind, named)
    return gone + vault.keep_only("file", pl.Series(ledger.paths(), dtype=pl.String))


def _values(lake: Lake, dataset: str, column: str) -> pl.Series:
    values = lake.scan(dataset).select(column)
    if column.startswith("suspect"):
        values = values.explode(column)
    return values.drop_nulls().unique().collect(engine="streaming")[column]


def _published(settings: Settings) -> Iterator[str]:
    """Pseudonyms that lists, alerts and results show."""
    engine = open_serving_database(settings)
    try:
        with read_transaction(engine) as session:
            yield from session.scalars(select(SuspectRow.key).distinct())
            yield from session.scalars(select(AlertRow.person).distinct())
            yield from session.scalars(select(DispositionRow.person).distinct())
            shown = (AlertRow.suspect_numbers, AlertRow.suspect_accounts, AlertRow.timeline)
            for numbers, accounts, timeline in session.execute(select(*shown)):
                yield from numbers
                yield from accounts
                for event in timeline:
                    yield from (one for one in event.values() if isinstance(one, str))
    finally:
        engine.dispose()
