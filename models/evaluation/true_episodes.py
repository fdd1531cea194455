"""The true episodes of a simulated district, reported or not, in the form of those that cases give,
so that the same figures can be drawn from them.
"""

from datetime import datetime

import polars as pl

from data_contracts.errors import DeliveryError
from models.evaluation.alert_metrics import EPISODE_LOOKBACK, JudgedAlerts, judge_alerts

__all__ = ["episodes_from_truth", "judge_by_truth", "traces_from_truth"]

ZONE = "Asia/Shanghai"
REQUIRED_COLUMNS = (
    "journey",
    "person",
    "scam_type",
    "outcome",
    "contact_at",
    "main_transfer_at",
    "last_transfer_at",
    "moves",
)


def episodes_from_truth(truth: pl.DataFrame) -> pl.DataFrame:
    """One row an episode, reported or not, in the columns of
    ``models.labels.episodes.build_episodes``; ``outcome`` may be ``contact``.

    ``truth`` is the file of that name with ``person`` beside the ID number. An episode opens with
    its first contact, and closes with its last payment, or 72 hours after the contact if nothing
    was paid. Raises ``DeliveryError`` for a missing column.
    """
    missing = sorted(set(REQUIRED_COLUMNS) - set(truth.columns))
    if missing:
        raise DeliveryError(
            f"the truth lacks {', '.join(missing)}", remedy="Give a truth.parquet of the simulator."
        )
    return truth.select(
        case_id=pl.col("journey").cast(pl.String),
        person="person",
        scam_type="scam_type",
        outcome="outcome",
        opened_at=in_shanghai("contact_at"),
        main_at=in_shanghai("main_transfer_at"),
        closed_at=pl.coalesce(
            in_shanghai("last_transfer_at"), in_shanghai("contact_at") + EPISODE_LOOKBACK
        ),
        loss_cny=pl.col("loss").cast(pl.Float64) if "loss" in truth.columns else pl.lit(0.0),
    ).sort("opened_at", "case_id")


def traces_from_truth(truth: pl.DataFrame) -> pl.DataFrame:
    """The first trace and every payment of each episode, in the columns of
    ``models.labels.episodes.build_traces``.

    A payment's ``known_at`` is null, for the first trace already tells when something could be
    known.
    """
    nothing = pl.lit(None, pl.Datetime("us", ZONE))
    seen = truth.select(
        case_id=pl.col("journey").cast(pl.String),
        known_at=in_shanghai("first_trace_at") if "first_trace_at" in truth.columns else nothing,
        paid_at=nothing,
        amount_cny=pl.lit(None, pl.Float64),
    ).drop_nulls("known_at")
    payment = pl.col("moves").str.split("|").list
    paid = (
        truth.select(
            case_id=pl.col("journey").cast(pl.String), moves=pl.col("moves").str.split(";")
        )
        .explode("moves")
        .filter(pl.col("moves").str.contains("|", literal=True))
        .select(
            "case_id",
            known_at=nothing,
            paid_at=payment.get(0).str.to_datetime(time_unit="us").dt.replace_time_zone(ZONE),
            amount_cny=payment.get(1).cast(pl.Float64),
        )
    )
    return pl.concat([seen, paid])


def judge_by_truth(
    alerts: pl.DataFrame, truth: pl.DataFrame, *, start: datetime, end: datetime
) -> JudgedAlerts:
    """Compare ``alerts`` with every episode: tier c is a loss, b a loss or an attempt, a any
    contact.
    """
    episodes, traces = episodes_from_truth(truth), traces_from_truth(truth)
    serious = judge_alerts(
        alerts, episodes.filter(pl.col("outcome") != "contact"), start=start, end=end, traces=traces
    )
    touched = judge_alerts(alerts, episodes, start=start, end=end).alerts["reported"]
    return JudgedAlerts(
        alerts=serious.alerts.with_columns(confirmed=touched),
        losses=serious.losses,
        days=serious.days,
    )


def in_shanghai(column: str) -> pl.Expr:
    """Shanghai wall time as a moment."""
    return pl.col(column).cast(pl.Datetime("us")).dt.replace_time_zone(ZONE)
