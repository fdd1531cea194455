"""Parts of the model's inputs that can be left out, to tell what each is worth."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from data_contracts.errors import ModelError
from features.words.catalogue import FEATURES, Feature
from models.learning.risk import Tuning

__all__ = ["PARTS", "UntunedTrees", "features_of", "features_without"]

CALLS = ("strangers", "number_kinds", "call_backs", "reputed", "lead", "calling")
TRANSFERS = (
    *(
        "new_payees",
        "escalation",
        "outlays",
        "rebates",
        "lures",
        "reputed_payees",
        "payee_account",
        "pooling",
    ),
    *("loan_credits", "spending"),
)
BOTH = ("call_then_pay", "followed")  # of no use without either
NEITHER = ("profile", "feeds")
NAMED_PAYEES = (r"named_payees.*", r"payee_named.*")


@dataclass(frozen=True)
class Part:
    """Features that go together: all those of ``groups``, and those whose name one of ``patterns``
    matches whole.
    """

    zh: str
    en: str
    groups: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


PARTS: Mapping[str, Part] = MappingProxyType(
    {
        "peer_reputation": Part(
            "号码在全区的表现",
            "what numbers do to other residents",
            groups=("reputed",),
            patterns=(
                r"(?!payee_reputation|bad_reputation_payees).*reputation.*", r".*suspicion.*",
                r"lead_peer_.*", r"named_peers.*", r"named_talk.*", r"lead_named", r"lead_tagged",
                r"followed_.*", r"returning_n", r"text_talk_s", r"stranger_max_reach_24h",
            ),
        ),
        "payee_reputation": Part(
            "收款账户在全区的表现",
            "what payees do to other residents",
            patterns=(
                r"payee_reputation.*", r"bad_reputation_payees_.*", r"payee_payers_.*", r"payee_receivers_.*",
                r"payee_received_.*", r"payee_age_d", r"payer_new_reach.*",
                *NAMED_PAYEES,
            ),
        ),
        "named": Part("涉案号码和账户", "numbers and accounts that cases name", groups=("named",)),
        "calls": Part(
            "通话和短信",
            "calls and messages",
            groups=(*CALLS, *BOTH),
            patterns=(r"named_peers.*", r"named_talk.*", r"lead_named"),
        ),
        "transfers": Part("转账", "transfers", groups=(*TRANSFERS, *BOTH), patterns=NAMED_PAYEES),
    }
)  # fmt: skip


@dataclass(frozen=True)
class UntunedTrees(Tuning):
    """LightGBM as it comes: its own defaults wherever ours differ."""

    rounds: int = 100

    def params(self, *, seed: int) -> dict[str, Any]:
        """The objective, and what makes two runs the same."""
        kept = ("objective", "num_threads", "deterministic", "force_col_wise", "seed", "verbose")
        tuned = super().params(seed=seed)
        return {name: tuned[name] for name in kept}


def features_of(code: str, *, catalogue: Iterable[Feature] = FEATURES) -> frozenset[str]:
    """The features of one of ``PARTS``.

    Raises ``ModelError`` where a group or a pattern of it finds nothing, or where the catalogue has
    a group of which nobody has said whether it comes from calls or from transfers: what an ablation
    leaves in would be left unsaid.
    """
    part, features = PARTS[code], tuple(catalogue)
    attributed = {*CALLS, *TRANSFERS, *BOTH, *NEITHER, "named"}
    unknown = sorted({feature.group for feature in features} - attributed)
    found = [
        {feature.name for feature in features if feature.group == group} for group in part.groups
    ]
    found += [
        {feature.name for feature in features if re.fullmatch(p, feature.name)}
        for p in part.patterns
    ]
    idle = [
        name for name, hits in zip((*part.groups, *part.patterns), found, strict=True) if not hits
    ]
    if unknown or idle:
        raise ModelError(
            f"{', '.join(unknown + idle)}: the parts no longer fit the catalogue of features",
            remedy="Bring the lists in models/learning/ablations.py up to date.",
        )
    return frozenset[str]().union(*found)


def features_without(code: str, *, features: Iterable[str]) -> tuple[str, ...]:
    """``features`` without those of one of ``PARTS``, in the same order."""
    gone = features_of(code)
    return tuple(name for name in features if name not in gone)
