"""The true episodes of a simulated district, reported or not, in the form of those that cases give,
so that the same figures can be drawn from them.
"""

from datetime import datetime, timedelta

import polars as pl

from data_contracts.errors import DeliveryError
from data_contracts.main_payment import PAID_LATELY
from models.evaluation.alert_metrics import EPISODE_LOOKBACK, JudgedAlerts, judge_alerts
from models.evaluation.bootstrap import Resamples, percentile_interval

__all__ = [
    "episodes_from_truth",
    "judge_by_truth",
    "judge_paid_marks",
    "taught_stories",
    "traces_from_truth",
]

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


def taught_stories(truth: pl.DataFrame, *, contacts_unclear: bool) -> pl.DataFrame:
    """:func:`episodes_from_truth` for a model that is to learn from all; ``contacts_unclear`` gives
    those of contact alone the outcome ``unclear``.
    """
    is_unclear = (pl.col("outcome") == "contact") & contacts_unclear
    outcome = (
        pl.when(is_unclear).then(pl.lit("unclear")).otherwise(pl.col("outcome").cast(pl.String))
    )
    return episodes_from_truth(truth).with_columns(outcome=outcome)


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


def judge_paid_marks(alerts: pl.DataFrame, truth: pl.DataFrame, *, seed: int = 0) -> pl.DataFrame:
    """How many ``alerts`` are marked as ``already_paid``, by what was true when they were issued.

    A row each for ``after`` (within ``PAID_LATELY`` after a main payment), ``before`` (in an
    episode whose main payment was still to come) and ``no loss``: ``alerts``, ``marked``, and the
    ``share`` marked with its 90 % interval ``low`` to ``high``, null without alerts.
    """
    losses = episodes_from_truth(truth).filter(
        pl.col("outcome") == "loss", pl.col("main_at").is_not_null()
    )
    met = alerts.with_row_index("alert").join(
        losses.select("person", "opened_at", "main_at"), on="person"
    )
    since_main = pl.col("issued_at") - pl.col("main_at")
    after = met.filter(since_main.is_between(timedelta(0), PAID_LATELY))["alert"]
    before = met.filter(
        since_main < timedelta(0),
        pl.col("issued_at") >= pl.col("opened_at") - EPISODE_LOOKBACK,
    )["alert"]
    judged = alerts.with_row_index("alert").with_columns(
        issued=pl.when(pl.col("alert").is_in(after.implode()))
        .then(pl.lit("after"))
        .when(pl.col("alert").is_in(before.implode()))
        .then(pl.lit("before"))
        .otherwise(pl.lit("no loss"))
    )
    resamples = Resamples(judged["person"], seed=seed)
    lines = []
    for issued in ("after", "before", "no loss"):
        rows = judged.filter(issued=issued)
        drawn = resamples.totals(rows, pl.lit(1.0))
        drawn[drawn == 0] = float("nan")
        found = percentile_interval(resamples.totals(rows, pl.col("already_paid")) / drawn)
        marked = int(rows["already_paid"].sum())
        lines.append(
            {
                "issued": issued,
                "alerts": len(rows),
                "marked": marked,
                "share": marked / len(rows) if len(rows) else None,
                "low": found.low if found else None,
                "high": found.high if found else None,
            }
        )
    return pl.DataFrame(lines, schema=PAID_MARKS_SCHEMA)


PAID_MARKS_SCHEMA = pl.Schema(
    {
        "issued": pl.String(),
        "alerts": pl.Int64(),
        "marked": pl.Int64(),
        "share": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
    }
)


def in_shanghai(column: str) -> pl.Expr:
    """Shanghai wall time as a moment."""
    return pl.col(column).cast(pl.Datetime("us")).dt.replace_time_zone(ZONE)
