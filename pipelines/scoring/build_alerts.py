"""Alerts as they are published: the decisions of a run with all that is known of each person."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from data_contracts.ages import age_band
from features.catalogue.definitions import FEATURES, Feature
from features.catalogue.wording import Language, describe_value
from features.event_index import EventIndex
from features.kernel.source_tables import SourceTables
from models.evaluation.explain import Explanation, explain_scores
from models.learning.risk import RiskModel
from models.policy.alerting import AlertDecision
from models.policy.already_paid import find_already_paid
from models.policy.expected_saving import typical_loss_cny
from pipelines.scoring.alert_timelines import AlertTimeline, build_alert_timelines
from pipelines.scoring.missing_data import find_missing_data
from pipelines.scoring.scored_people import scored_snapshot
from serving.publishing import Alert
from serving.vocabulary.alerts import OTHER, Contribution, Reason

__all__ = ["build_alerts", "to_contributions", "to_reasons"]

UNKNOWN_COMMUNITY = "unknown"


def build_alerts(
    decided: Sequence[AlertDecision],
    *,
    tables: SourceTables,
    event_index: EventIndex,
    model: RiskModel,
    at: datetime,
) -> tuple[Alert, ...]:
    """Return the alerts in rank order; they were decided at ``at`` by scores of ``model``."""
    if not decided:
        return ()
    moment = pl.lit(at).cast(event_index.contacts.empty.schema["known_at"])
    people = pl.DataFrame({"person": [one.candidate.person for one in decided]})
    rows = scored_snapshot(event_index, model, people.with_columns(at=moment))
    alerted = join_alert_rows(decided, rows, tables=tables, event_index=event_index, model=model)
    names = alerted["person"]
    explanations = dict(zip(names, explain_scores(model, alerted), strict=True))
    missing = dict(zip(names, find_missing_data(event_index, alerted, at=at), strict=True))
    timelines = build_alert_timelines(
        tables, event_index, alerted, reputation_model=model.reputations, at=at
    )
    timeline_of = dict(zip(names, timelines, strict=True))
    return tuple(
        describe_alert(
            row,
            explanation=explanations[row["person"]],
            missing=missing[row["person"]],
            timeline=timeline_of[row["person"]],
            at=at,
        )
        for row in alerted.iter_rows(named=True)
    )


def join_alert_rows(
    decided: Sequence[AlertDecision],
    rows: pl.DataFrame,
    *,
    tables: SourceTables,
    event_index: EventIndex,
    model: RiskModel,
) -> pl.DataFrame:
    """Return one row an alert, in rank order: its snapshot, with what else stands on the alert.

    Beside the columns of ``rows``: ``rank``, ``level``, ``saving_cny``, ``realert``, ``scam_type``,
    ``at_stake_cny``, ``already_paid_cny``, ``community_id``, ``grid_id``, and ``suspect_number``,
    ``suspect_account``, the pseudonyms of those that speak most for the episode. Null is what is
    unknown.
    """
    schema = {
        "person": pl.String(),
        "level": pl.String(),
        "saving_cny": pl.Float64(),
        "realert": pl.Boolean(),
    }
    decisions = pl.DataFrame(
        [
            (one.candidate.person, one.level, one.candidate.saving_cny, one.repeat)
            for one in decided
        ],
        schema=schema,
        orient="row",
    ).with_row_index("rank", offset=1)
    alerted = decisions.join(rows, on="person", how="left", maintain_order="left")
    residents = tables.residents.select("person", "community_id", "grid_id")
    homes = residents.unique("person").collect()
    typed = alerted.with_columns(pl.Series("scam_type", model.predict_scam_type(alerted)))
    return (
        typed.with_columns(find_already_paid(model, typed), at_stake_cny=at_stake_cny(model))
        .join(homes, on="person", how="left", maintain_order="left")
        .with_columns(
            event_index.numbers["peer"].gather(alerted["lead_peer_code"]).alias("suspect_number"),
            event_index.accounts["payee"]
            .gather(alerted["lead_payee_code"])
            .alias("suspect_account"),
        )
    )


def at_stake_cny(model: RiskModel) -> pl.Expr:
    """Return the typical loss of each row's ``scam_type``; null where the type has no name."""
    # The saving was estimated from the losses that the model keeps from its training. A median of
    # today's cases would be another amount, and the two amounts of one alert would contradict.
    typical = {scam_type: typical_loss_cny(model, scam_type) for scam_type in model.scam_types}
    return pl.col("scam_type").replace_strict(typical, default=None, return_dtype=pl.Float64)


def describe_alert(
    row: Mapping[str, Any],
    *,
    explanation: Explanation,
    missing: tuple[str, ...],
    timeline: AlertTimeline,
    at: datetime,
) -> Alert:
    """Return the alert of a row of :func:`join_alert_rows`."""
    return Alert(
        person=row["person"],
        rank=row["rank"],
        issued_at=at,
        score=row["score"],
        baseline_score=row["baseline_score"],
        level=row["level"],
        scam_type=row["scam_type"],
        community_id=row["community_id"] or UNKNOWN_COMMUNITY,
        grid_id=row["grid_id"] or UNKNOWN_COMMUNITY,
        at_stake_cny=row["at_stake_cny"],
        saving_cny=row["saving_cny"],
        already_paid_cny=row["already_paid_cny"],
        reasons=to_reasons(explanation),
        contributions=to_contributions(explanation),
        base_value=explanation.base,
        realert=row["realert"],
        missing=missing,
        age_band=age_band(row["age_years"]),
        suspect_numbers=(row["suspect_number"],) if row["suspect_number"] else (),
        suspect_accounts=(row["suspect_account"],) if row["suspect_account"] else (),
        first_contact_at=timeline.first_contact_at,
        timeline=timeline.events,
        touched=timeline.touched,
    )


def to_reasons(explanation: Explanation) -> tuple[Reason, ...]:
    """Return the reasons as they are published."""
    return tuple(
        Reason(code=one.code, zh=one.zh, en=one.en, contribution=one.contribution)
        for one in explanation.reasons
    )


def to_contributions(explanation: Explanation, *, most: int = 20) -> tuple[Contribution, ...]:
    """Return the weightiest contributions one by one and the rest as one, so that they still add up
    to the score.
    """
    parts = explanation.contributions
    by_name = {feature.name: feature for feature in FEATURES}
    names = sorted(parts, key=lambda name: -abs(parts[name]))
    kept = [
        Contribution(
            feature=name,
            value=explanation.values[name],
            contribution=parts[name],
            zh=feature_in_words(by_name, name, explanation.values[name], "zh"),
            en=feature_in_words(by_name, name, explanation.values[name], "en"),
        )
        for name in names[:most]
    ]
    rest = sum(parts[name] for name in names[most:])
    return (
        *kept,
        Contribution(
            feature=OTHER, value=None, contribution=rest, zh="其余各项", en="Everything else"
        ),
    )


def feature_in_words(
    by_name: Mapping[str, Feature], name: str, value: float | None, language: Language
) -> str:
    """Say a feature and its value in plain words, or its name and that nothing is known."""
    if value is None:
        return f"{name}：未知" if language == "zh" else f"{name}: unknown"
    return describe_value(by_name[name], value, language=language)
