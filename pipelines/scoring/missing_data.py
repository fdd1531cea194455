"""What was missing of a person at a moment, as the codes that an alert carries and
``serving.presentation.wording.describe_missing`` words.
"""

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from features.entities.feeds import LateSource
from features.event_index import EventIndex

__all__ = ["find_missing_data"]

RECORD_KIND_COLUMNS = {
    "calls": ("calls_in_30d", "calls_out_30d", "sms_30d"),
    "transfers": ("debits_30d", "credit_cny_30d"),
}


def find_missing_data(
    event_index: EventIndex, rows: pl.DataFrame, *, at: datetime
) -> list[tuple[str, ...]]:
    """What is missing of each of ``rows``, a snapshot at ``at``.

    ``calls`` and ``transfers`` where no such record of the person is known in 30 days;
    ``calls:cmcc:2026-07-03`` where a source that serves the person has delivered nothing since that
    day, ``calls:cmcc`` where nothing within memory.
    """
    codes = rows.select("person").join(
        event_index.people, on="person", how="left", maintain_order="left"
    )["code"]
    return [
        (*missing_record_kinds(row), *silent_source_codes(event_index, code, at=at))
        for code, row in zip(codes, rows.iter_rows(named=True), strict=True)
    ]


def missing_record_kinds(row: Mapping[str, float | None]) -> tuple[str, ...]:
    """Which kinds of records say nothing about this person in 30 days."""
    return tuple(
        kind
        for kind, columns in RECORD_KIND_COLUMNS.items()
        if not any(row[column] for column in columns)
    )


def silent_source_codes(event_index: EventIndex, owner: int, *, at: datetime) -> tuple[str, ...]:
    """Which operators and banks of this person are late, and since when."""
    feeds = {"calls": event_index.call_feeds, "transfers": event_index.transfer_feeds}
    return tuple(
        silence_code(dataset, one)
        for dataset, feed in feeds.items()
        for one in feed.late_sources(owner, at)
    )


def silence_code(dataset: str, silence: LateSource) -> str:
    """The code of one silent source."""
    since = f":{silence.since:%Y-%m-%d}" if silence.since else ""
    return f"{dataset}:{silence.source}{since}"
