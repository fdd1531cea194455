"""What is measured is what runs: a comparison of models, a replay, experiments, the curve of
budgets, the shadow log and the running system issue the same alerts over the same days.
"""

from datetime import timedelta

import lightgbm as lgb
import numpy as np
import polars as pl
import pytest

from features.event_index import build_event_index
from models.evaluation.alert_metrics import compute_metrics
from models.evaluation.budget_curve import alerts_under_budget, keep_for_budgets
from models.learning.calibration import Calibration
from models.learning.risk import RiskModel
from models.policy import stand_ins
from models.policy.ticks import query_points_by_day
from pipelines.backtesting.experiments import run_variants, start_variant
from pipelines.backtesting.replay import replay
from pipelines.backtesting.variants import MODEL, RULE, Variant
from pipelines.progress import no_progress
from pipelines.scoring.score import score
from pipelines.scoring.scored_people import policy_rules, score_query_points, score_with_models
from pipelines.scoring.shadow import SCORE_COLUMNS, split_by_scorer
from pipelines.settings import Settings
from pipelines.storage.as_of import source_tables_before
from pipelines.storage.installation.models import open_registry
from pipelines.storage.score_log import WARM_UP_KIND, ScoreLog, ShadowLog
from pipelines.training import model_comparison
from pipelines.training.model_comparison import (
    CHALLENGER,
    Span,
    compare_models,
    compare_scores,
    find_known_episodes,
)
from pipelines.training.model_comparison import RULE as RULE_SCORER
from serving.database.engine import open_database
from serving.feedback import recent_alerts
from tests.pipelines.district import TRAIN_AT

BUDGET, TEXTS = 4, 3
START = TRAIN_AT
END = START + timedelta(days=3)
WARM_UP = timedelta(days=1)
SIX_HOURS = timedelta(hours=6)
GOOD = {"calibration_error": 0.01, "episodes": 60.0, "max_feature_auc": 0.8}


@pytest.fixture(scope="module")
def settings(own_district) -> Settings:
    return own_district.model_copy(update={"daily_budget": BUDGET})


@pytest.fixture(scope="module")
def lessons() -> pl.DataFrame:
    """Drawn moments: the more somebody pays to new payees and talks to strangers, the likelier."""
    rng = np.random.default_rng(1)
    paid_cny = np.where(rng.random(2000) < 0.7, 0, rng.lognormal(6.5, 1.5, 2000))
    talk_s = rng.exponential(900, 2000)
    label = rng.random(2000) < np.clip(paid_cny / 6000 + talk_s / 20000, 0, 0.9)
    return pl.DataFrame(
        {
            "person": [f"p1_{number:016}" for number in range(2000)],
            "new_debit_cny_6h": paid_cny,
            "talk_s_24h": talk_s,
            "label": label.astype(np.int8),
            "sampling_weight": np.ones(2000),
        }
    )


@pytest.fixture(scope="module")
def model(lessons) -> RiskModel:
    """A model whose scores move when money does, so that alerts fall at all hours and repeat."""
    features = ("new_debit_cny_6h", "talk_s_24h")
    data = lgb.Dataset(
        lessons.select(features).to_numpy(),
        lessons["label"].to_numpy(),
        feature_name=list(features),
    )
    params = {
        "objective": "binary",
        "verbose": -1,
        "num_threads": 1,
        "min_data_in_leaf": 15,
        "deterministic": True,
    }
    return RiskModel(
        booster=lgb.train(params, data, 60),
        features=features,
        calibration=Calibration(slope=1.0, intercept=-1.0),
        trained_at=START,
        facts={"episodes": 40.0, "oof_auc": 0.9},
    )


@pytest.fixture(scope="module")
def index(settings):
    tables = source_tables_before(settings, at=END, span=timedelta(days=30))
    return build_event_index(tables), tables


@pytest.fixture(scope="module")
def replayed(settings, model):
    return replay(
        settings,
        start=START,
        end=END,
        every="6h",
        budget=BUDGET,
        text_budget=TEXTS,
        model=model,
        budgets=True,
    )


@pytest.fixture(scope="module")
def published(settings, model, lessons):
    """The alerts of a home that is scored for the first time at ``START``, then at every tick."""
    registry = open_registry(settings)
    versions = [
        registry.record(
            model,
            params={},
            metrics=GOOD,
            card="",
            rows=lessons,
            versions={"data_version": "1"},
        )
        for _ in ("champion", "challenger")
    ]
    registry.promote(versions[0].version, at=START)
    at = START
    while at < END:
        score(settings, at=at, kind="nightly" if at.hour == 0 else "intraday")
        at += SIX_HOURS
    found = recent_alerts(open_database(settings.serving_database_url), START)
    return sorted((one.issued_at, one.person, one.level, one.repeat) for one in found)


def issued(alerts: pl.DataFrame) -> list[tuple]:
    return sorted(alerts.select("issued_at", "person", "level", "repeat").rows())


def first(alerts: list[tuple]) -> list[tuple]:
    return [row for row in alerts if not row[-1]]


def test_there_is_something_to_compare(replayed):
    alerts = issued(replayed.alerts)
    assert len(first(alerts)) >= 10
    assert len(first(alerts)) < len(alerts)
    assert len({person for _, person, _, _ in alerts}) >= 10
    assert len({at for at, _, _, _ in alerts}) >= 5


def test_texts_are_measured_besides(replayed):
    """The alerts are those of a running system, which sends none."""
    with_texts, days = replayed.with_texts, (END - START).days
    found = len(first(issued(replayed.alerts)))
    assert found < with_texts.alerts_per_day * days <= (BUDGET + TEXTS) * (days + 1)
    assert with_texts.losses == replayed.figures.losses
    assert with_texts.coverage >= replayed.figures.coverage


def test_the_running_system_publishes_what_a_replay_says(replayed, published):
    assert published == issued(replayed.alerts)


def test_the_first_run_is_warmed_up_without_publishing(settings, published):
    runs = ScoreLog(settings.scores_folder).runs(
        since=(START - 3 * WARM_UP).date(), until=START.date()
    )
    warm_up = [run.at for run in runs if run.kind == WARM_UP_KIND]
    assert warm_up == [START - WARM_UP + n * SIX_HOURS for n in range(4)]
    assert min(at for at, *_ in published) >= START


def test_models_are_compared_by_what_a_replay_says(settings, model, index, replayed):
    event_index, tables = index
    span = Span(START, END)
    known = find_known_episodes(settings, event_index, tables, span=span, at=END)
    found = compare_models(
        event_index, {CHALLENGER: model}, span=span, known_episodes=known, settings=settings
    )
    assert issued(found.judged[CHALLENGER].alerts) == first(issued(replayed.alerts))
    assert issued(found.judged[RULE_SCORER].alerts) == first(issued(replayed.baseline_alerts))


def test_of_a_large_district_a_part_is_asked_about(settings, model, index, monkeypatch):
    event_index, tables = index
    span = Span(START, END)
    known = find_known_episodes(settings, event_index, tables, span=span, at=END)
    asked = []

    def compare(most: int):
        monkeypatch.setattr(stand_ins, "MOST_MOMENTS", most)
        asked.clear()
        found = compare_models(
            event_index, {CHALLENGER: model}, span=span, known_episodes=known, settings=settings
        )
        return found, sum(asked)

    def counted(event_index, models, points, **more):
        asked.append(len(points))
        return score_with_models(event_index, models, points, **more)

    monkeypatch.setattr(model_comparison, "score_with_models", counted)
    (whole, all_moments), (part, some_moments) = compare(5_000_000), compare(6_000)
    assert (whole.one_in, part.one_in) == (1, 3)
    assert some_moments < all_moments / 2
    for scorer in (CHALLENGER, RULE_SCORER):
        losses = [found.judged[scorer].losses["case_id"].to_list() for found in (part, whole)]
        assert losses[0] == losses[1]
        alerts = part.judged[scorer].alerts
        assert alerts["person"].is_in(event_index.people["person"].implode()).all()
        named = pl.col("person").is_in(known.named.implode())
        assert len(alerts.filter(named)) == len(alerts.filter(named).unique("person"))
    assert part.figures.challenger.alerts_per_day == pytest.approx(
        whole.figures.challenger.alerts_per_day, abs=1
    )
    assert part.to_metrics()["compared_one_in"] == 3
    assert "compared_one_in" not in whole.to_metrics()
    assert "one resident in 3" in part.decide(GOOD, gates=settings.gates).reasons[-1]


def test_experiments_decide_as_a_replay_does(settings, model, index, replayed):
    rules = policy_rules(settings)
    runs = [
        start_variant(Variant("policies", "as_set", "6h", column, rules), start=START)
        for column in (MODEL, RULE)
    ]
    run_variants(
        index[0],
        {MODEL: model},
        runs,
        start=START,
        end=END,
        every="6h",
        settings=settings,
        progress=no_progress,
    )
    assert issued(runs[0].run.issued) == issued(replayed.alerts)
    assert issued(runs[1].run.issued) == issued(replayed.baseline_alerts)


def test_the_curve_of_budgets_goes_through_the_replay(settings, model, index, replayed):
    rules = policy_rules(settings)
    points = query_points_by_day(index[0], start=START - WARM_UP, end=END, tick="6h")
    kept = pl.concat(
        keep_for_budgets(score_query_points(index[0], model, day), rules=rules) for _, day in points
    )
    found = alerts_under_budget(kept, rules=rules, start=START)
    assert issued(found) == first(issued(replayed.alerts))
    at_budget = replayed.evaluation.budgets.row(0, named=True)
    figures = compute_metrics(replayed.evaluation.model)
    assert at_budget == {name: getattr(figures, name, BUDGET) for name in at_budget}


def test_the_shadow_log_is_judged_by_what_a_replay_of_its_days_says(
    settings, model, index, published
):
    """The first day of the log is its warm-up."""
    event_index, tables = index
    span = Span(START + WARM_UP, END)
    later = replay(settings, start=span.start, end=END, every="6h", budget=BUDGET, model=model)
    log = ShadowLog(settings.scores_folder, champion="1", challenger="2")
    found = compare_scores(
        map(split_by_scorer, log.ticks(start=START, end=END)),
        scorers=SCORE_COLUMNS,
        span=span,
        known_episodes=find_known_episodes(settings, event_index, tables, span=span, at=END),
        settings=settings,
    )
    for scorer in ("champion", "challenger"):
        assert issued(found.judged[scorer].alerts) == first(issued(later.alerts))
    assert issued(found.judged["rule"].alerts) == first(issued(later.baseline_alerts))
