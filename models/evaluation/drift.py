"""Whether the world still looks as it did when the model learned: features, missing values, alerts
and their promises.

Advisory: nothing is stopped by it. A large drift says that somebody should look, and perhaps train
again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from math import log

import polars as pl

from models.learning.former_names import current_feature

__all__ = [
    "AlertVolume",
    "Drift",
    "FeatureDrift",
    "FeatureProfile",
    "compare_alert_volume",
    "compare_profiles",
    "estimate_precision",
    "profile_features",
    "profiles_from_json",
    "profiles_to_json",
    "stability_index",
]

DECILE_STEPS = [step / 10 for step in range(1, 10)]
FLOOR = 1e-4  # an empty bin counts as so small a share: its logarithm must exist
MODERATE, LARGE = 0.1, 0.25  # the usual bounds of the population stability index
MISSING_POINTS = 0.1  # so much more or less missing is worth a word
VOLUME_CONFIDENCE = 0.99


@dataclass(frozen=True)
class FeatureProfile:
    """How one feature was spread: ``shares`` of the known values in the bins that end at ``cuts``,
    the last one open.

    A value stands in the first bin whose cut it does not exceed. ``missing`` is the share of rows
    without a value.
    """

    cuts: tuple[float, ...]
    shares: tuple[float, ...]
    missing: float


@dataclass(frozen=True, kw_only=True)
class FeatureDrift:
    """One feature then and now: its population stability index (None with no value on either side),
    and what lacked.
    """

    feature: str
    psi: float | None
    missing: float
    missing_before: float

    @property
    def noted(self) -> bool:
        """Whether it moved enough to be told."""
        moved = self.psi is not None and self.psi >= LARGE
        return moved or abs(self.missing - self.missing_before) >= MISSING_POINTS


@dataclass(frozen=True, kw_only=True)
class AlertVolume:
    """Alerts of a day beside the ``expected``; chance alone keeps 99 days of 100 from ``low`` to
    ``high``.
    """

    expected: float
    seen: int
    low: int
    high: int

    @property
    def usual(self) -> bool:
        """Whether the day was an ordinary one."""
        return self.low <= self.seen <= self.high


@dataclass(frozen=True, kw_only=True)
class Drift:
    """What was found of ``rows`` rows against a reference: ``features`` with the one that moved
    most first.

    ``estimate_precision`` is what the probabilities of late alerts promise, until cases and
    dispositions can tell.
    """

    rows: int
    features: tuple[FeatureDrift, ...]
    volume: AlertVolume | None = None
    estimated_precision: float | None = None

    def metrics(self) -> dict[str, float]:
        """As metrics: ``drift_psi_max``, ``drift_features`` (so many were noted),
        ``drift_missing_points`` and more.
        """
        known = [one.psi for one in self.features if one.psi is not None]
        found = {
            "drift_psi_max": max(known, default=None),
            "drift_features": float(sum(one.noted for one in self.features)),
            "drift_missing_points": max(
                (100 * abs(one.missing - one.missing_before) for one in self.features), default=None
            ),
            "alerts_expected": self.volume.expected if self.volume else None,
            "alerts_seen": float(self.volume.seen) if self.volume else None,
            "estimated_precision": self.estimated_precision,
        }
        return {name: value for name, value in found.items() if value is not None}

    def table(self, *, most: int = 20) -> list[dict[str, str | float | None]]:
        """The features that moved most, one row each, with words for how much."""
        return [
            {
                "feature": one.feature,
                "psi": None if one.psi is None else round(one.psi, 3),
                "missing": round(one.missing, 3),
                "missing then": round(one.missing_before, 3),
                "word": describe_change(one),
            }
            for one in self.features[:most]
        ]

    def advice(self) -> tuple[str, ...]:
        """Plain sentences on what deserves a look; empty if nothing does."""
        noted = [one.feature for one in self.features if one.noted]
        sentences = []
        if noted:
            more = f" and {len(noted) - 5} more" if len(noted) > 5 else ""
            sentences.append(
                f"These moved: {', '.join(noted[:5])}{more}. "
                "Look at the deliveries, then train again."
            )
        if self.volume and not self.volume.usual:
            few = "fewer" if self.volume.seen < self.volume.low else "more"
            sentences.append(
                f"Alerts of the day: {self.volume.seen}, {few} than usual "
                f"({self.volume.low} to {self.volume.high})."
            )
        return tuple(sentences)


def describe_change(one: FeatureDrift) -> str:
    """How much a feature moved, in a word."""
    if abs(one.missing - one.missing_before) >= MISSING_POINTS:
        return "more missing" if one.missing > one.missing_before else "less missing"
    if one.psi is None or one.psi < MODERATE:
        return "steady"
    return "moved" if one.psi < LARGE else "moved far"


def profile_features(rows: pl.DataFrame, features: Sequence[str]) -> dict[str, FeatureProfile]:
    """How each of ``features`` is spread over ``rows``, in bins that end at its deciles (fewer
    where values repeat).
    """
    known = _known(rows, features)
    quantiles = known.select(pl.all().quantile(DECILE_STEPS, "nearest")).collect()
    cuts = {
        name: tuple(sorted(set(quantiles[name].explode().drop_nulls().to_list())))
        for name in features
    }
    return _spread(known, cuts)


def stability_index(expected: Sequence[float], found: Sequence[float]) -> float:
    """The population stability index of shares bin by bin: the sum of (found - expected) · ln(found
    / expected).
    """
    pairs = [(max(a, FLOOR), max(b, FLOOR)) for a, b in zip(expected, found, strict=True)]
    return sum((b - a) * log(b / a) for a, b in pairs)


def compare_profiles(
    reference: Mapping[str, FeatureProfile], rows: pl.DataFrame
) -> tuple[FeatureDrift, ...]:
    """Each feature of ``reference`` that ``rows`` have, the one that moved most first."""
    shared = {name: one.cuts for name, one in reference.items() if name in rows.columns}
    now = _spread(_known(rows, list(shared)), shared)
    found = [
        FeatureDrift(
            feature=name,
            psi=_psi_of(reference[name], now[name]),
            missing=now[name].missing,
            missing_before=reference[name].missing,
        )
        for name in shared
    ]
    return tuple(sorted(found, key=lambda one: (-_weight(one), one.feature)))


def compare_alert_volume(*, seen: int, before: Sequence[int]) -> AlertVolume | None:
    """The alerts of a day beside those of the days ``before``; None without any day before."""
    from scipy.stats import poisson

    if not before:
        return None
    expected = sum(before) / len(before)
    low, high = poisson.interval(VOLUME_CONFIDENCE, expected) if expected else (0, 0)
    return AlertVolume(expected=expected, seen=seen, low=int(low), high=int(high))


def estimate_precision(scores: Sequence[float]) -> float | None:
    """The share of alerts that their calibrated probabilities promise to be right; None without
    alerts.
    """
    return sum(scores) / len(scores) if scores else None


def profiles_to_json(profiles: Mapping[str, FeatureProfile]) -> str:
    """Profiles as JSON, small enough to stand among a model's facts."""
    return json.dumps({name: asdict(one) for name, one in profiles.items()})


def profiles_from_json(text: str) -> dict[str, FeatureProfile]:
    """From what ``profiles_to_json`` gave, the features under today's names."""
    return {
        current_feature(name): FeatureProfile(
            cuts=tuple(one["cuts"]), shares=tuple(one["shares"]), missing=one["missing"]
        )
        for name, one in json.loads(text).items()
    }


def _known(rows: pl.DataFrame, features: Sequence[str]) -> pl.LazyFrame:
    return rows.lazy().select(pl.col(features).cast(pl.Float64).fill_nan(None))


def _spread(
    known: pl.LazyFrame, cuts: Mapping[str, tuple[float, ...]]
) -> dict[str, FeatureProfile]:
    """The shares of each bin, in one pass: the differences of what lies at or below each cut."""
    below = [
        (pl.col(name) <= cut).sum().alias(f"{name}|{place}")
        for name, ends in cuts.items()
        for place, cut in enumerate(ends)
    ]
    counts = [pl.col(name).count().alias(f"{name}|known") for name in cuts]
    found = known.select(pl.len().alias("rows"), *counts, *below).collect().row(0, named=True)
    profiles = {}
    for name, ends in cuts.items():
        total, rows = found[f"{name}|known"], found["rows"]
        reached = [0, *(found[f"{name}|{place}"] for place in range(len(ends))), total]
        shares = tuple((b - a) / total if total else 0.0 for a, b in pairwise(reached))
        profiles[name] = FeatureProfile(
            cuts=ends, shares=shares, missing=1 - total / rows if rows else 1.0
        )
    return profiles


def _psi_of(then: FeatureProfile, now: FeatureProfile) -> float | None:
    return (
        stability_index(then.shares, now.shares) if sum(then.shares) and sum(now.shares) else None
    )


def _weight(one: FeatureDrift) -> float:
    """What to look at first: the stability index, or missing values on the same scale."""
    missing = LARGE * abs(one.missing - one.missing_before) / MISSING_POINTS
    return max(one.psi or 0.0, missing)
