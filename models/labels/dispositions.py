"""What people found about alerts, as labels: a fraud that was stopped is an episode, a lawful payment is no fraud."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from models.evaluation.alert_metrics import CONTACT
from models.labels.episodes import merge_overlapping

__all__ = ["DECISIONS", "Outcomes", "labels_from", "last_words"]

LAWFUL = "lawful"
PAID = "already_paid"
RUN_UP = timedelta(hours=1)  # an alert is never the first trace: so long before it the person was being drawn in
LIVE = timedelta(hours=72)  # and for so long after it at most, however late the result was written down
AROUND = timedelta(hours=72)  # a word on an alert is a word on so many hours before it
LAWFUL_IS_RIGHT = 0.92  # "not fraud" is wrong in one of ten to twenty closings
MOMENT = pl.Datetime("us", "Asia/Shanghai")
FOUND_AT = pl.max_horizontal("found_at", "issued_at")  # an episode does not end before its alert
DECISIONS = pl.Schema(
    {
        "alert_id": pl.String(),
        "person": pl.String(),
        "scam_type": pl.String(),
        "issued_at": MOMENT,
        "result": pl.String(),
        "decided_at": MOMENT,
        "version": pl.Int64(),
        "found_at": MOMENT,
        "paid_cny": pl.Float64(),
        "merged_into": pl.String(),
    }
)
EPISODES = pl.Schema(
    {
        "case_id": pl.String(),
        "person": pl.String(),
        "scam_type": pl.String(),
        "outcome": pl.String(),
        "opened_at": MOMENT,
        "main_at": MOMENT,
        "closed_at": MOMENT,
        "loss_cny": pl.Float64(),
    }
)


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Labels from dispositions.

    ``episodes`` are frauds that somebody met, shaped as those of ``models.labels.episodes``, with ``case_id`` ``d:`` and the
    alert's id; none of them overlaps a reported case of the same person. ``quiet`` are spans ``person``, ``start_at``,
    ``end_at`` of lawful doings; ``weight`` is the chance that the word is right, to weigh a moment of the span.
    ``unclear`` are spans of which nobody could tell: moments in them are neither. ``conflicts`` counts alerts called
    lawful although a case, or somebody else's word, says fraud; these are in no table.
    """

    episodes: pl.DataFrame
    quiet: pl.DataFrame
    unclear: pl.DataFrame
    conflicts: int

    def facts(self) -> dict[str, float]:
        """Counts for the model's facts."""
        return {
            "outcomes_fraud": float(len(self.episodes)),
            "outcomes_lawful": float(len(self.quiet)),
            "outcomes_unclear": float(len(self.unclear)),
            "outcomes_conflicts": float(self.conflicts),
        }


def labels_from(decisions: pl.DataFrame, reported: pl.DataFrame, *, at: datetime) -> Outcomes:
    """Labels from the dispositions known strictly before ``at``, beside the ``reported`` episodes.

    ``decisions`` are shaped as ``DECISIONS``; the last version of an alert is its word, and an alert that repeats
    another one has the word of that. Who was met by a fraudster and did not pay was in an episode all the same,
    and must not be learnt from as a false alarm because a warning worked. A reported case knows more than whoever
    closed the alert: where the two disagree the case wins.
    """
    words = last_words(decisions, at=at)
    frauds = met(words, reported)
    known = pl.concat([reported.select(EPISODES.names()).cast(EPISODES), frauds])
    around = words.with_columns(opened_at=pl.col("issued_at") - AROUND, closed_at=FOUND_AT)
    lawful = around.filter(pl.col("result") == LAWFUL)
    believed = apart(lawful, known)
    unclear = apart(around.filter(~pl.col("result").is_in([*CONTACT, LAWFUL])), known)
    span = ("person", pl.col("opened_at").alias("start_at"), pl.col("closed_at").alias("end_at"))
    return Outcomes(
        episodes=frauds,
        quiet=believed.select(*span, weight=pl.lit(LAWFUL_IS_RIGHT)),
        unclear=unclear.select(span),
        conflicts=len(lawful) - len(believed),
    )


def last_words(decisions: pl.DataFrame, *, at: datetime) -> pl.DataFrame:
    """One row an alert: the highest version of those known before ``at``, in order of issue.

    ``result`` of an alert that was merged into another one is that one's, as far as there is any.
    """
    known = decisions.filter(pl.col("decided_at") < at).sort("version")
    words = known.unique("alert_id", keep="last").sort("issued_at", "alert_id")
    repeated = dict(words.filter(pl.col("merged_into").is_not_null()).select("alert_id", "merged_into").iter_rows())
    first = words.with_columns(first_id=pl.col("alert_id").replace({one: first_of(one, repeated) for one in repeated}))
    said = words.select(first_id="alert_id", first_result="result")
    return (
        first.join(said, on="first_id", how="left", maintain_order="left")
        .with_columns(result=pl.coalesce("first_result", "result"))
        .drop("first_id", "first_result")
    )


def first_of(alert_id: str, repeated: Mapping[str, str]) -> str:
    """The alert at the beginning: each repeats an earlier one, so there is no way round."""
    while alert_id in repeated:
        alert_id = repeated[alert_id]
    return alert_id


def met(words: pl.DataFrame, reported: pl.DataFrame) -> pl.DataFrame:
    """Episodes of alerts that led to a fraudster, without those that a reported case tells already.

    They are attempts, unless money had gone. When it went is not written down, so a loss has no main payment; it is 0
    where nobody wrote down how much. What was paid before a fraud was stopped says nothing of what it was after.
    """
    found = words.filter(pl.col("result").is_in(CONTACT)).select(
        "person",
        "scam_type",
        case_id=pl.lit("d:") + pl.col("alert_id"),
        outcome=pl.when(pl.col("result") == PAID).then(pl.lit("loss")).otherwise(pl.lit("attempt")),
        opened_at=pl.col("issued_at") - RUN_UP,
        main_at=pl.lit(None, MOMENT),
        closed_at=pl.min_horizontal(FOUND_AT, pl.col("issued_at") + LIVE),
        loss_cny=pl.when(pl.col("result") == PAID).then(pl.col("paid_cny").fill_null(0.0)).otherwise(0.0),
    )
    return merge_overlapping(apart(found.select(EPISODES.names()).cast(EPISODES), reported))


def apart(spans: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """The ``spans`` (``person``, ``opened_at``, ``closed_at``) that overlap none of the same person that is told."""
    numbered = spans.with_row_index("span")
    stories = told.select("person", story_opened_at="opened_at", story_closed_at="closed_at")
    overlapping = numbered.join(stories, on="person").filter(
        pl.col("opened_at") <= pl.col("story_closed_at"), pl.col("closed_at") >= pl.col("story_opened_at")
    )
    return numbered.join(overlapping, on="span", how="anti", maintain_order="left").drop("span")
