"""Why an alert was raised: a model's contributions, folded by subject and told in the values of the moment."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from features.words.catalogue import GROUPS, Feature, FeatureGroup
from features.words.wording import tell

__all__ = ["Reason", "fold"]

LEAST = 3
WORTH = 0.05  # a further reason must weigh this much of the first
CLAUSES = 2


@dataclass(frozen=True, slots=True)
class Reason:
    """One plain reason. ``code`` is the catalogue's group, ``contribution`` its SHAP values (log-odds) added up."""

    code: str
    zh: str
    en: str
    contribution: float


def fold(
    contributions: Mapping[str, float], values: Mapping[str, float | None], *, most: int = 5
) -> tuple[Reason, ...]:
    """The ``most`` weightiest reasons of one alert, heaviest first; each is true of ``values``.

    ``contributions`` and ``values`` are by feature name; NaN is a missing value. Contributions of a group are added up,
    and only what speaks for an episode is a reason. Where that gives fewer than three, the next best true statements
    follow. An alert with hardly any events can have fewer still.
    """
    told = [reason for group in GROUPS if (reason := reason_of(group, contributions, values))]
    told.sort(key=attrgetter("contribution"), reverse=True)
    floor = max(0.0, WORTH * told[0].contribution) if told else 0.0
    weighty = sum(reason.contribution > floor for reason in told)
    return tuple(told[: min(most, max(LEAST, weighty))])


def reason_of(
    group: FeatureGroup, contributions: Mapping[str, float], values: Mapping[str, float | None]
) -> Reason | None:
    """What ``group`` has to say, None where none of its features has a value worth telling."""
    quoted = quotes(group, contributions, values)
    if not quoted:
        return None
    zh = "，".join(tell(feature, value, language="zh") for feature, value in quoted)
    en = ", ".join(tell(feature, value, language="en") for feature, value in quoted)
    if group.opening:
        zh, en = f"{group.opening.zh}{zh}", f"{group.opening.en} {en}"
    total = sum(contributions.get(feature.name, 0.0) for feature in group.features)
    return Reason(group.code, zh, en[:1].upper() + en[1:], total)


def quotes(
    group: FeatureGroup, contributions: Mapping[str, float], values: Mapping[str, float | None]
) -> Sequence[tuple[Feature, float]]:
    """The features to quote with their values: of the families that weigh most, the one that tells it best."""
    weight = family_weights(group, contributions)
    best = {
        family: spokesman(members, contributions)
        for family, members in groupby(sorted(telling(group, values), key=family_of), key=family_of)
    }
    ranked = sorted(best, key=lambda family: weight[family], reverse=True)
    chosen = {family for place, family in enumerate(ranked[:CLAUSES]) if place == 0 or weight[family] > 0}
    order = [feature.name for feature in group.features]
    return sorted((best[family] for family in chosen), key=lambda quoted: order.index(quoted[0].name))


def family_of(quoted: tuple[Feature, float]) -> str:
    """The family of a feature with its value."""
    return quoted[0].family


def family_weights(group: FeatureGroup, contributions: Mapping[str, float]) -> Mapping[str, float]:
    """Contributions added up by family; what a score contributes counts for the families that put it in words."""
    weight = {feature.family: 0.0 for feature in group.features}
    for feature in group.features:
        for family in feature.shown_by or (feature.family,):
            weight[family] += contributions.get(feature.name, 0.0)
    return weight


def telling(group: FeatureGroup, values: Mapping[str, float | None]) -> Iterator[tuple[Feature, float]]:
    """The group's features whose values are worth telling, with the values."""
    for feature in group.features:
        value = values.get(feature.name)
        if value is not None and not math.isnan(value) and feature.is_notable(value):
            yield feature, float(value)


def spokesman(members: Iterator[tuple[Feature, float]], contributions: Mapping[str, float]) -> tuple[Feature, float]:
    """The member that contributes most, or the first (of the shortest window) that has the same value."""
    family = list(members)
    _, value = max(family, key=lambda quoted: contributions.get(quoted[0].name, 0.0))
    return next(quoted for quoted in family if quoted[1] == value)
