"""What is kept with a model about the people it learned among, and what is told of later alerts."""

from datetime import timedelta
from pathlib import Path

from features.event_index import build_event_index
from models.evaluation.alert_metrics import AlertMetrics
from models.evaluation.comparison import Comparison
from models.evaluation.drift import AlertVolume, profiles_from_json
from models.registry.promotion_gates import Gates, decide_promotion
from pipelines.scoring.drift import add_feature_profile, alert_volume, measure_drift
from pipelines.storage.as_of import source_tables_before
from pipelines.storage.installation.models import open_registry
from pipelines.training.train import train
from serving.feedback import RecentAlert
from tests.models.small import small_model
from tests.pipelines.district import TRAIN_AT


def alert(issued_at, score=0.5):
    return RecentAlert(
        person="p1_0123456789abcdef", issued_at=issued_at, at=issued_at, level="red", score=score,
        kind="nightly", repeat=False, at_stake_cny=None,
        status="open", snoozed_until=None,
    )  # fmt: skip


def test_alerts_are_counted_in_days_back_from_the_moment():
    hours_ago = [1, 23, 24, 25, 80]
    found = alert_volume(
        [alert(TRAIN_AT - timedelta(hours=hours)) for hours in hours_ago], at=TRAIN_AT
    )
    assert found == AlertVolume(
        expected=1.0, seen=2, low=0, high=4
    )  # 2 in the last day; 2, 0 and 1 in the days before
    assert alert_volume([], at=TRAIN_AT) is None


def test_a_model_keeps_the_profile_of_its_district_and_nothing_drifts_from_it_at_once(district):
    event_index = build_event_index(source_tables_before(district, at=TRAIN_AT))
    first, nothing = add_feature_profile(
        ordinary_model(), event_index, at=TRAIN_AT, before=None, seed=0
    )
    assert nothing is None
    assert set(profiles_from_json(first.facts["profile"])) == {"talk_s_30d", "new_debit_cny_24h"}
    _, drift = add_feature_profile(ordinary_model(), event_index, at=TRAIN_AT, before=first, seed=1)
    assert drift.rows == 1200
    assert [one.psi for one in drift.features] == [0, 0]
    assert drift.metrics()["drift_features"] == 0


def test_late_alerts_promise_a_precision(district):
    event_index = build_event_index(source_tables_before(district, at=TRAIN_AT))
    # no profile was kept with this one
    assert measure_drift(small_model(), event_index, alerts=(), at=TRAIN_AT) is None
    model = small_model()
    kept = type(model)(**{**vars(model), "facts": {"profile": "{}"}})
    late = [alert(TRAIN_AT - timedelta(hours=1), score) for score in (0.25, 0.75)]
    assert measure_drift(kept, event_index, alerts=late, at=TRAIN_AT).estimated_precision == 0.5


def ordinary_model():
    model = small_model()
    return type(model)(**{**vars(model), "features": ("talk_s_30d", "new_debit_cny_24h")})


def test_a_second_training_tells_what_has_moved_since_the_first(own_trained):
    settings, first = own_trained
    quick = settings.training.model_copy(update={"rounds": 15, "negative_samples": 1_000})
    settings = settings.model_copy(update={"training": quick})
    second = train(settings, at=TRAIN_AT + timedelta(days=2), promote="never", seed=3)
    assert "drift_psi_max" not in first.metrics
    assert second.metrics["drift_psi_max"] > 0
    assert 0 < second.metrics["reasons_shared"] <= 1
    assert -1 <= second.metrics["reasons_rank_correlation"] <= 1
    registry = open_registry(settings)
    assert (
        registry.metrics(registry.find(second.version))["reasons_shared"]
        == second.metrics["reasons_shared"]
    )
    assert any(
        reason.startswith("gap of coverage by residency") for reason in passed(second.metrics)
    )
    assert "覆盖率 coverage" in reported(settings, second.run_id)


def reported(settings, run_id):
    """The evaluation report that a training left."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=settings.mlflow_database_url)
    return Path(client.download_artifacts(run_id, "evaluation.html")).read_text(encoding="utf-8")


def passed(metrics):
    """What the gates say of it when nothing else refuses."""
    good = AlertMetrics(4.0, 0.9, 0.9, 0.9, None, 30)
    rule = AlertMetrics(4.0, 0.1, 0.1, 0.1, None, 30)
    return decide_promotion(
        Comparison(challenger=good, rule=rule),
        metrics={**metrics, "episodes": 99.0, "calibration_error": 0, "max_feature_auc": 0.8},
        gates=Gates(),
    ).reasons
