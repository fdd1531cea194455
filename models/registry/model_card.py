"""The model card: what a model is for, what it learned from, how good it is and what it must not be
used for.
"""

from collections.abc import Iterator, Mapping

from data_contracts.pages.markdown import markdown_table
from models.evaluation.comparison import Comparison
from models.learning.risk import RiskModel

__all__ = ["render_model_card"]

METRIC_WORDS = {
    "alerts_per_day": "alerts a day",
    "precision_at_budget": "alerts on people in a reported episode",
    "coverage_at_budget": "reported losses alerted in time",
    "money_at_budget": "lost money alerted in time",
    "lead_h_median": "hours from alert to main payment, median",
}
COUNTS = {
    "episodes": "reported episodes",
    "losses": "of them with a loss",
    "positive_samples": "moments in an episode",
    "negative_samples": "other moments, drawn from all",
}
QUALITY = {
    "oof_auc": "AUC, out of fold",
    "oof_average_precision": "average precision, out of fold",
    "calibration_error": "calibration error, mean gap over bins of equal numbers of victims",
    "lead_agreement": "negative samples whose lead number was the same in learning as in use",
    "max_feature_auc": "AUC of the strongest single feature; near 1 it would be a leak",
}
EPISODES_PREFIX = "episodes_"

USE = """\
Ranks residents by the probability that they are in an episode of telecom fraud now, or will lose
money within 72 hours, so that people can reach them before the money is gone.

用于排序辖区居民正处于电信诈骗过程中、或 72 小时内将受损的概率，供人工劝阻使用。\
模型只作提示，不作为限制措施的依据。

Not for: restricting a card, number or account; judging anybody of anything; districts or feeds it
was not trained on; suspects (it looks for victims). A score is a probability, not a finding."""

LIMITS = """\
- It learns from reported cases. About a third of the losses are never reported, and slow types come
  late: precision measured on reports is a lower bound, coverage is that of the reported only.
- Types that leave no call and no transfer in the feeds before the payment (most of `fake_shopping`)
  are hardly seen.
- People whose operator or bank delivers late or not at all look quieter than they are.
- Crews change numbers, accounts and scripts: train again at least monthly, and read the calibration
  each time."""

FAIRNESS = """\
Residency (local or floating) is never an input. Sex and community are none either. Age is one,
because types of fraud differ by age; check at every training whether alerts find victims of all
ages alike. An alert leads to help by a person, and everybody can ask why it came: each one carries
its reasons."""


def render_model_card(
    model: RiskModel,
    *,
    metrics: Mapping[str, float],
    comparison: Comparison | None,
    versions: Mapping[str, str],
) -> str:
    """Return the card in Markdown.

    ``metrics`` are those recorded beside the model, ``comparison`` has its figures beside those of
    the rule; what was not measured is said to be so. ``versions`` are those of data, contracts and
    code.
    """
    sections = {
        "Intended use": USE,
        "Made of": markdown_table(("", ""), _made_of(model, versions)),
        "Labels": markdown_table(("", "number"), _labels(metrics)),
        "How good": markdown_table(
            ("measured on the last week, unseen", "model", "today's rule"), _figures(comparison)
        ),
        "Scores": markdown_table(
            ("", "figure"), [(words, _figure(metrics.get(name))) for name, words in QUALITY.items()]
        ),
        "Limits": LIMITS,
        "Fairness": FAIRNESS,
    }
    body = "\n\n".join(f"## {title}\n{text}" for title, text in sections.items())
    return f"# Victim risk, trained at {model.trained_at:%Y-%m-%d %H:%M}\n\n{body}\n"


def _made_of(model: RiskModel, versions: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield (
        "kind",
        f"LightGBM, {model.booster.num_trees()} trees, Platt calibration on out-of-fold scores",
    )
    yield "features", str(len(model.features))
    yield "data window", f"what was known before {model.trained_at.isoformat()}"
    for name, value in versions.items():
        yield name.replace("_", " "), f"`{value}`"


def _labels(metrics: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    for name, words in COUNTS.items():
        yield words, _figure(metrics.get(name))
    for name in sorted(metrics):
        if name.startswith(EPISODES_PREFIX):
            yield f"episodes of `{name.removeprefix(EPISODES_PREFIX)}`", _figure(metrics[name])


def _figures(comparison: Comparison | None) -> Iterator[tuple[str, str, str]]:
    figures = comparison.by_scorer() if comparison else {}
    model, rule = figures.get("challenger", {}), figures.get("rule", {})
    for name, words in METRIC_WORDS.items():
        yield words, _figure(model.get(name)), _figure(rule.get(name))


def _figure(value: float | None) -> str:
    if value is None:
        return "not measured"
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) > 1 else f"{value:.3g}"
