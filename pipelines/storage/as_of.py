"""What the lake knew before a moment, as the records that features are made of."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from statistics import median

import polars as pl

from data_contracts.errors import NotReadyError
from features.kernel.source_tables import LOOKBACK, SourceTables
from pipelines.settings import Settings
from pipelines.storage.checked_files import CHECKED_FILES, CheckedFiles
from pipelines.storage.lake import Lake
from pipelines.storage.lake_schemas import EVENTS, FEATURE_COLUMNS

__all__ = ["last_day_of_many", "latest_moment", "source_tables_before"]

LONGEST_CALL_AND_DELAY = timedelta(
    days=2
)  # an event can become known so long after its event day began
NEXT_TO_NOTHING = 0.1  # of the rows of a usual day


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
    ``lake`` is one that is fixed to a version, else they are read from the newest. Each data file
    that they are read from is what was written.

    Raises ``NotReadyError`` where the lake holds no residents, or no events of that time,
    ``LakeError`` where a file is damaged.
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
    checked = CheckedFiles(settings.store_folder / CHECKED_FILES)
    lake.require_whole(lake.files_of_days(days), checked=checked)
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
    """The moment just after the last event that the lake knows of, on the full minute.

    A few rows more than ``ingest.ahead_days`` after everything else are not followed: a wrong date
    must not move every command into a future of which nothing is known.
    """
    lake = Lake.of(settings).fixed()
    rows = sum((Counter(lake.rows_by_day(name)) for name in EVENTS), Counter[date]())
    if not rows:
        raise NotReadyError("the lake is empty", remedy="Run `forestall ingest LANDING` first.")
    last = last_day_of_many(rows, gap=timedelta(days=settings.ingest.ahead_days))
    latest: list[datetime] = []
    for name in EVENTS:
        days = [day for day in lake.days(name) if day <= last]
        if days:
            events = lake.scan(name, days=(days[-1], days[-1]))
            latest.append(events.select(pl.col("known_at").max()).collect().item())
    return max(latest).replace(second=0, microsecond=0) + timedelta(minutes=1)


def last_day_of_many(rows: Mapping[date, int], *, gap: timedelta) -> date:
    """The last of the days with so many ``rows``, but for those that come after such a gap and hold
    next to nothing.
    """
    days = sorted(rows)
    while True:
        starts = [i for i in range(1, len(days)) if days[i] - days[i - 1] > gap]
        if not starts:
            return days[-1]
        before, after = days[: starts[-1]], days[starts[-1] :]
        usual = median(rows[day] for day in before)
        if sum(rows[day] for day in after) >= NEXT_TO_NOTHING * usual:
            return days[-1]
        days = before
