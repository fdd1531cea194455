"""Gates: what a challenger must show before it may take the champion's place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isnan, nan
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

# The settings hold the gates: every process of ours would import how models are measured.
if TYPE_CHECKING:
    from models.evaluation.alert_metrics import AlertMetrics
    from models.evaluation.comparison import Comparison

__all__ = ["GateResult", "Gates", "PromotionDecision", "decide_promotion"]

Metrics = Mapping[str, float]

HELD_TO_RULE = ("precision", "coverage")
HELD_TO_CHAMPION = (*HELD_TO_RULE, "money")
GAP_METRICS = ("precision", "coverage")


class Gates(BaseModel):
    """Stated conditions of a promotion; every one can be configured, none can be skipped."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    least_gain: float = Field(
        default=0.0, ge=0, le=1, description="precision and coverage above those of the rule"
    )
    tolerance: float = Field(
        default=0.03,
        ge=0,
        le=1,
        description="precision, coverage and money may lie so much below the champion's",
    )
    calibration_error: float = Field(
        default=0.1,
        gt=0,
        le=1,
        description="largest mean gap between probabilities and what came of them",
    )
    episodes: int = Field(default=30, ge=1, description="fewest reported episodes to learn from")
    feature_auc: float = Field(
        default=0.95,
        gt=0.5,
        le=1,
        description="a single feature that tells victims apart so well is a leak",
    )
    residency_gap_points: float = Field(
        default=5.0,
        ge=0,
        le=100,
        description="local and floating residents may lie so many points apart in precision and "
        "coverage; more is "
        "refused where chance alone does not explain it",
    )


@dataclass(frozen=True, kw_only=True)
class GateResult:
    """What one gate said: ``own`` figure of the challenger beside ``other``, the figure or bound it
    is held against.

    ``gate`` names it: ``rule_precision_at_budget``, ``champion_money_at_budget``,
    ``calibration_error``, ``episodes``, ``max_feature_auc``, ``residency_gap_coverage``.
    ``allowed`` is how much better or worse than ``other`` is asked or allowed. None is what was not
    measured.
    """

    gate: str
    passed: bool
    reason: str
    own: float | None = None
    other: float | None = None
    allowed: float | None = None


@dataclass(frozen=True, kw_only=True)
class PromotionDecision:
    """Whether to promote; ``reasons`` are the gates passed, or, if any refused, those that did."""

    promote: bool
    reasons: tuple[str, ...]
    results: tuple[GateResult, ...] = ()


def decide_promotion(
    comparison: "Comparison | None",
    *,
    metrics: Metrics,
    gates: Gates,
    champion: "AlertMetrics | None" = None,
) -> PromotionDecision:
    """Let the challenger pass every gate, or name the gates that refuse it.

    ``comparison`` was measured on a hold-out by time; None where no days could be compared.
    ``metrics`` are what else was measured of the challenger: ``calibration_error``, ``episodes``
    learnt from and ``max_feature_auc``. ``champion`` holds the figures of the champion's own
    training: they count where the comparison has none of it. The first model of an installation has
    no champion to hold against. What was not measured, or is NaN, passes no gate; a champion
    without a figure cannot be fallen short of.

    The gap between groups (``residency_gap_coverage_points``, ``…_low``, ``…_high`` of
    ``models.evaluation.fairness``) is another matter: it refuses only on evidence, a gap that is
    too large and whose interval leaves out 0. A district with few losses, or whose register does
    not tell residency, has no such evidence; if that refused, the old model would stay, of which no
    more is known. The reasons then say that the gap was not measured.
    """
    results = (
        *_beats_baseline(comparison, gates),
        *_holds_against(comparison, champion, gates),
        _at_most("calibration_error", metrics, gates.calibration_error, words="calibration error"),
        _at_least("episodes", metrics, gates.episodes, words="reported episodes"),
        _at_most(
            "max_feature_auc",
            metrics,
            gates.feature_auc,
            words="AUC of the strongest single feature",
        ),
        *_treats_alike(metrics, gates),
    )
    refused = tuple(result.reason for result in results if not result.passed)
    reasons = refused or tuple(result.reason for result in results)
    return PromotionDecision(promote=not refused, reasons=reasons, results=results)


def _beats_baseline(comparison: "Comparison | None", gates: Gates) -> Iterator[GateResult]:
    for figure in HELD_TO_RULE:
        name = f"{figure}_at_budget"
        own = _value_of(comparison.challenger if comparison else None, figure)
        rule = _value_of(comparison.rule if comparison else None, figure)
        words = f"{_plain(name)} {_figure(own)} against {_figure(rule)} of the rule"
        passed = own is not None and rule is not None and own > rule + gates.least_gain
        yield GateResult(
            gate=f"rule_{name}",
            passed=passed,
            reason=words if passed else f"{words}: more than {gates.least_gain:g} better is asked",
            own=own,
            other=rule,
            allowed=gates.least_gain,
        )


def _holds_against(
    comparison: "Comparison | None", champion: "AlertMetrics | None", gates: Gates
) -> Iterator[GateResult]:
    beside = comparison.champion if comparison else None
    for figure in HELD_TO_CHAMPION:
        name = f"{figure}_at_budget"
        own = _value_of(comparison.challenger if comparison else None, figure)
        held = _value_of(beside or champion, figure)
        if held is None or isnan(held):
            continue
        words = f"{_plain(name)} {_figure(own)} against {_figure(held)} of the champion"
        passed = own is not None and own >= held - gates.tolerance
        yield GateResult(
            gate=f"champion_{name}",
            passed=passed,
            reason=words if passed else f"{words}: at most {gates.tolerance:g} worse is allowed",
            own=own,
            other=held,
            allowed=gates.tolerance,
        )


def _value_of(figures: "AlertMetrics | None", name: str) -> float | None:
    return None if figures is None else float(getattr(figures, name))


def _treats_alike(metrics: Metrics, gates: Gates) -> Iterator[GateResult]:
    for name in GAP_METRICS:
        ends = [metrics.get(f"residency_gap_{name}_{end}") for end in ("points", "low", "high")]
        gap, low, high = (nan if end is None else end for end in ends)
        gate = f"residency_gap_{name}"
        if isnan(gap) or isnan(low) or isnan(high):
            yield GateResult(
                gate=gate, passed=True, reason=f"gap of {name} by residency: not measured"
            )
            continue
        words = f"gap of {name} by residency {gap:+.1f} points ({low:+.1f} to {high:+.1f})"
        passed = abs(gap) <= gates.residency_gap_points or low <= 0 <= high
        allowed = f"at most {gates.residency_gap_points:g}, or no more than chance, is allowed"
        reason = words if passed else f"{words}: {allowed}"
        yield GateResult(
            gate=gate, passed=passed, reason=reason, own=gap, other=gates.residency_gap_points
        )


def _at_most(gate: str, metrics: Metrics, bound: float, *, words: str) -> GateResult:
    value = metrics.get(gate)
    passed = value is not None and value <= bound
    reason = f"{words} {_figure(value)}: at most {bound:g} is allowed"
    return GateResult(gate=gate, passed=passed, reason=reason, own=value, other=bound)


def _at_least(gate: str, metrics: Metrics, bound: float, *, words: str) -> GateResult:
    value = metrics.get(gate)
    passed = value is not None and value >= bound
    reason = f"{words} {_figure(value)}: at least {bound:g} are asked"
    return GateResult(gate=gate, passed=passed, reason=reason, own=value, other=bound)


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _figure(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4g}"
