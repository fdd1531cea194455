"""How good the latest deliveries were, source by source, as the engineers' page shows it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

import polars as pl

from features.entities.feeds import LATE_AFTER
from pipelines.ingestion.outcomes.common_outcomes import (
    describe_waiting_file,
    most_common_outcomes,
)
from pipelines.ingestion.outcomes.quarantine import REJECTED, count_reasons
from pipelines.settings import Settings
from pipelines.storage.lake import Lake
from pipelines.storage.lake_schemas import EVENTS
from pipelines.storage.ledger import Ledger, LoadedFile
from serving.vocabulary.reports import (
    QualityReport,
    RejectReason,
    SilentSource,
    SourceQuality,
)

__all__ = ["REPORTED_DAYS", "quality_report"]

REPORTED_DAYS = 7
REASONS_SHOWN = 5
SourceKey = tuple[str, str]  # dataset, source
Loads = Sequence[tuple[datetime, LoadedFile]]
SOURCE_REGISTERS: Mapping[str, tuple[str, str]] = {
    "calls": ("subscribers", "operator"),
    "transfers": ("accounts", "bank"),
}


def quality_report(settings: Settings) -> QualityReport:
    """What became of the rows of the last ``REPORTED_DAYS`` delivered days and the registers, and
    which sources are silent. A file that was tried again, or replaced, counts as it is now.
    """
    ledger = Ledger(settings.lake_folder / "ledger.db")
    newest = ledger.newest_day()
    since_day = newest - timedelta(days=REPORTED_DAYS - 1) if newest else date.min
    outdated = ledger.outdated_loads()
    loads_by_file = [
        (batch, received_at, file)
        for batch, received_at, file in ledger.loads_since(since=since_day)
        if (batch, file.path) not in outdated
    ]
    reasons = count_reasons(
        settings, batches={batch for batch, _, file in loads_by_file if file.quarantined}
    )
    rejected = reasons.filter(pl.col("severity") == REJECTED)
    arrived = ledger.arrivals()
    loads: dict[SourceKey, list[tuple[datetime, LoadedFile]]] = defaultdict(list)
    for _, received_at, file in loads_by_file:
        loads[file.dataset, file.source].append((received_at, file))
    newest_rows = newest_row_times(arrived)
    since, outcomes = most_common_outcomes(settings, ledger=ledger)
    return QualityReport(
        days=REPORTED_DAYS,
        newest_at=max(newest_rows.values(), default=None),
        sources=tuple(
            source_quality(
                key,
                current_loads(key, found),
                arrived=arrived,
                reasons=rejected,
                last_row_at=newest_rows.get(key),
            )
            for key, found in sorted(loads.items())
        ),
        held=tuple(map(describe_waiting_file, ledger.held_files())),
        silent=tuple(find_silent_sources(settings, newest_rows)),
        outcomes=outcomes,
        outcomes_since=since,
    )


def current_loads(key: SourceKey, loads: Loads) -> Loads:
    """Of events every file of these days; of a register the file that stands, or the last that was
    held where none does yet.
    """
    taken = [load for load in loads if not load[1].reason]
    return loads if key[0] in EVENTS else (taken or loads)[-1:]


def source_quality(
    key: SourceKey,
    loads: Loads,
    *,
    arrived: pl.DataFrame,
    reasons: pl.DataFrame,
    last_row_at: datetime | None,
) -> SourceQuality:
    """The rows of one source, added up over its ``loads``."""
    files = [file for _, file in loads]
    paths = [file.path for file in files]
    return SourceQuality(
        dataset=key[0],
        source=key[1],
        files=len(set(paths)),
        rows=sum(file.rows for file in files),
        accepted=sum(file.accepted for file in files),
        quarantined=sum(file.quarantined for file in files),
        duplicates=sum(file.duplicates for file in files),
        held=sum(file.held for file in files),
        skipped=sum(file.skipped for file in files),
        late=count_late_rows(arrived, dataset=key[0], paths=paths),
        last_row_at=last_row_at,
        received_at=max(received_at for received_at, _ in loads),
        in_force=key[0] in EVENTS or not files[-1].reason,
        reasons=tuple(most_frequent_reasons(reasons.filter(pl.col("path").is_in(paths)))),
    )


def count_late_rows(arrived: pl.DataFrame, *, dataset: str, paths: Sequence[str]) -> int:
    """Accepted rows of an earlier day than the folder that their file came in."""
    folder = (
        pl.col("file")
        .str.split("/")
        .list.get(1, null_on_oob=True)
        .str.to_date("%Y-%m-%d", strict=False)
    )
    mine = arrived.filter((pl.col("dataset") == dataset) & pl.col("file").is_in(list(paths)))
    return int(mine.filter(pl.col("event_day") < folder)["rows"].sum())


def most_frequent_reasons(reasons: pl.DataFrame) -> Iterator[RejectReason]:
    """The reasons by the number of rows, the most frequent first."""
    counted = reasons.group_by("code", "zh", "en").agg(pl.col("rows").sum())
    for row in (
        counted.sort("rows", "code", descending=[True, False])
        .head(REASONS_SHOWN)
        .iter_rows(named=True)
    ):
        yield RejectReason(**row)


def newest_row_times(arrived: pl.DataFrame) -> dict[SourceKey, datetime]:
    """When the newest row of each source of events was known."""
    newest = arrived.group_by("dataset", "source").agg(pl.col("known_until").max()).drop_nulls()
    return {(dataset, source): known_until for dataset, source, known_until in newest.iter_rows()}


def find_silent_sources(
    settings: Settings, newest_rows: Mapping[SourceKey, datetime]
) -> Iterator[SilentSource]:
    """Sources that the registers name, or that delivered before, and that fell behind the newest
    row of all.
    """
    newest_at = max(
        (at for (dataset, _), at in newest_rows.items() if dataset in EVENTS), default=None
    )
    if newest_at is None:
        return
    lake = Lake.of(settings)
    for dataset, (register, column) in SOURCE_REGISTERS.items():
        named = lake.scan(register).select(pl.col(column).drop_nulls().unique()).collect()[column]
        for source in sorted(
            {*named, *(source for feed, source in newest_rows if feed == dataset)}
        ):
            since = newest_rows.get((dataset, source))
            if since is None or newest_at - since > LATE_AFTER:
                yield SilentSource(dataset=dataset, source=source, since=since)
