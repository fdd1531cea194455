"""SQLite as forestall uses it: rollback journal, every commit flushed, writers lock at once."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, NullPool, create_engine, event, inspect
from sqlalchemy.schema import CreateColumn

from data_contracts.errors import NotReadyError

__all__ = [
    "create_database",
    "create_tables",
    "fetch_rows",
    "open_engine",
    "write_at_once",
    "write_transaction",
]

BUSY_SECONDS = 60


def create_database(path: Path, *, schema: str) -> None:
    """Make the database file with the tables of ``schema``, unless that was done before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(exist_ok=True)
    if fetch_rows(path, query="PRAGMA user_version") == [(1,)]:
        return
    with write_transaction(path) as connection:
        for statement in filter(str.strip, schema.split(";")):
            connection.execute(statement)
        connection.execute("PRAGMA user_version = 1")


def fetch_rows(path: Path, *, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """All rows of a query; raises ``NotReadyError`` where there is no such file."""
    with closing(_connect_to_existing(path)) as connection:
        return connection.execute(query, tuple(values)).fetchall()


@contextmanager
def write_transaction(path: Path, *, secure_delete: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection whose writes are all kept, or none if the block raises; with ``secure_delete``
    what is deleted is written over. Raises ``NotReadyError`` where there is no such file.
    """
    with closing(_connect_to_existing(path)) as connection:
        if secure_delete:
            connection.execute("PRAGMA secure_delete = ON")
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def open_engine(path: Path) -> Engine:
    """An engine for the database file, whose folder is made: a connection is opened for each use
    and closed after it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    return _engine(path)


@lru_cache(maxsize=16)  # an engine remembers what it made of statements, and holds no connection
def _engine(path: Path) -> Engine:
    engine = create_engine("sqlite://", creator=lambda: _connect(path), poolclass=NullPool)
    event.listen(engine, "begin", _begin)
    return engine


def create_tables(engine: Engine, metadata: MetaData) -> int:
    """Make the tables of ``metadata``, and add the columns and indexes that a file of an earlier
    version lacks; every new column has a default for the rows that are there.

    ``metadata.info["version"]`` says which version of the tables a file was brought to; return the
    one that it had before, 0 for a new file.
    """
    version = metadata.info["version"]
    with engine.connect() as connection:
        before: int = connection.exec_driver_sql("PRAGMA user_version").scalar() or 0
        if before == version:
            return before
    with write_at_once(engine) as connection:
        tables = metadata.sorted_tables if inspect(connection).get_table_names() else ()
        metadata.create_all(connection, checkfirst=bool(tables))
        for table in tables:
            present = {column["name"] for column in inspect(connection).get_columns(table.name)}
            for column in table.columns:
                if column.name not in present:
                    definition = CreateColumn(column).compile(dialect=connection.dialect)
                    connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {definition}")
            for index in table.indexes:
                index.create(connection, checkfirst=True)
        connection.exec_driver_sql(f"PRAGMA user_version = {version}")
    return before


@contextmanager
def write_at_once(engine: Engine) -> Iterator[Connection]:
    """A connection that holds the write lock from the start; its writes are all kept, or none if
    the block raises.
    """
    with engine.execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
        yield connection


def _begin(connection: Connection) -> None:
    # Python's own way of beginning late would let two writers read first and then collide.
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _connect_to_existing(path: Path) -> sqlite3.Connection:
    # SQLite itself would make an empty file in the place of one that is gone.
    if not path.exists():
        raise NotReadyError(
            f"the database {path} is gone", remedy="Stop, and put it back from a backup."
        )
    return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    # The default rollback journal, not WAL: the SQLite that CPython links has a WAL bug with
    # several connections.
    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection
