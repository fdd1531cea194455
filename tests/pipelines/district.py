"""A small simulated district, ingested once a session, and once with a champion, for tests of the
whole way.
"""

import fcntl
import json
import os
import pickle
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from models.registry.promotion_gates import Gates
from pipelines.ingestion.ingest import ingest
from pipelines.settings import Settings, Training
from pipelines.simulate import Mix, simulate
from pipelines.training.train import TrainResult, train
from serving.database.engine import open_database

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = date(2026, 6, 1)
# Outages have tests of their own, which ask for them: without, a training takes two thirds.
SMALL = Training(rounds=40, negative_samples=3_000, judged_days=3, outage_share=0, threads=1)
QUICK = {"warm_up_days": 1, "tick": "6h"}  # the policy's, so that few moments are scored
PEOPLE, DAYS, SEED = 1200, 30, 5
TRAIN_AT = datetime(2026, 6, 26, tzinfo=SHANGHAI)
END = datetime(2026, 6, 30, tzinfo=SHANGHAI)
KEY = bytes(
    range(32)
).hex()  # the same pseudonyms in every run: folds and samples go by them, so models do too


def build(
    folder: Path, *, people: int = PEOPLE, days: int = DAYS, intensity: float = 10
) -> Settings:
    """Simulate and ingest into ``folder`` unless that is done already."""
    settings = Settings(home=folder / "home", daily_budget=5, training=SMALL, **QUICK)
    with once(folder) as to_do:
        if to_do:
            write_key(settings)
            mix = Mix(intensity=intensity)
            simulate(folder / "landing", people=people, days=days, seed=SEED, start=START, mix=mix)
            ingest(folder / "landing", settings=settings, received_at=END + timedelta(days=1))
            make_databases(settings)
    return settings


def build_trained(folder: Path) -> tuple[Settings, TrainResult]:
    """The district of ``folder`` with a champion of ``TRAIN_AT``, and what its training came to;
    learnt unless that is done already.

    The pictures and reports of the training stay where MLflow put them, whoever copies the home.
    """
    district = build(folder)
    own = folder / "trained"
    own.mkdir(exist_ok=True)
    settings = district.model_copy(update={"home": own / "home"})
    with once(own) as to_do:
        if to_do:
            shutil.copytree(district.home, settings.home)
            result = train(settings, at=TRAIN_AT, promote="always", seed=3)
            (own / "result").write_bytes(pickle.dumps(result))
    return settings, pickle.loads((own / "result").read_bytes())


@contextmanager
def once(folder: Path) -> Iterator[bool]:
    """Whether what belongs into ``folder`` is still to do; other processes wait meanwhile."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        to_do = not (folder / "done").exists()
        yield to_do
        (folder / "done").touch()


def make_databases(settings: Settings) -> None:
    """The tables of MLflow and of the serving room, so that every copy of the home has them: making
    them takes as long as many a test.
    """
    from mlflow import MlflowClient

    MlflowClient(tracking_uri=settings.mlflow_database_url).search_experiments()
    open_database(settings.serving_database_url).dispose()


def write_key(settings: Settings) -> None:
    """The key of the pseudonyms, before the first is made."""
    settings.keys_folder.mkdir(parents=True, mode=0o700)
    (settings.keys_folder / "pseudonym.key").write_text(KEY)


def write_settings(home: Path, *, daily_budget: int, **sections: Training | Gates) -> None:
    """Settings as a user would write them into the home; JSON and TOML write these values alike."""
    values = QUICK | {"daily_budget": daily_budget}
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    for name, section in sections.items():
        lines += [
            f"[{name}]",
            *(f"{key} = {json.dumps(value)}" for key, value in section.model_dump().items()),
        ]
    (home / "forestall.toml").write_text("\n".join(lines))


def shared_folder(factory: pytest.TempPathFactory, name: str = "district") -> Path:
    """One folder of that name for all processes of a test run."""
    own = factory.getbasetemp()
    folder = (own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own) / name
    folder.mkdir(exist_ok=True)
    return folder
