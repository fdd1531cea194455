"""Challenger, champion and today's rule over the same days: their figures as one object, and the
only place that knows under which names MLflow keeps them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from models.evaluation.alert_metrics import AlertMetrics

__all__ = ["Comparison"]

# These are the names of every recorded model: a changed prefix would lose the old figures.
PREFIXES = {"challenger": "", "champion": "champion_", "rule": "baseline_"}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What each would have alerted over the same days under the same budget, measured.

    None stands for who was not compared. A champion that learned from the days is not compared,
    since it would look better than it is.
    """

    challenger: AlertMetrics
    champion: AlertMetrics | None = None
    rule: AlertMetrics | None = None

    def to_metrics(self) -> dict[str, float]:
        """Return all figures under one set of names, as MLflow keeps them.

        Those of the champion begin with ``champion_``, those of the rule with ``baseline_``.
        """
        return {
            PREFIXES[scorer] + name: value
            for scorer, figures in self.by_scorer().items()
            for name, value in figures.items()
        }

    @classmethod
    def from_metrics(cls, metrics: Mapping[str, float]) -> Self | None:
        """Read back what ``to_metrics`` gave, among other metrics; None without a challenger's."""
        found = {
            scorer: AlertMetrics.from_metrics(
                {
                    name.removeprefix(prefix): value
                    for name, value in metrics.items()
                    if name.startswith(prefix)
                }
            )
            for scorer, prefix in PREFIXES.items()
        }
        challenger = found["challenger"]
        if challenger is None:
            return None
        return cls(challenger=challenger, champion=found["champion"], rule=found["rule"])

    def by_scorer(self) -> dict[str, dict[str, float]]:
        """Return the figures of each scorer that was compared, by its name."""
        scorers = {name: getattr(self, name) for name in PREFIXES}
        return {name: found.to_metrics() for name, found in scorers.items() if found is not None}
