"""SQLite as forestall uses it: rollback journal, every commit flushed, writers lock at once."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

__all__ = ["create_database", "fetch_rows", "write_transaction"]

BUSY_SECONDS = 60


def create_database(path: Path, *, schema: str) -> None:
    """Make the database file with the tables of ``schema``, unless that was done before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if fetch_rows(path, query="PRAGMA user_version") == [(1,)]:
        return
    with write_transaction(path) as connection:
        for statement in filter(str.strip, schema.split(";")):
            connection.execute(statement)
        connection.execute("PRAGMA user_version = 1")


def fetch_rows(path: Path, *, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    with closing(_connect(path)) as connection:
        return connection.execute(query, tuple(values)).fetchall()


@contextmanager
def write_transaction(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection whose writes are all kept, or none if the block raises."""
    with closing(_connect(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def _connect(path: Path) -> sqlite3.Connection:
    # The default rollback journal, not WAL: the SQLite that CPython links has a WAL bug with
    # several connections.
    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection
