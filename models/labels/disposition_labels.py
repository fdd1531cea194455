"""What people found about alerts, as labels: a fraud that was stopped is an episode, a lawful
payment is no fraud.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from models.labels.episodes import merge_overlapping
from models.labels.frames import Episode

__all__ = [
    "CONTACT_RESULTS",
    "DispositionLabels",
    "labels_from_dispositions",
    "latest_dispositions",
]

LAWFUL = "lawful"
ALREADY_PAID = "already_paid"
# These results say that there was a fraudster.
CONTACT_RESULTS = ("stopped", "contact_no_payment", ALREADY_PAID)
CONTACT_BEFORE_ALERT = timedelta(
    hours=1
)  # an alert is never the first trace: so long before it the person was being drawn in
MAX_EPISODE_AFTER_ALERT = timedelta(
    hours=72
)  # and for so long after it at most, however late the result was written down
DISPOSITION_LOOKBACK = timedelta(
    hours=72
)  # a disposition of an alert also labels so many hours before it
LAWFUL_RELIABILITY = 0.92  # "not fraud" is wrong in one of ten to twenty closings
MOMENT_TYPE = pl.Datetime("us", "Asia/Shanghai")
EPISODE_END = pl.max_horizontal("found_at", "issued_at")  # an episode does not end before its alert
EPISODE_COLUMNS = Episode.polars_schema()


@dataclass(frozen=True, eq=False)
class DispositionLabels:
    """Labels from dispositions.

    ``episodes`` are frauds that an analyst or officer confirmed, shaped as those of
    ``models.labels.episodes``, with ``case_id`` ``d:`` and the alert's id; none of them overlaps a
    reported case of the same person. ``lawful`` are spans ``person``, ``start_at``, ``end_at`` of
    lawful doings; ``weight`` is the chance that the word is right, to weigh a moment of the span.
    ``unclear`` are spans of which nobody could tell: moments in them are neither. ``conflicts``
    counts alerts called lawful although a case, or somebody else's word, says fraud; these are in
    no table.
    """

    episodes: pl.DataFrame
    lawful: pl.DataFrame
    unclear: pl.DataFrame
    conflicts: int

    def facts(self) -> dict[str, float]:
        """Counts for the model's facts."""
        return {
            "dispositions_fraud": float(len(self.episodes)),
            "dispositions_lawful": float(len(self.lawful)),
            "dispositions_unclear": float(len(self.unclear)),
            "dispositions_conflicts": float(self.conflicts),
        }


def labels_from_dispositions(
    dispositions: pl.DataFrame, reported: pl.DataFrame, *, at: datetime
) -> DispositionLabels:
    """Labels from the dispositions known strictly before ``at``, beside the ``reported`` episodes.

    ``dispositions`` are shaped as ``models.labels.frames.Disposition``; the last version counts,
    and an alert that repeats another one has the result of that. A person whom a fraudster reached
    and who did not pay was in an episode all the same: it is no false alarm because a warning
    worked. A reported case knows more than whoever closed the alert: where the two disagree the
    case wins.
    """
    latest = latest_dispositions(dispositions, at=at)
    frauds = confirmed_episodes(latest, reported)
    known = pl.concat([reported.select(EPISODE_COLUMNS.names()).cast(EPISODE_COLUMNS), frauds])
    around = latest.with_columns(
        opened_at=pl.col("issued_at") - DISPOSITION_LOOKBACK, closed_at=EPISODE_END
    )
    lawful = around.filter(pl.col("result") == LAWFUL)
    uncontested = non_overlapping(lawful, known)
    unclear = non_overlapping(
        around.filter(~pl.col("result").is_in([*CONTACT_RESULTS, LAWFUL])), known
    )
    span = ("person", pl.col("opened_at").alias("start_at"), pl.col("closed_at").alias("end_at"))
    return DispositionLabels(
        episodes=frauds,
        lawful=uncontested.select(*span, weight=pl.lit(LAWFUL_RELIABILITY)),
        unclear=unclear.select(span),
        conflicts=len(lawful) - len(uncontested),
    )


def latest_dispositions(dispositions: pl.DataFrame, *, at: datetime) -> pl.DataFrame:
    """One row an alert: the highest version of those known before ``at``, in order of issue.

    ``result`` of an alert that was merged into another one is that one's, as far as there is any.
    """
    known = dispositions.filter(pl.col("decided_at") < at).sort("version")
    latest = known.unique("alert_id", keep="last").sort("issued_at", "alert_id")
    repeated = dict(
        latest.filter(pl.col("merged_into").is_not_null())
        .select("alert_id", "merged_into")
        .iter_rows()
    )
    first = latest.with_columns(
        first_id=pl.col("alert_id").replace(
            {one: resolve_merged_alert(one, repeated) for one in repeated}
        )
    )
    said = latest.select(first_id="alert_id", first_result="result")
    return (
        first.join(said, on="first_id", how="left", maintain_order="left")
        .with_columns(result=pl.coalesce("first_result", "result"))
        .drop("first_id", "first_result")
    )


def resolve_merged_alert(alert_id: str, repeated: Mapping[str, str]) -> str:
    """The alert at the beginning: each repeats an earlier one, so there is no way round."""
    while alert_id in repeated:
        alert_id = repeated[alert_id]
    return alert_id


def confirmed_episodes(latest: pl.DataFrame, reported: pl.DataFrame) -> pl.DataFrame:
    """Episodes of alerts that led to a fraudster, without those that a reported case tells already.

    They are attempts, unless money had gone. When it went is not written down, so a loss has no
    main payment; it is 0 where nobody wrote down how much. What was paid before a fraud was stopped
    says nothing of what it was after.
    """
    found = latest.filter(pl.col("result").is_in(CONTACT_RESULTS)).select(
        "person",
        "scam_type",
        case_id=pl.lit("d:") + pl.col("alert_id"),
        outcome=pl.when(pl.col("result") == ALREADY_PAID)
        .then(pl.lit("loss"))
        .otherwise(pl.lit("attempt")),
        opened_at=pl.col("issued_at") - CONTACT_BEFORE_ALERT,
        main_at=pl.lit(None, MOMENT_TYPE),
        closed_at=pl.min_horizontal(EPISODE_END, pl.col("issued_at") + MAX_EPISODE_AFTER_ALERT),
        loss_cny=pl.when(pl.col("result") == ALREADY_PAID)
        .then(pl.col("paid_cny").fill_null(0.0))
        .otherwise(0.0),
    )
    return merge_overlapping(
        non_overlapping(found.select(EPISODE_COLUMNS.names()).cast(EPISODE_COLUMNS), reported)
    )


def non_overlapping(spans: pl.DataFrame, episodes: pl.DataFrame) -> pl.DataFrame:
    """The ``spans`` (``person``, ``opened_at``, ``closed_at``) that overlap none of the
    ``episodes`` of the same person.
    """
    numbered = spans.with_row_index("span")
    others = episodes.select("person", other_opened_at="opened_at", other_closed_at="closed_at")
    overlapping = numbered.join(others, on="person").filter(
        pl.col("opened_at") <= pl.col("other_closed_at"),
        pl.col("closed_at") >= pl.col("other_opened_at"),
    )
    return numbered.join(overlapping, on="span", how="anti", maintain_order="left").drop("span")
