"""Why an alert was raised: a model's contributions, summed by group and worded with the values at
that moment.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from features.catalogue.definitions import GROUPS, Feature, FeatureGroup
from features.catalogue.wording import describe_value

__all__ = ["Reason", "summarise_reasons"]

MIN_REASONS = 3
MIN_RELATIVE_WEIGHT = 0.05  # a further reason must weigh this much of the first
MAX_QUOTES = 2


@dataclass(frozen=True, slots=True)
class Reason:
    """One plain reason. ``code`` is the catalogue's group, ``contribution`` its SHAP values
    (log-odds) added up.
    """

    code: str
    zh: str
    en: str
    contribution: float


def summarise_reasons(
    contributions: Mapping[str, float], values: Mapping[str, float | None], *, limit: int = 5
) -> tuple[Reason, ...]:
    """The ``limit`` weightiest reasons of one alert, heaviest first; each is true of ``values``.

    ``contributions`` and ``values`` are by feature name; NaN is a missing value. Contributions of a
    group are added up, and only what speaks for an episode is a reason. Where that gives fewer than
    three, the next best true statements follow. An alert with hardly any events can have fewer
    still.
    """
    reasons = [reason for group in GROUPS if (reason := group_reason(group, contributions, values))]
    reasons.sort(key=attrgetter("contribution"), reverse=True)
    floor = max(0.0, MIN_RELATIVE_WEIGHT * reasons[0].contribution) if reasons else 0.0
    weighty = sum(reason.contribution > floor for reason in reasons)
    return tuple(reasons[: min(limit, max(MIN_REASONS, weighty))])


def group_reason(
    group: FeatureGroup, contributions: Mapping[str, float], values: Mapping[str, float | None]
) -> Reason | None:
    """What ``group`` has to say, None where none of its features has a notable value."""
    quoted = quoted_features(group, contributions, values)
    if not quoted:
        return None
    zh = "，".join(describe_value(feature, value, language="zh") for feature, value in quoted)
    en = ", ".join(describe_value(feature, value, language="en") for feature, value in quoted)
    if group.opening:
        zh, en = f"{group.opening.zh}{zh}", f"{group.opening.en} {en}"
    total = sum(contributions.get(feature.name, 0.0) for feature in group.features)
    return Reason(group.code, zh, en[:1].upper() + en[1:], total)


def quoted_features(
    group: FeatureGroup, contributions: Mapping[str, float], values: Mapping[str, float | None]
) -> Sequence[tuple[Feature, float]]:
    """The features to quote with their values: of the families that weigh most, the one that tells
    it best.
    """
    weight = family_weights(group, contributions)
    best = {
        family: representative_feature(members, contributions)
        for family, members in groupby(
            sorted(notable_features(group, values), key=family_of), key=family_of
        )
    }
    ranked = sorted(best, key=lambda family: weight[family], reverse=True)
    families = {
        family
        for place, family in enumerate(ranked[:MAX_QUOTES])
        if place == 0 or weight[family] > 0
    }
    order = [feature.name for feature in group.features]
    return sorted(
        (best[family] for family in families), key=lambda quoted: order.index(quoted[0].name)
    )


def family_of(quoted: tuple[Feature, float]) -> str:
    """The family of a feature with its value."""
    return quoted[0].family


def family_weights(group: FeatureGroup, contributions: Mapping[str, float]) -> Mapping[str, float]:
    """Contributions added up by family; what a score contributes counts for the families that put
    it in words.
    """
    weight = {feature.family: 0.0 for feature in group.features}
    for feature in group.features:
        for family in feature.shown_by or (feature.family,):
            weight[family] += contributions.get(feature.name, 0.0)
    return weight


def notable_features(
    group: FeatureGroup, values: Mapping[str, float | None]
) -> Iterator[tuple[Feature, float]]:
    """The group's features with notable values, and the values."""
    for feature in group.features:
        value = values.get(feature.name)
        if value is not None and not math.isnan(value) and feature.is_notable(value):
            yield feature, float(value)


def representative_feature(
    members: Iterator[tuple[Feature, float]], contributions: Mapping[str, float]
) -> tuple[Feature, float]:
    """The member that contributes most, or the first (of the shortest window) that has the same
    value.
    """
    family = list(members)
    _, value = max(family, key=lambda quoted: contributions.get(quoted[0].name, 0.0))
    return next(quoted for quoted in family if quoted[1] == value)
