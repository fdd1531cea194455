"""Engine, sessions and migrations of the serving database: SQLite by default, PostgreSQL by URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.orm import Session, SessionTransaction

from serving.database.audit_chain import begin_signing
from serving.database.audit_signature import SIGNER, Signer

__all__ = [
    "at_head",
    "engine_for",
    "one_publisher",
    "open_database",
    "read_transaction",
    "shows_every_row",
    "signing_engine",
    "sqlite_url",
    "upgrade_database",
    "write_transaction",
]

BUSY_TIMEOUT_S = 30
CONNECTIONS = 15
CONNECTIONS_KEPT = 10  # opened beyond them for a rush, and closed after it
EVERY_COMMUNITY = "*"
SEPARATOR = "\x1f"  # no code of a community holds it
MIGRATION_LOCK = 0x666F7265  # one migration at a time on PostgreSQL; any fixed number does
PUBLISHING_LOCK = 0x666F7266  # as the one above
MIGRATIONS = Path(__file__).parent / "migrations"


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite database in ``path``."""
    return f"sqlite:///{path.resolve()}"


def signing_engine(engine: Engine, signer: Signer, *, at: datetime) -> Engine:
    """Return ``engine`` so that every audit entry written through it is signed; a trail that is not
    signed yet is from ``at`` on.
    """
    signing = engine.execution_options(**{SIGNER: signer})
    with write_transaction(signing) as session:
        begin_signing(session, at=at)
    return signing


def engine_for(url: str, *, connections: int = CONNECTIONS) -> Engine:
    """Return an engine for ``url`` with up to so many ``connections``; nothing is opened yet.

    Its errors never repeat the values of a statement.
    """
    kept = min(connections, CONNECTIONS_KEPT)
    pool = {"pool_size": kept, "max_overflow": connections - kept}
    if make_url(url).get_backend_name() == "sqlite":
        # A database in memory, which descriptions of the API are made with, has no pool to size
        sized = {} if make_url(url).database in {None, "", ":memory:"} else pool
        engine = create_engine(
            url, connect_args={"timeout": BUSY_TIMEOUT_S}, hide_parameters=True, **sized
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # A page reads in several statements; under this isolation they all see the same moment.
    return create_engine(
        url, isolation_level="REPEATABLE READ", pool_pre_ping=True, hide_parameters=True, **pool
    )


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours, see _begin_sqlite
    # The write-ahead log of SQLite < 3.51.3 can lose a reset
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock at once: a reader that turns writer half-way cannot wait and would
    # fail as busy.
    connection.exec_driver_sql(
        "BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN"
    )


@contextmanager
def read_transaction(
    engine: Engine, *, communities: frozenset[str] | None = None
) -> Iterator[Session]:
    """Give a session that sees one moment of the database and writes nothing.

    PostgreSQL shows it rows of these ``communities`` only; None means all.
    """
    with Session(engine, autoflush=False) as session:
        _narrow(session, communities)
        yield session


@contextmanager
def write_transaction(
    engine: Engine, *, communities: frozenset[str] | None = None
) -> Iterator[Session]:
    """Give a session whose work is committed as a whole at the end, or not at all.

    See ``read_transaction``.
    """
    with _turn_to_write(engine), Session(_writer(engine), expire_on_commit=False) as session:
        _narrow(session, communities)
        with session.begin():
            yield session


@contextmanager
def _turn_to_write(engine: Engine) -> Iterator[None]:
    """Wait for the other writers of this process, on SQLite, which lets in one at a time.

    It would have them ask again and again, each with a connection in its hand, and longer apart
    each time.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    turn = _turns_of(str(engine.url))
    # Given up after a while, and then SQLite says that it is busy; a session may end in another
    # thread than it began in
    has_turn = turn.acquire(timeout=BUSY_TIMEOUT_S)
    try:
        yield
    finally:
        if has_turn:
            turn.release()


@cache
def _turns_of(_url: str) -> Lock:
    return Lock()


@contextmanager
def one_publisher(engine: Engine) -> Iterator[None]:
    """Let nobody else decide and publish on the same PostgreSQL meanwhile: who comes second waits.

    SQLite lies in one home, whose own lock does the same.
    """
    if engine.dialect.name != "postgresql":
        yield
        return
    # No transaction: one that stays open for minutes would keep the database from tidying up.
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        lock = {"lock": PUBLISHING_LOCK}
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), lock)
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), lock)


def _narrow(session: Session, communities: frozenset[str] | None) -> None:
    """Tell PostgreSQL in every transaction of ``session`` whose rows it may show.

    Unsaid, it shows none.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    scope = (
        EVERY_COMMUNITY
        if communities is None
        else "".join(SEPARATOR + code for code in sorted(communities))
    )

    def set_scope(
        _session: Session, _transaction: SessionTransaction, connection: Connection
    ) -> None:
        _set_scope(connection, scope)

    event.listen(session, "after_begin", set_scope)


def _set_scope(connection: Connection, scope: str) -> None:
    connection.execute(
        text("SELECT set_config('forestall.communities', :scope, true)"), {"scope": scope}
    )


def _writer(engine: Engine) -> Engine:
    if engine.dialect.name == "sqlite":
        return engine.execution_options(writes=True)
    # A writer must see what the one it waited for has written; constraints decide who was first.
    return engine.execution_options(isolation_level="READ COMMITTED")


def shows_every_row(engine: Engine) -> bool:
    """Say whether PostgreSQL shows our role every row, whatever the policies say: superusers and
    the like.
    """
    if engine.dialect.name != "postgresql":
        return False
    with engine.connect() as connection:
        query = text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        return bool(connection.execute(query).scalar_one())


def upgrade_database(url: str) -> None:
    """Bring the schema of the database at ``url`` to the newest revision.

    Safe to call at every start.
    """
    engine = engine_for(url)
    try:
        migrate_schema(engine)
    finally:
        engine.dispose()


def open_database(url: str, *, connections: int = CONNECTIONS) -> Engine:
    """Return an engine for ``url`` whose schema is at the newest revision; see ``engine_for``."""
    engine = engine_for(url, connections=connections)
    migrate_schema(engine)
    return engine


def migrate_schema(engine: Engine) -> None:
    """Run the migrations that are missing, in one transaction."""
    from alembic import command

    if at_head(engine):
        return
    with _writer(engine).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(
                text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK}
            )
            _set_scope(connection, EVERY_COMMUNITY)  # what a migration fills in it must see
        command.upgrade(_alembic_config(connection), "head")


def at_head(engine: Engine) -> bool:
    """Say whether the schema is the one this program was written for."""
    from alembic.runtime.migration import MigrationContext

    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_heads()
    return set(current) == _newest_revisions()


@cache
def _newest_revisions() -> frozenset[str]:
    from alembic.script import ScriptDirectory

    return frozenset(ScriptDirectory(str(MIGRATIONS)).get_heads())


def _alembic_config(connection: Connection) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
