"""What the lake knew before a moment, as the records that features are made of."""

from datetime import datetime, timedelta

import polars as pl

from data_contracts.errors import NotReadyError
from features.kernel.source_tables import LOOKBACK, SourceTables
from pipelines.settings import Settings
from pipelines.storage.lake import Lake
from pipelines.storage.lake_schemas import EVENTS, FEATURE_COLUMNS

__all__ = ["latest_moment", "source_tables_before"]

LONGEST_CALL_AND_DELAY = timedelta(
    days=2
)  # an event can become known so long after its event day began


def source_tables_before(
    settings: Settings,
    *,
    at: datetime,
    span: timedelta = timedelta(0),
    lake: Lake | None = None,
) -> SourceTables:
    """The records known strictly before ``at``, far enough back to ask for moments in ``[at - span,
    at]``.

    The registers are those that stood before ``at``; where none had come by then, as when a past is
    loaded afterwards, those of today. The dates in them say who held a number or an account when.
    ``lake`` is one that is fixed to a version, else they are read from the newest.

    Raises ``NotReadyError`` where the lake holds no residents, or no events of that time.
    """
    lake = lake or Lake.of(settings)
    first = (at - span - LOOKBACK - LONGEST_CALL_AND_DELAY).date()
    days = (first, at.date())
    if not any(days[0] <= day <= days[1] for dataset in EVENTS for day in lake.days(dataset)):
        raise NotReadyError(
            f"the lake holds no calls or transfers from {days[0]} to {days[1]}",
            remedy="Run `forestall ingest LANDING` first, or choose a moment (--at) that the data "
            "covers.",
        )
    events = {
        name: lake.scan(name, days=days)
        .select("record_id", *columns)
        .filter(pl.col("known_at") < at)
        for name, columns in FEATURE_COLUMNS.items()
    }
    return SourceTables(
        calls=events["calls"],
        transfers=events["transfers"],
        residents=lake.scan_register("residents", before=at),
        subscribers=lake.scan_register("subscribers", before=at),
        accounts=lake.scan_register("accounts", before=at),
        cases=lake.scan("cases").filter(pl.col("known_at") < at),
        number_tags=lake.scan_register("number_tags", before=at),
    )


def latest_moment(settings: Settings) -> datetime:
    """The moment just after the last event that the lake knows of, on the full minute."""
    lake = Lake.of(settings)
    latest: list[datetime] = []
    for name in EVENTS:
        days = lake.days(name)
        if days:
            found = (
                lake.scan(name, days=(days[-1], days[-1]))
                .select(pl.col("known_at").max())
                .collect()
                .item()
            )
            latest.append(found)
    if not latest:
        raise NotReadyError("the lake is empty", remedy="Run `forestall ingest LANDING` first.")
    return max(latest).replace(second=0, microsecond=0) + timedelta(minutes=1)
