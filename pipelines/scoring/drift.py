"""What a night saw beside what the model learned among: the reference is kept with the model, the
comparison shown.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl

from features.event_index import EventIndex
from features.point_in_time import build_snapshot
from features.whom_to_ask import query_points_for_everyone
from models.evaluation.drift import (
    AlertVolume,
    Drift,
    FeatureProfile,
    compare_alert_volume,
    compare_profiles,
    estimate_precision,
    profile_features,
    profiles_from_json,
    profiles_to_json,
)
from models.learning.risk import RiskModel
from serving.feedback import RecentAlert

__all__ = ["ALERT_HISTORY", "add_feature_profile", "alert_volume", "measure_drift"]

PROFILE_FACT = "profile"  # the fact of a model that tells how its features were spread
SAMPLE_SIZE = (
    20_000  # people enough to tell a hundredth from a fiftieth, and few enough to cost a second
)
ALERT_HISTORY = timedelta(days=28)  # alerts of so many days tell what is usual
DAY = timedelta(days=1)


def add_feature_profile(
    model: RiskModel, event_index: EventIndex, *, at: datetime, before: RiskModel | None, seed: int
) -> tuple[RiskModel, Drift | None]:
    """The model with a profile of residents at ``at`` among its facts, and their drift from that of
    ``before``.
    """
    rows = sample_residents(event_index, model, at=at, seed=seed)
    facts = {**model.facts, PROFILE_FACT: profiles_to_json(profile_features(rows, model.features))}
    learned = replace(model, facts=facts)
    reference = reference_profiles(before) if before else None
    if reference is None:
        return learned, None
    return learned, Drift(rows=len(rows), features=compare_profiles(reference, rows))


def sample_residents(
    event_index: EventIndex, model: RiskModel, *, at: datetime, seed: int = 0
) -> pl.DataFrame:
    """The snapshot of so many residents at ``at`` as tell how features are spread."""
    people = query_points_for_everyone(event_index, at=at)
    return build_snapshot(
        event_index,
        people.sample(min(len(people), SAMPLE_SIZE), seed=seed),
        reputation_model=model.reputations,
    )


def measure_drift(
    model: RiskModel, event_index: EventIndex, *, alerts: Sequence[RecentAlert], at: datetime
) -> Drift | None:
    """The drift of the residents at ``at``, a midnight, from the profile of ``model``; None where
    it has none.

    ``alerts`` are those of the ``ALERT_HISTORY`` days before ``at``.
    """
    reference = reference_profiles(model)
    if reference is None:
        return None
    rows = sample_residents(event_index, model, at=at)
    return Drift(
        rows=len(rows),
        features=compare_profiles(reference, rows),
        volume=alert_volume(alerts, at=at),
        estimated_precision=estimate_precision([alert.score for alert in alerts]),
    )


def reference_profiles(model: RiskModel) -> Mapping[str, FeatureProfile] | None:
    """How features were spread when ``model`` learned; None of one from before that was kept."""
    text = model.facts.get(PROFILE_FACT)
    return profiles_from_json(text) if isinstance(text, str) else None


def alert_volume(alerts: Sequence[RecentAlert], *, at: datetime) -> AlertVolume | None:
    """Alerts of the 24 hours before ``at`` beside those of each day before, from the first alert
    on.
    """
    days = Counter((at - alert.issued_at) // DAY for alert in alerts)
    return compare_alert_volume(
        seen=days[0], before=[days[ago] for ago in range(1, max(days, default=0) + 1)]
    )
