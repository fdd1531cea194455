"""A small simulated district; its features and a model trained on it, once a session."""

from dataclasses import dataclass
from datetime import timedelta

import polars as pl
import pytest

from features.catalogue.definitions import model_inputs
from features.event_index import EventIndex, build_event_index
from features.kernel.source_tables import SourceTables
from features.point_in_time import build_snapshot
from models.labels.episodes import build_episodes
from models.labels.sampling import Sampling, draw_training_samples
from models.learning.risk import RiskModel, Tuning, fit_risk_model
from pipelines.storage.as_of import source_tables_before
from tests.pipelines.district import END, TRAIN_AT, build, shared_folder

TUNING = Tuning(rounds=40, learning_rate=0.05, min_data_in_leaf=20, folds=2, threads=1)
SAMPLING = Sampling(negatives=6_000)


@dataclass(frozen=True, eq=False)
class TrainedDistrict:
    """The tables at the end of the district, and a model trained some days earlier on ``rows``,
    with their out-of-fold score ``raw``.
    """

    tables: SourceTables
    event_index: EventIndex
    model: RiskModel
    rows: pl.DataFrame


def learning_rows(tables: SourceTables, event_index: EventIndex) -> pl.DataFrame:
    """The snapshot that a model as of ``TRAIN_AT`` learns from."""
    episodes = build_episodes(tables.cases, event_index, at=TRAIN_AT)
    moments = draw_training_samples(event_index, episodes, at=TRAIN_AT, sampling=SAMPLING, seed=0)
    return build_snapshot(event_index, moments.select("person", "at")).with_columns(
        moments.drop("person", "at")
    )


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainedDistrict:
    settings = build(shared_folder(tmp_path_factory))
    tables = source_tables_before(settings, at=END, span=timedelta(days=30))
    event_index = build_event_index(tables)
    rows = learning_rows(tables, event_index)
    model, raw = fit_risk_model(rows, features=model_inputs(), at=TRAIN_AT, tuning=TUNING, seed=0)
    return TrainedDistrict(tables, event_index, model, rows.with_columns(raw=pl.Series(raw)))
