"""Names that stored models and runs of earlier versions carry, and today's names for them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

from features.catalogue.definitions import FORMER_NAMES

__all__ = ["current_feature", "with_current_metrics"]

Value = TypeVar("Value")

FORMER_METRICS: Mapping[str, str] = MappingProxyType(
    {
        "live_moments": "positive_samples",
        "quiet_moments": "negative_samples",
        "unreported_moments": "pseudo_positive_samples",
        "outcomes_fraud": "dispositions_fraud",
        "outcomes_lawful": "dispositions_lawful",
        "outcomes_unclear": "dispositions_unclear",
        "outcomes_conflicts": "dispositions_conflicts",
    }
)


def current_feature(name: str) -> str:
    """Today's name of the feature that was stored as ``name``."""
    return FORMER_NAMES.get(name, name)


def with_current_metrics(values: Mapping[str, Value]) -> dict[str, Value]:
    """Metrics or facts of a model, each under today's name."""
    return {FORMER_METRICS.get(name, name): value for name, value in values.items()}
