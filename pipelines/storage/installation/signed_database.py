"""The serving database of an installation, opened so that what is audited is signed."""

from sqlalchemy import Engine

from pipelines.clock import wall_clock
from pipelines.settings import Settings
from pipelines.storage.installation.audit_key import AuditKey
from pipelines.storage.installation.databases import open_serving_database
from serving.database.audit_chain import is_signed
from serving.database.engine import read_transaction, signing_engine

__all__ = ["open_audit_key", "open_signed_database"]


def open_signed_database(settings: Settings) -> Engine:
    """An engine on the serving database that signs with the key of the installation."""
    engine = open_serving_database(settings)
    return signing_engine(engine, open_audit_key(settings, engine), at=wall_clock())


def open_audit_key(settings: Settings, engine: Engine) -> AuditKey:
    """The key that the trail behind ``engine`` is signed with; made only where none is signed yet.

    Raises ``NotReadyError``, with nothing written, where the key is gone.
    """
    with read_transaction(engine) as session:
        return AuditKey.open(settings, makes=not is_signed(session))
