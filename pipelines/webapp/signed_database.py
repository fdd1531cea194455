"""The serving database of an installation, opened so that what is audited is signed."""

from sqlalchemy import Engine

from pipelines.clock import wall_clock
from pipelines.settings import Settings
from pipelines.storage.installation.audit_key import AuditKey
from pipelines.storage.installation.databases import open_serving_database
from serving.database.engine import signing_engine

__all__ = ["open_signed_database"]


def open_signed_database(settings: Settings) -> Engine:
    """An engine on the serving database that signs with the key of the installation."""
    engine = open_serving_database(settings)
    return signing_engine(engine, AuditKey.open(settings), at=wall_clock())
