"""The identity of a database: an id that is made once with it, and by which an installation knows
its own again.
"""

import secrets

from sqlalchemy import Engine, insert, inspect, select

from serving.database.engine import write_transaction
from serving.database.tables import InstallationRow

__all__ = ["find_identity", "keep_identity"]


def find_identity(engine: Engine) -> str | None:
    """Return the id of the database; None where it has none, as an empty one."""
    with engine.connect() as connection:
        if not inspect(connection).has_table(InstallationRow.__tablename__):
            return None
        found: str | None = connection.scalar(select(InstallationRow.id))
        return found


def keep_identity(engine: Engine) -> str:
    """Return the id of the database, which is given one where it has none; the schema must be
    there.
    """
    with write_transaction(engine) as session:
        found = session.scalar(select(InstallationRow.id))
        if found is None:
            found = secrets.token_hex(16)
            session.execute(insert(InstallationRow).values(id=found))
        return found
