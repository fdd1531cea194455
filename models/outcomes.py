"""What people found about alerts, as labels: a fraud that was stopped is an episode, a lawful payment is no fraud."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from models.evaluate import CONTACT
from models.labels import merged

__all__ = ["Outcomes", "labels_from"]

LAWFUL = "lawful"
PAID = "already_paid"
RUN_UP = timedelta(hours=1)  # an alert is never the first trace: so long before it the person was being drawn in
LIVE = timedelta(hours=72)  # and for so long after it at most, however late the result was written down
AROUND = timedelta(hours=72)  # a word on an alert is a word on so many hours before it
LAWFUL_IS_RIGHT = 0.92  # "not fraud" is wrong in one of ten to twenty closings
MOMENT = pl.Datetime("us", "Asia/Shanghai")
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

    ``episodes`` are frauds that somebody met, shaped as those of ``models.labels``, with ``case_id`` ``d:`` and the
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

    ``decisions`` are ``alert_id``, ``person``, ``scam_type``, ``issued_at``, ``result``, ``decided_at``, ``version``;
    the last version of an alert is its word. Who was met by a fraudster and did not pay was in an episode all the same,
    and must not be learnt from as a false alarm because a warning worked. A reported case knows more than whoever
    closed the alert: where the two disagree the case wins.
    """
    words = last_words(decisions, at=at)
    frauds = met(words, reported)
    known = pl.concat([reported.select(EPISODES.names()).cast(EPISODES), frauds])
    around = words.with_columns(opened_at=pl.col("issued_at") - AROUND, closed_at="decided_at")
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
    """One row an alert: the highest version of those known before ``at``, in order of issue."""
    known = decisions.filter(pl.col("decided_at") < at).sort("version")
    return known.unique("alert_id", keep="last").sort("issued_at", "alert_id").cast({"decided_at": MOMENT})


def met(words: pl.DataFrame, reported: pl.DataFrame) -> pl.DataFrame:
    """Episodes of alerts that led to a fraudster, without those that a reported case tells already.

    They are attempts, unless money had gone; how much is not written down, so the loss is 0 and has no main payment.
    """
    found = words.filter(pl.col("result").is_in(CONTACT)).select(
        "person",
        "scam_type",
        case_id=pl.lit("d:") + pl.col("alert_id"),
        outcome=pl.when(pl.col("result") == PAID).then(pl.lit("loss")).otherwise(pl.lit("attempt")),
        opened_at=pl.col("issued_at") - RUN_UP,
        main_at=pl.lit(None, MOMENT),
        closed_at=pl.min_horizontal("decided_at", pl.col("issued_at") + LIVE),
        loss_cny=pl.lit(0.0),
    )
    return merged(apart(found.select(EPISODES.names()).cast(EPISODES), reported))


def apart(spans: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """The ``spans`` (``person``, ``opened_at``, ``closed_at``) that overlap none of the same person that is told."""
    numbered = spans.with_row_index("span")
    stories = told.select("person", story_opened_at="opened_at", story_closed_at="closed_at")
    overlapping = numbered.join(stories, on="person").filter(
        pl.col("opened_at") <= pl.col("story_closed_at"), pl.col("closed_at") >= pl.col("story_opened_at")
    )
    return numbered.join(overlapping, on="span", how="anti", maintain_order="left").drop("span")
