"""The champion of a home and what it scores: everybody at the newest moment."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from features.event_index import EventIndex, build_event_index
from features.kernel.source_tables import SourceTables
from features.point_in_time import build_snapshot
from features.whom_to_ask import query_points_for_everyone
from models.learning.risk import RiskModel
from pipelines.settings import Settings
from pipelines.storage.as_of import latest_moment, source_tables_before
from pipelines.storage.installation.models import open_registry

__all__ = ["ScoredHome", "load_scored_home"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredHome:
    """A home at its newest moment ``at``: the tables, the event index, the champion and the
    snapshot ``rows`` of everybody.
    """

    at: datetime
    tables: SourceTables
    event_index: EventIndex
    model: RiskModel
    rows: pl.DataFrame


def load_scored_home(home: Path) -> ScoredHome:
    """Read a home that has a champion; ``RuntimeError`` without one."""
    settings = Settings.load(home)
    registry = open_registry(settings)
    version = registry.champion()
    if version is None:
        raise RuntimeError(f"{home} has no champion")
    model = registry.load(version)
    at = latest_moment(settings)
    tables = source_tables_before(settings, at=at)
    event_index = build_event_index(tables)
    points = query_points_for_everyone(event_index, at=at)
    rows = build_snapshot(event_index, points, reputation_model=model.reputations)
    return ScoredHome(at=at, tables=tables, event_index=event_index, model=model, rows=rows)
