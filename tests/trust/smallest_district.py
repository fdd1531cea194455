"""The smallest simulated district that a model can be learned from."""

from datetime import datetime, timedelta
from pathlib import Path

from pipelines.ingestion.ingest import ingest
from pipelines.settings import Settings, Training
from pipelines.simulate import Mix, simulate
from pipelines.storage.event_store.store import EventStore
from pipelines.training.train import TrainResult, train
from tests.pipelines.district import QUICK, SEED, SHANGHAI, START, make_databases, write_key

__all__ = ["END", "build_smallest", "smallest_settings", "train_smallest"]

PEOPLE, DAYS, INTENSITY = 400, 20, 25
LEARNING = Training(rounds=5, negative_samples=1_000, judged_days=1, outage_share=0, threads=1)
TRAIN_AT = datetime(2026, 6, 17, tzinfo=SHANGHAI)
END = datetime(2026, 6, 21, tzinfo=SHANGHAI)


def smallest_settings(folder: Path) -> Settings:
    """The settings of the home in ``folder``."""
    return Settings(home=folder / "home", daily_budget=5, training=LEARNING, **QUICK)


def build_smallest(folder: Path) -> Settings:
    """Simulate, load and lay out; nothing is learned yet."""
    settings = smallest_settings(folder)
    write_key(settings)
    landing = folder / "landing"
    mix = Mix(intensity=INTENSITY)
    simulate(landing, people=PEOPLE, days=DAYS, seed=SEED, start=START, mix=mix)
    ingest(landing, settings=settings, received_at=END + timedelta(days=1))
    make_databases(settings)
    EventStore.of(settings).bring_forward()
    return settings


def train_smallest(folder: Path) -> TrainResult:
    """Learn a model and put it in force."""
    return train(smallest_settings(folder), at=TRAIN_AT, promote="always", seed=3)
