"""The figures of challenger, champion and rule under the names that MLflow keeps."""

from models.evaluation.alert_metrics import AlertMetrics
from models.evaluation.comparison import Comparison

CHALLENGER = AlertMetrics(4.0, 0.5, 0.25, 0.4, 6.0, 12, traced=10, coverage_traced=0.3)
CHAMPION = AlertMetrics(3.5, 0.4, 0.2, 0.3, None, 12)
RULE = AlertMetrics(4.0, 0.1, 0.0, 0.05, None, 12, precision_c=0.0)
WHOLE = Comparison(challenger=CHALLENGER, champion=CHAMPION, rule=RULE)


def test_each_figure_has_the_name_that_recorded_models_have():
    metrics = WHOLE.to_metrics()
    assert metrics["precision_at_budget"] == 0.5
    assert metrics["champion_precision_at_budget"] == 0.4
    assert metrics["baseline_money_at_budget"] == 0.05
    assert metrics["champion_losses"] == metrics["baseline_losses"] == metrics["losses"] == 12
    assert (metrics["lead_h_median"], metrics["baseline_precision_c"]) == (6.0, 0.0)
    assert "champion_lead_h_median" not in metrics


def test_what_was_recorded_is_read_back_among_other_metrics():
    assert Comparison.from_metrics({"oof_auc": 0.9, **WHOLE.to_metrics()}) == WHOLE
    alone = Comparison(challenger=CHALLENGER)
    assert Comparison.from_metrics(alone.to_metrics()) == alone


def test_a_training_that_compared_no_days_has_no_comparison():
    assert Comparison.from_metrics({"losses": 40.0, "episodes": 60.0}) is None
