"""Dispositions come out of the serving database as labels."""

from datetime import timedelta

from models.outcomes import EPISODES
from pipelines.outcomes import outcomes_before
from pipelines.settings import Settings
from serving.database import open_database
from tests.pipelines.district import TRAIN_AT
from tests.pipelines.test_evaluation import found_out, publish_at


def test_words_on_published_alerts_become_labels(tmp_path):
    settings = Settings(home=tmp_path)
    engine = open_database(settings.serving_database_url)
    publish_at(engine, TRAIN_AT, "p1_ada", "p1_bo", "p1_cai")
    found_out(engine, TRAIN_AT, "p1_ada", "in_progress", 1)
    found_out(engine, TRAIN_AT, "p1_ada", "stopped", 2)
    found_out(engine, TRAIN_AT, "p1_bo", "lawful", 1)
    found = outcomes_before(settings, EPISODES.to_frame(), at=TRAIN_AT + timedelta(days=1))
    assert found.episodes.select("person", "opened_at", "closed_at", "scam_type").rows() == [
        ("p1_ada", TRAIN_AT - timedelta(hours=1), TRAIN_AT + timedelta(hours=2), "police")
    ]
    assert found.quiet["person"].to_list() == ["p1_bo"]
    assert found.unclear.is_empty()
    early = outcomes_before(settings, EPISODES.to_frame(), at=TRAIN_AT + timedelta(hours=2))
    assert (len(early.episodes), early.unclear["person"].to_list()) == (0, ["p1_ada"])


def test_an_installation_without_alerts_has_none(tmp_path):
    found = outcomes_before(Settings(home=tmp_path), EPISODES.to_frame(), at=TRAIN_AT)
    assert sum(found.facts().values()) == 0
