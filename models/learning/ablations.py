"""Parts of the model's inputs that can be left out, to tell what each is worth."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from features.catalogue.definitions import FEATURES, Feature
from models.learning.risk import Tuning

__all__ = ["PARTS", "UntunedTrees", "features_of", "features_without"]


@dataclass(frozen=True)
class Part:
    """Features that go together, by what the catalogue says of each."""

    zh: str
    en: str
    holds: Callable[[Feature], bool]


PARTS: Mapping[str, Part] = MappingProxyType(
    {
        "peer_reputation": Part(
            "号码在全区的表现",
            "what numbers do to other residents",
            lambda feature: feature.behaviour_of == "number",
        ),
        "payee_reputation": Part(
            "收款账户在全区的表现",
            "what payees do to other residents",
            lambda feature: feature.behaviour_of == "account",
        ),
        "named": Part(
            "涉案号码和账户",
            "numbers and accounts that cases name",
            lambda feature: feature.group == "named",
        ),
        "calls": Part(
            "通话和短信",
            "calls and messages",
            lambda feature: feature.source in {"calls", "both"},
        ),
        "transfers": Part(
            "转账", "transfers", lambda feature: feature.source in {"transfers", "both"}
        ),
    }
)


@dataclass(frozen=True)
class UntunedTrees(Tuning):
    """LightGBM as it comes: its own defaults wherever ours differ."""

    rounds: int = 100

    def params(self, *, seed: int) -> dict[str, Any]:
        """The objective, and what makes two runs the same."""
        kept = ("objective", "num_threads", "deterministic", "force_col_wise", "seed", "verbose")
        tuned = super().params(seed=seed)
        return {name: tuned[name] for name in kept}


def features_of(code: str) -> frozenset[str]:
    """The features of one of ``PARTS``."""
    return frozenset(feature.name for feature in FEATURES if PARTS[code].holds(feature))


def features_without(code: str, *, features: Iterable[str]) -> tuple[str, ...]:
    """``features`` without those of one of ``PARTS``, in the same order."""
    gone = features_of(code)
    return tuple(name for name in features if name not in gone)
