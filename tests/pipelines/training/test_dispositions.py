"""Dispositions come out of the serving database as labels."""

from datetime import timedelta

import polars as pl
from fastapi.testclient import TestClient

from features.event_index import build_event_index
from features.whom_to_ask import query_points_after_events
from models.labels.frames import Disposition, Episode
from pipelines.settings import Settings
from pipelines.storage.as_of import source_tables_before
from pipelines.training.dispositions import load_disposition_labels, read_dispositions
from pipelines.training.learn import TRAINING_HISTORY, learn_risk_model
from serving.access.users.service import add_user
from serving.app import create_app
from serving.context.settings import ServingSettings
from serving.database.engine import open_database, write_transaction
from serving.publishing import alert_id_of
from serving.vocabulary.roles import Role
from tests.frames import check
from tests.pipelines.district import TRAIN_AT
from tests.pipelines.training.test_evaluation import found_out, publish_at


def test_words_on_published_alerts_become_labels(tmp_path):
    settings = Settings(home=tmp_path)
    engine = open_database(settings.serving_database_url)
    publish_at(engine, TRAIN_AT, "p1_ada", "p1_bo", "p1_cai")
    found_out(engine, TRAIN_AT, "p1_ada", "in_progress", 1)
    found_out(engine, TRAIN_AT, "p1_ada", "stopped", 2)
    found_out(engine, TRAIN_AT, "p1_bo", "lawful", 1)
    check(Disposition, read_dispositions(engine))
    found = load_disposition_labels(
        settings, Episode.create_empty(), at=TRAIN_AT + timedelta(days=1)
    )
    assert found.episodes.select("person", "opened_at", "closed_at", "scam_type").rows() == [
        ("p1_ada", TRAIN_AT - timedelta(hours=1), TRAIN_AT + timedelta(hours=2), "police")
    ]
    assert found.lawful["person"].to_list() == ["p1_bo"]
    assert found.unclear.is_empty()
    early = load_disposition_labels(
        settings, Episode.create_empty(), at=TRAIN_AT + timedelta(hours=2)
    )
    assert (len(early.episodes), early.unclear["person"].to_list()) == (0, ["p1_ada"])


def test_an_installation_without_alerts_has_none(tmp_path):
    found = load_disposition_labels(Settings(home=tmp_path), Episode.create_empty(), at=TRAIN_AT)
    assert sum(found.facts().values()) == 0


def analyst(settings: Settings, *, at) -> TestClient:
    """A client of the application at ``at``, with an analyst's token."""
    url = settings.serving_database_url
    with write_transaction(open_database(url)) as session:
        token = add_user(
            session, name="li.wei", role=Role.ANALYST, communities=(), at=at, actor="test"
        )
    app = create_app(settings=ServingSettings(database_url=url), clock=lambda: at)
    return TestClient(app, headers={"Authorization": f"Bearer {token}"})


def test_what_analysts_record_is_what_the_next_training_learns_from(own_district):
    """The whole way: alerts are published, results come in through the API, training reads them."""
    tables = source_tables_before(own_district, at=TRAIN_AT, span=TRAINING_HISTORY)
    event_index = build_event_index(tables)
    start = TRAIN_AT - timedelta(days=5)
    busy = query_points_after_events(
        event_index, start=start - timedelta(hours=1), end=start + timedelta(hours=20), every="15m"
    )
    reported = tables.cases.select("person").unique()
    quiet = busy.group_by("person").len().join(reported.collect(), on="person", how="anti")
    stopped, lawful, again, unclear = quiet.sort("len", "person", descending=[True, False])[
        "person"
    ].head(4)
    engine = open_database(own_district.serving_database_url)
    publish_at(engine, start, stopped, lawful, unclear)
    later = start + timedelta(hours=4)
    publish_at(engine, later, stopped, again)
    client = analyst(own_district, at=later + timedelta(hours=14))

    def decide(at, person, result, **more):
        url = f"/api/v1/alerts/{alert_id_of(at=at, kind='intraday', person=person)}/dispositions"
        assert (
            client.post(
                url, json={"result": result, **more}, headers={"If-Match": '"0"'}
            ).status_code
            == 201
        )

    decide(start, stopped, "stopped")
    decide(start, lawful, "lawful")
    decide(start, unclear, "cannot_be_found")
    first = alert_id_of(at=start, kind="intraday", person=stopped)
    decide(later, stopped, "duplicate", merged_into=first)
    decide(later, again, "already_paid", paid_cny=8000)

    quick = own_district.training.model_copy(update={"rounds": 5, "negative_samples": 1_000})
    settings = own_district.model_copy(update={"training": quick})
    model, rows = learn_risk_model(event_index, tables, at=TRAIN_AT, seed=0, settings=settings)
    assert {
        name: model.facts[name] for name in model.facts if name.startswith("dispositions_")
    } == {
        "dispositions_fraud": 2.0,  # the two alerts of one story are one
        "dispositions_lawful": 1.0,
        "dispositions_unclear": 1.0,
        "dispositions_conflicts": 0.0,
    }
    live = rows.filter(pl.col("label") == 1)
    learned = live.filter(pl.col("case_id").str.starts_with("d:"))
    assert set(learned["person"]) == {stopped, again}
    assert learned.filter(pl.col("person") == stopped)["case_id"].unique().to_list() == [
        f"d:{first}"
    ]
    near = pl.col("at").is_between(start - timedelta(hours=72), later)
    assert rows.filter(near, pl.col("person") == unclear).is_empty()
    assert set(rows.filter(near, pl.col("person") == lawful)["label"]) <= {0}
