"""The variants that experiments compare: clocks, models without a part, and policies."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from models.evaluation.budget_curve import BUDGETS
from models.learning.ablations import PARTS
from models.learning.risk import RiskModel
from models.policy.alerting import PolicyRules
from models.policy.shortlist import BASELINE_COLUMN

__all__ = [
    "ABLATIONS",
    "AFRESH",
    "CLOCKS",
    "FULL",
    "MODEL",
    "NIGHT",
    "RULE",
    "Variant",
    "ablation_variants",
    "clock_variants",
    "column_of",
    "lever_variants",
    "policy_variants",
]

CLOCKS = ("1d", "6h", "1h", "15m", "5m")
NIGHT = "1d"
FULL = "full"
AFRESH = ("hand_written", "outages", "nightly")  # what is learned from other rows
ABLATIONS = (*PARTS, *AFRESH, "untuned")
MODEL, RULE = "score", BASELINE_COLUMN  # the columns of the model's score and of today's rule
NO_PACING = (
    1e9  # a pacing threshold that lets everybody through: the budget goes to whoever comes first
)
SPEND_MORE = 1.5  # a threshold that lets half as many again through as the budget has
TEXTS_FOR_A_VISIT = 20  # a text costs nothing; so many for each alert


@dataclass(frozen=True)
class Variant:
    """One way to decide: whose score, under which rules, at which clock; a line of one of the
    page's tables.
    """

    table: str
    name: str
    every: str
    column: str
    rules: PolicyRules

    @property
    def is_rule(self) -> bool:
        """Whether today's rule decides."""
        return self.column == RULE


def column_of(ablation: str) -> str:
    """The column of the scores of an ablated model."""
    return MODEL if ablation == FULL else f"{MODEL}_{ablation}"


def clock_variants(clocks: Sequence[str], *, rules: PolicyRules) -> Iterator[Variant]:
    """Each clock with the full model and with today's rule."""
    for clock in clocks:
        for column in (MODEL, RULE):
            yield Variant("clocks", clock, clock, column, rules)


def ablation_variants(
    ablations: Sequence[str], models: Mapping[str, RiskModel], *, every: str, rules: PolicyRules
) -> Iterator[Variant]:
    """The full model, the models without a part, and today's rule; what is trained for the night
    runs at night.
    """
    if not ablations:
        return
    for name in (FULL, *ablations):
        if column_of(name) in models:
            yield Variant(
                "ablations", name, NIGHT if name == "nightly" else every, column_of(name), rules
            )
    yield Variant("ablations", "rule", every, RULE, rules)


def lever_variants(levers: Sequence[str], *, every: str, rules: PolicyRules) -> Iterator[Variant]:
    """The full model, and the model with each lever."""
    for name in (FULL, *levers) if levers else ():
        yield Variant("levers", name, every, column_of(name), rules)


def policy_variants(*, every: str, rules: PolicyRules) -> Iterator[Variant]:
    """Ways to choose among the same scores, each with the model and with today's rule."""
    for name, changed in policies_of(rules).items():
        for column in (MODEL, RULE):
            yield Variant("policies", name, every, column, changed)


def policies_of(rules: PolicyRules) -> dict[str, PolicyRules]:
    """The policies compared, by name: one thing changed in each, and last the budgets."""
    return {
        "as_set": rules,
        "by_probability": replace(rules, saving_weight=0.0),
        "by_saving": replace(rules, saving_weight=1.0),
        "no_carry": replace(rules, carry=0.0),
        "first_come": replace(rules, stretch=NO_PACING),
        "spend_more": replace(rules, stretch=SPEND_MORE),
        "with_texts": replace(rules, text_budget=TEXTS_FOR_A_VISIT * rules.budget),
        "cool_down_24h": replace(rules, cool_down=timedelta(hours=24)),
        "cool_down_72h": replace(rules, cool_down=timedelta(hours=72)),
        **{f"budget_{budget}": replace(rules, budget=budget) for budget in BUDGETS},
    }
