"""Great Expectations over a DuckDB connection: it has no such data source of its own.

This module imports Great Expectations (seconds), so it is imported only where a check runs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import sqlalchemy as sa
from great_expectations.datasource.fluent import SQLDatasource
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from pydantic.v1 import PrivateAttr

__all__ = ["DuckDBSource"]


class _ColumnNames:
    """Tells Great Expectations the names of columns, which is all it needs to know.

    SQLAlchemy's inspector, in its place, asks in PostgreSQL's way. That takes DuckDB longer than
    most checks, and finds nothing: a frame that is registered is no table to it.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self.dialect = connection.dialect

    def get_columns(self, table_name: str, schema: str | None = None) -> list[dict[str, Any]]:  # noqa: ARG002 # SQLAlchemy's signature
        """Return the names, in order."""
        query = sa.select(sa.text("*")).select_from(sa.table(table_name)).limit(0)
        names = self._connection.execute(query).keys()
        return [{"name": name} for name in names]

    def get_pk_constraint(self, table_name: str, schema: str | None = None) -> dict[str, Any]:  # noqa: ARG002 # SQLAlchemy's signature
        """Return that there is no primary key."""
        return {}


class _KeptConnectionEngine(SqlAlchemyExecutionEngine):  # type: ignore[misc] # arrives untyped
    """Runs every query on one connection: what is registered there is seen, and rows can be fetched
    after the query.
    """

    def __init__(self, connection: sa.Connection) -> None:
        super().__init__(engine=connection.engine, create_temp_table=False)
        self._kept = connection

    def get_inspector(self) -> _ColumnNames:
        """Return what knows the columns."""
        return _ColumnNames(self._kept)

    @contextmanager
    def get_connection(self) -> Iterator[sa.Connection]:
        """Lend the connection, and leave it open."""
        yield self._kept


class DuckDBSource(SQLDatasource):  # type: ignore[misc] # arrives untyped
    """A data source whose tables are those of one open DuckDB connection, given by ``attach``.

    Defining it adds ``add_duckdb_connection`` to every context's data sources.
    """

    type: Literal["duckdb_connection"] = "duckdb_connection"
    connection_string: str = "duckdb:///:memory:"
    _connection: Any = PrivateAttr(None)
    _execution_engine: Any = PrivateAttr(None)

    def attach(self, connection: sa.Connection) -> None:
        """Use this connection from now on. It goes by PostgreSQL's name, whose regular expressions
        DuckDB follows.
        """
        dialect = connection.engine.dialect
        dialect.name = "postgresql"
        words = dialect.identifier_preparer
        words.reserved_words = {
            *words.reserved_words,
            "at",
        }  # reserved in DuckDB, and not known to be
        self._connection = connection
        self._execution_engine = _KeptConnectionEngine(connection)

    def detach(self) -> None:
        """Let go of the connection and of everything learned from it: contexts outlive their
        checks. The names of tables stay.
        """
        self._connection = None
        self._execution_engine = None

    def get_engine(self) -> sa.Engine:
        """Return the engine of the attached connection."""
        engine: sa.Engine = self._connection.engine
        return engine

    def get_execution_engine(self) -> SqlAlchemyExecutionEngine:
        """Return the engine that keeps to the attached connection."""
        return self._execution_engine

    def test_connection(self, test_assets: bool = True) -> None:  # noqa: FBT001 # Great Expectations' signature
        """Do nothing: the connection is open before it is attached."""
