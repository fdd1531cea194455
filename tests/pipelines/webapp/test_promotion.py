"""A worse challenger is refused, a better one takes over, and a roll-back brings the old one back:
the real way.
"""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from data_contracts.errors import ConflictError, NotReadyError
from models.registry.model_registry import MODEL_NAME
from models.registry.promotion_gates import Gates
from pipelines.storage.installation.models import open_registry
from pipelines.training import learn as training
from pipelines.webapp.promotion import GatedPromoter
from serving.database.engine import open_database, read_transaction
from serving.operations.service import read_overview
from tests.pipelines.district import SHANGHAI, SMALL, build, write_settings
from tests.pipelines.orchestration.prefect_pages import read_artifact

AT = datetime(2026, 6, 29, tzinfo=SHANGHAI)
EARLY = AT - timedelta(days=14)  # before the days that are compared
QUICK = SMALL.model_copy(
    update={
        "rounds": 20,
        "negative_samples": 1_000,
        "maturity_days": 3,
        "judged_days": 6,
    }
)
LABELS = ["label", "weight", "sampling_weight", "case_id", "scam_type"]


LENIENT = Gates(residency_gap_points=100)  # some dozens of alerts tell nothing of groups


@pytest.fixture(scope="module")
def flows():
    """The flows; with them comes Prefect, which takes long to import."""
    from pipelines.orchestration import flows

    return flows


@pytest.fixture(scope="module")
def settings(prefect, tmp_path_factory):
    """A district with so much fraud that a few days tell a good model from a bad one."""
    found = build(tmp_path_factory.mktemp("busy"), people=500, days=28, intensity=50)
    write_settings(found.home, daily_budget=12, training=QUICK, gates=LENIENT)
    return found.model_copy(update={"training": QUICK, "gates": LENIENT, "daily_budget": 12})


@contextmanager
def nonsense():
    """Meanwhile models learn from labels that were shuffled."""
    fit = training.fit_risk_model

    def fit_shuffled(rows, **asked):
        order = np.random.default_rng(3).permutation(len(rows))
        return fit(rows.with_columns(rows.select(LABELS)[order]), **asked)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "fit_risk_model", fit_shuffled)
        yield


@pytest.fixture(scope="module")
def crippled(settings, flows):
    with nonsense():
        return flows.retrain(home=settings.home, at=EARLY, promote="always", seed=3)


@pytest.fixture(scope="module")
def better(settings, crippled, flows):
    return flows.retrain(home=settings.home, at=AT, seed=3)


@pytest.fixture(scope="module")
def shown(better):
    """What Prefect's pages show of it."""
    return {key: read_artifact(key) for key in ("figures", "gates")}


@pytest.fixture(scope="module")
def worse(settings, better, shown, flows):
    with nonsense():
        return flows.retrain(home=settings.home, at=AT.astimezone(UTC), seed=3)


def test_a_better_challenger_takes_over(settings, crippled, better):
    assert (crippled.version, crippled.promoted) == ("1", True)
    assert better.promoted, better.reasons
    assert open_registry(settings).champion().version == better.version == "2"
    assert (
        better.metrics["precision_at_budget"] > better.metrics["champion_precision_at_budget"] + 0.1
    )
    assert better.metrics["champion_losses"] == better.metrics["baseline_losses"] > 20


def test_what_the_budget_is_worth_is_measured_on_the_compared_days(settings, better):
    outlook, figures = better.outlook, better.figures.challenger
    assert (outlook.budget, outlook.days, outlook.losses) == (
        settings.daily_budget,
        settings.training.judged_days,
        figures.losses,
    )
    assert outlook.precision.value == figures.precision
    assert outlook.precision.low < figures.precision < outlook.precision.high
    per_day = outlook.losses / outlook.days
    assert outlook.loss_rate.value == pytest.approx(per_day / outlook.residents * 100_000)


def test_retrain_shows_figures_beside_the_rule_and_what_the_gates_said(better, shown):
    assert "precision at budget" in shown["figures"]["data"]
    assert shown["figures"]["description"] == f"Model {better.version} beside today's rule"
    assert shown["gates"]["data"].startswith(f"# Model {better.version}: promoted")


def test_a_worse_challenger_is_refused(settings, worse):
    assert not worse.promoted
    assert any(
        "of the champion: at most 0.03 worse is allowed" in reason for reason in worse.reasons
    )
    assert worse.reasons[-1].startswith("the champion learned from these days")
    registry = open_registry(settings)
    assert (registry.champion().version, registry.challenger().version) == ("2", "3")


def test_a_roll_back_restores_the_old_one_and_scoring_uses_it(settings, worse, flows):
    landing = settings.home.parent / "landing"
    assert flows.nightly(landing=landing, home=settings.home, at=AT).model_version == "2"
    (shadow,) = (settings.scores_folder / "shadow" / "2-3").glob("*.parquet")
    beside = pl.read_parquet(shadow)
    assert beside["at"].unique().to_list() == [AT]
    assert beside["person"].is_unique().all()
    assert not beside["score"].equals(beside["challenger_score"])

    assert open_registry(settings).roll_back(at=AT).version == "1"
    assert flows.nightly(landing=landing, home=settings.home, at=AT).model_version == "1"


def test_the_gates_hold_on_the_engineers_page_too(settings, worse):
    promoter = GatedPromoter(settings)
    with pytest.raises(
        ConflictError, match=r"refuse version 3: .* of the rule: more than 0 better is asked"
    ):
        promoter.promote("3", at=AT)
    with pytest.raises(ConflictError, match="version 1 does not stand in line"):
        promoter.promote("1", at=AT)


def test_a_challenger_that_passes_is_put_in_force_from_the_page(settings, worse):
    from mlflow import MlflowClient

    registry, promoter = open_registry(settings), GatedPromoter(settings)
    while registry.champion().version != "1":
        promoter.roll_back(at=AT)
    MlflowClient(settings.mlflow_database_url).set_registered_model_alias(
        MODEL_NAME, "challenger", "2"
    )
    registry.follow_alias()
    models = promoter.promote("2", at=AT)
    assert registry.champion().version == "2"
    assert (models.champion.version, models.challenger, models.gates) == (
        "2",
        None,
        (),
    )
    assert models.champion.pictures.keys() == {
        "budgets",
        "calibration",
        "groups",
        "importance",
        "scores",
    }
    figures = {row.name: row for row in models.figures}
    assert figures["precision_at_budget"].champion > figures["precision_at_budget"].rule
    assert promoter.roll_back(at=AT).champion.version == "1"
    with pytest.raises(NotReadyError, match="no champion stands before the present one"):
        promoter.roll_back(at=AT)


def test_each_flow_reports_itself(settings, worse, flows):
    landing = settings.home.parent / "landing"
    flows.nightly(landing=landing, home=settings.home, at=AT)
    with read_transaction(open_database(settings.serving_database_url)) as session:
        found = read_overview(session, at=datetime.now(SHANGHAI))
    assert {verb: run.ok for verb, run in found.newest.items()} == {
        "ingest": True,
        "train": True,
        "nightly": True,
    }
    assert found.newest["nightly"].about_at == AT
    assert found.newest["nightly"].facts["scored"] == 500
    assert found.quality.report.sources[0].rows > 0
    assert found.models.report.challenger.version == "3"
    refused = [gate.gate for gate in found.models.report.gates if not gate.passed]
    assert "champion_precision_at_budget" in refused
    assert found.fairness.report.source == "challenger"
    assert {group.attribute for group in found.fairness.report.groups} >= {
        "residency",
        "sex",
        "age_band",
    }
    assert found.fairness.report.chart.startswith("<svg")
    assert len(found.drift.report.features) == 20
