"""Leave to delete results, which the database itself refuses: for an erasure, and for its
transaction alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.orm import Session

from serving.database.tables import DispositionRow

__all__ = ["erasable_results"]

TABLE = DispositionRow.__tablename__
TRIGGER_ON_DELETE = f"{TABLE}_no_delete"  # of SQLite
TRIGGER = f"{TABLE}_no_change"  # of PostgreSQL


@contextmanager
def erasable_results(session: Session) -> Iterator[None]:
    """Let the block delete results; the lock is back before the transaction ends, or nothing was
    done.
    """
    if session.get_bind().dialect.name == "sqlite":
        kept = text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = :name")
        trigger = session.scalar(kept, {"name": TRIGGER_ON_DELETE})
        session.execute(text(f"DROP TRIGGER {TRIGGER_ON_DELETE}"))
        yield
        session.execute(text(str(trigger)))
    else:
        session.execute(text(f"ALTER TABLE {TABLE} DISABLE TRIGGER {TRIGGER}"))
        yield
        session.execute(text(f"ALTER TABLE {TABLE} ENABLE TRIGGER {TRIGGER}"))
