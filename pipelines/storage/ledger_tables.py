"""Tables of the ledger. Days, moments and notes are stored as text, in ISO form and as JSON."""

import json
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

__all__ = [
    "ARRIVALS",
    "BATCHES",
    "DECISIONS",
    "ERASURES",
    "FILES",
    "METADATA",
    "RAW_IDS",
    "RETRIES",
    "STRAYS",
    "UNDONE",
]


class IsoDate(TypeDecorator[date]):
    """A day as ``2026-07-05``."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> date | None:  # noqa: ARG002
        return date.fromisoformat(value) if value else None


class IsoMoment(TypeDecorator[datetime]):
    """A moment with its offset, as ``2026-07-05T08:00:00+08:00``."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return datetime.fromisoformat(value) if value else None


class JsonTexts(TypeDecorator[tuple[str, ...]]):
    """A row of texts as a JSON list."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> str:  # noqa: ARG002
        return json.dumps(list(value or ()), ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...]:  # noqa: ARG002
        return tuple(json.loads(value or "[]"))


class JsonNumbers(TypeDecorator[tuple[int, ...]]):
    """Whole numbers as a JSON list."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[int] | None, dialect: Dialect) -> str:  # noqa: ARG002
        return json.dumps(list(value or ()))

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[int, ...]:  # noqa: ARG002
        return tuple(json.loads(value or "[]"))


METADATA = MetaData(info={"version": 8})


def _batch_number() -> Column[int]:
    return Column("batch", Integer, ForeignKey("batches.batch", ondelete="CASCADE"), nullable=False)


BATCHES = Table(
    "batches",
    METADATA,
    Column("batch", Integer, primary_key=True),
    Column("dataset", Text, nullable=False),
    Column("state", Text, CheckConstraint("state IN ('prepared', 'committed')"), nullable=False),
    Column("delta_version", Integer),
    Column("received_at", IsoMoment, nullable=False),
    Column("landing", Text, nullable=False, server_default=""),
)
FILES = Table(
    "files",
    METADATA,
    _batch_number(),
    Column("path", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("stamp", Text, nullable=False),
    Column("through", IsoDate),
    Column("rows", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("quarantined", Integer, nullable=False),
    Column("duplicates", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("notes", JsonTexts, nullable=False),
    Column("skipped", Integer, nullable=False, server_default="0"),
    Column("status", Text, nullable=False, server_default=""),
    Column("warnings", JsonTexts, nullable=False, server_default="[]"),
    Column("held_for", Text, nullable=False, server_default=""),
    Column("remedy", Text, nullable=False, server_default=""),
    Index("files_by_digest", "dataset", "digest"),
    Index("files_by_stamp", "stamp"),
    Index("files_by_path", "path"),
)
ARRIVALS = Table(
    "arrivals",
    METADATA,
    _batch_number(),
    Column("dataset", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("event_day", IsoDate),
    Column("path", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("known_until", IsoMoment),
    Index("arrivals_by_batch", "batch"),
)
# Rejected rows that left the quarantine when they were tried again: of which load, and which rows.
RETRIES = Table(
    "retries",
    METADATA,
    _batch_number(),
    Column("dataset", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("of_batch", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("duplicates", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("rows", JsonNumbers, nullable=False),
    Index("retries_by_load", "of_batch", "path"),
)
# What somebody, or a file itself, decided about a load: the audit trail of the lake.
DECISIONS = Table(
    "decisions",
    METADATA,
    _batch_number(),
    Column("kind", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("target_path", Text, nullable=False),
    Column("target_digest", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("why", Text, nullable=False),
    Index("decisions_by_target", "dataset", "target_digest"),
)
# Payments that a reversal undid, and the reversals: who delivers them again delivers nothing new.
UNDONE = Table(
    "undone",
    METADATA,
    _batch_number(),
    Column("dataset", Text, nullable=False),
    Column("event_day", IsoDate, nullable=False),
    Column("row", Text, nullable=False),
    Index("undone_by_day", "dataset", "event_day"),
)
# What was taken out of the lake for good, files of older versions with it.
ERASURES = Table(
    "erasures",
    METADATA,
    _batch_number(),
    Column("dataset", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("days_before", IsoDate),
    Column("readable_from", Integer),
)
# Datasets whose records bear the numbers of their deliveries, as former versions kept them.
RAW_IDS = Table("raw_ids", METADATA, Column("dataset", Text, primary_key=True))
# Files in a landing folder that belong to no dataset, as the last load of that folder saw them.
STRAYS = Table(
    "strays",
    METADATA,
    Column("landing", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("remedy", Text, nullable=False, server_default=""),
    Column("seen_at", IsoMoment, nullable=False),
)
