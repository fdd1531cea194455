"""What is kept how long, by class, and what leaves when its time is over."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import polars as pl
from sqlalchemy import select

from pipelines.clock import SHANGHAI
from pipelines.ingestion.ingest import recover_loads
from pipelines.retention.erasure_list import Erased, erasing, note_erasure, pending_erasures
from pipelines.retention.lake_records import erase_old_events, erase_old_registers
from pipelines.retention.person import erase_again
from pipelines.retention.published_rows import erase_old_rows
from pipelines.retention.unnamed_entries import remove_unnamed
from pipelines.settings import Settings
from pipelines.storage.installation.databases import open_serving_database
from pipelines.storage.lake import Lake
from pipelines.storage.lake_schemas import EVENTS
from pipelines.storage.ledger import Ledger
from pipelines.storage.score_log import remove_old_scores
from serving.database.engine import read_transaction
from serving.database.tables import WatchlistRow

__all__ = ["KeptClass", "describe_retention", "run_retention"]


@dataclass(frozen=True, kw_only=True)
class KeptClass:
    """One class of what is kept: for how many ``days`` (None: for ever), the first day that there
    is anything of, and from which day on it stays. ``too_old`` counts what would leave today.
    """

    name: str
    days: int | None
    oldest: date | None = None
    kept_from: date | None = None
    too_old: int = 0
    why: str = ""


def run_retention(settings: Settings, *, at: datetime) -> dict[str, int]:
    """Take out what is older than the settings keep, end erasures that were cut short, and do those
    again that a restored home lacks; return how much of each class left. To do it again does
    nothing.

    An entry of the audit trail and the list of erasures say what left, never of whom. Raises
    ``LakeError`` if a load is running.
    """
    limits = settings.retention
    before = {name: _start_of(at, days=days) for name, days in limits.model_dump().items()}
    lake, ledger = Lake.of(settings), Ledger(settings.lake_folder / "ledger.db")
    with erasing(settings), lake.locked():
        recover_loads(settings, lake=lake, ledger=ledger, at=at)  # whose number comes before ours
        for erased in pending_erasures(settings):
            if erased.person:
                erase_again(settings, erased, at=at)
            note_erasure(settings, erased)
        gone: Counter[str] = Counter()
        gone.update(erase_old_events(lake, ledger, before=before["events_days"].date(), at=at))
        registers = erase_old_registers(lake, ledger, before=before["registers_days"], at=at)
        gone["register versions"] = sum(registers.values())
        gone["score logs"] = remove_old_scores(settings.scores_folder, before=before["scores_days"])
        gone["quarantine"] = _remove_quarantine(
            settings.quarantine_folder, before=before["quarantine_days"]
        )
        gone["vault"] = remove_unnamed(settings, lake=lake, ledger=ledger)
        published = erase_old_rows(
            settings,
            lists_before=before["lists_days"],
            scores_before=before["scores_days"],
            reports_before=before["reports_days"],
            at=at,
            counts=gone,
            before={name.removesuffix("_days"): f"{one:%Y-%m-%d}" for name, one in before.items()},
        )
        counts = {name: number for name, number in (gone + Counter(published)).items() if number}
        if counts:
            note_erasure(settings, Erased(at=at, counts=counts))
    return counts


def describe_retention(settings: Settings, *, at: datetime) -> tuple[KeptClass, ...]:
    """What is kept until when, and what would leave at ``at``; changes nothing."""
    limits = settings.retention
    lake = Lake.of(settings)
    rows = {dataset: lake.rows_by_day(dataset) for dataset in EVENTS}

    def kept(name: str, days: int, held: Mapping[date, int]) -> KeptClass:
        first = _start_of(at, days=days).date()
        return KeptClass(
            name=name,
            days=days,
            oldest=min(held, default=None),
            kept_from=first,
            too_old=sum(number for day, number in held.items() if day < first),
        )

    return (
        *(kept(dataset, limits.events_days, held) for dataset, held in rows.items()),
        kept("score logs", limits.scores_days, _days_of_folders(settings.scores_folder)),
        kept("quarantine", limits.quarantine_days, _rows_in(settings.quarantine_folder)),
        kept("lists", limits.lists_days, _lists_by_day(settings)),
        KeptClass(name="register versions", days=limits.registers_days, why="the newest stays"),
        KeptClass(name="reports of runs", days=limits.reports_days),
        KeptClass(name="vault", days=None, why="an entry stays while anything kept names it"),
        KeptClass(name="event store", days=130, why="made anew from the lake as it goes on"),
        KeptClass(
            name="audit trail", days=None, why="one chain, from which nothing can be taken out"
        ),
        KeptClass(name="models and MLflow", days=None, why="they hold nobody's data"),
        KeptClass(
            name="landing folder, logs", days=None, why="are not forestall's: yours to remove"
        ),
    )


def _start_of(at: datetime, *, days: int) -> datetime:
    """The first moment of the day so many days before ``at``."""
    day = at.astimezone(SHANGHAI).date() - timedelta(days=days)
    return datetime.combine(day, time(), tzinfo=SHANGHAI)


def _remove_quarantine(folder: Path, *, before: datetime) -> int:
    """Remove what was rejected before; a file is of one load, and so of one moment."""
    gone = 0
    for place in sorted(folder.glob("batch-*.parquet")):
        received = pl.read_parquet(place, columns=["received_at"])["received_at"]
        newest = received.max()
        if isinstance(newest, datetime) and newest < before:
            gone += len(received)
            place.unlink()
    return gone


def _rows_in(quarantine: Path) -> dict[date, int]:
    days: Counter[date] = Counter()
    for place in quarantine.glob("batch-*.parquet"):
        received = pl.read_parquet(place, columns=["received_at"])["received_at"]
        days.update(received.dt.date().to_list())
    return dict(days)


def _days_of_folders(scores: Path) -> dict[date, int]:
    return {
        date.fromisoformat(day.name): sum(1 for _ in day.iterdir()) for day in scores.glob("20*")
    }


def _lists_by_day(settings: Settings) -> dict[date, int]:
    engine = open_serving_database(settings)
    try:
        with read_transaction(engine) as session:
            moments = session.scalars(select(WatchlistRow.at)).all()
    finally:
        engine.dispose()
    return dict(Counter(moment.astimezone(SHANGHAI).date() for moment in moments))
