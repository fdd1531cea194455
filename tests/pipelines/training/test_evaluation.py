"""What a centre learns about itself: of a replay, and of the alerts it published."""

from datetime import timedelta

import polars as pl
import pytest

from features.event_index import build_event_index
from models.evaluation import frames
from models.evaluation.alert_metrics import compute_metrics
from models.evaluation.fairness import ATTRIBUTES
from models.labels.episodes import build_episodes
from pipelines.backtesting.replay import replay
from pipelines.storage.as_of import source_tables_before
from pipelines.training.evaluation import evaluate_published, write_report
from serving.database.engine import open_database, write_transaction
from serving.database.tables import DispositionRow
from serving.publishing import Alert, Watchlist, alert_id_of, publish_watchlist
from tests.frames import check
from tests.models.small import small_model
from tests.pipelines.district import END, TRAIN_AT

START = TRAIN_AT - timedelta(days=10)


@pytest.fixture(scope="module")
def told(district):
    """Losses of the window, one a person."""
    tables = source_tables_before(district, at=END, span=timedelta(days=30))
    found = build_episodes(tables.cases, build_event_index(tables), at=END)
    window = found.filter(
        pl.col("outcome") == "loss", pl.col("opened_at") >= START, pl.col("main_at") < TRAIN_AT
    )
    return window.unique("person", keep="none").filter(
        pl.col("main_at") - pl.col("opened_at") > timedelta(hours=2)
    )


def alert(person, issued_at, rank=1):
    return Alert(
        person=person, rank=rank, issued_at=issued_at, score=0.5, baseline_score=0.1, level="red",
        scam_type="police", community_id="C000", grid_id="G0", at_stake_cny=None, reasons=(),
        contributions=(), base_value=0.0,
    )  # fmt: skip


def publish_at(engine, at, *persons):
    alerts = tuple(alert(person, at, rank) for rank, person in enumerate(persons, start=1))
    watchlist = Watchlist(
        at=at, kind="intraday", model_version="1", model_digest="d", data_version="v",
        contract_version="1", budget=5, residents_scored=1200, alerts=alerts,
    )  # fmt: skip
    return publish_watchlist(engine, watchlist)


def found_out(engine, at, person, result, version):
    row = DispositionRow(
        alert_id=alert_id_of(at=at, kind="intraday", person=person), version=version,
        person=person, result=result, note="", snoozed_until=None,
        decided_at=at + timedelta(hours=version), decided_by="li.wei",
    )  # fmt: skip
    with write_transaction(engine) as session:
        session.add(row)


def test_published_alerts_are_measured_by_cases_and_dispositions(own_district, told, tmp_path):
    engine = open_database(own_district.serving_database_url)
    victim = told.row(0, named=True)
    warned_at = victim["main_at"] - timedelta(hours=1)
    residents = (
        source_tables_before(own_district, at=END)
        .residents.select("person")
        .collect()["person"]
        .sort()
    )
    known = build_episodes(
        source_tables_before(own_district, at=END).cases,
        build_event_index(source_tables_before(own_district, at=END)),
        at=END,
    )
    stopped, lawful = [person for person in residents if person not in known["person"]][:2]
    publish_at(engine, warned_at, victim["person"])
    publish_at(engine, START + timedelta(hours=1), stopped, lawful)
    found_out(engine, START + timedelta(hours=1), stopped, "in_progress", 1)
    found_out(engine, START + timedelta(hours=1), stopped, "stopped", 2)
    found_out(engine, START + timedelta(hours=1), lawful, "lawful", 1)

    evaluation = evaluate_published(own_district, start=START, end=TRAIN_AT, at=END)
    found = compute_metrics(evaluation.model)
    assert (found.precision_c, found.precision, found.precision_a) == (1 / 3, 1 / 3, 2 / 3)
    assert found.lead_h_median == pytest.approx(1.0)
    assert found.coverage == 1 / found.losses
    assert found.alerts_per_day == 3 / 10
    assert set(evaluation.groups["attribute"]) == set(ATTRIBUTES)
    page = write_report(evaluation, tmp_path / "reports" / "measured.html").read_text(
        encoding="utf-8"
    )
    assert "每日最多 5 条" in page
    assert victim["person"] not in page


def test_a_replay_can_be_reported_with_budgets(district, tmp_path):
    asked = {
        "start": TRAIN_AT,
        "end": TRAIN_AT + timedelta(days=1),
        "every": "12h",
        "budget": 5,
        "seed": 3,
    }
    result = replay(district, **asked, model=known_features(), budgets=True)
    check(frames.Alert, result.alerts)
    check(frames.Alert, result.baseline_alerts)
    evaluation = result.evaluation
    assert evaluation.budgets["budget"].to_list() == [4, 8, 12, 20, 40]
    assert (evaluation.budgets["alerts_per_day"] <= evaluation.budgets["budget"]).all()
    assert compute_metrics(evaluation.model) == result.figures
    assert compute_metrics(evaluation.rule) == result.baseline
    assert "每 12h 判断一次" in write_report(evaluation, tmp_path / "report.html").read_text(
        encoding="utf-8"
    )
    assert replay(district, **asked, model=known_features()).evaluation.budgets is None


def known_features():
    """Three trees over two features that every snapshot has."""
    model = small_model()
    changed = {"features": ("talk_s_24h", "new_debit_cny_24h"), "trained_at": TRAIN_AT}
    return type(model)(**{**vars(model), **changed})
