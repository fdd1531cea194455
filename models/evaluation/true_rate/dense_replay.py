"""A replay of a district with much fraud beside its truth: which of its alerts belong to which
story, and which to nobody's.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from data_contracts.errors import SettingsError
from data_contracts.main_payment import PAID_LATELY
from models.evaluation.alert_metrics import EPISODE_LOOKBACK, first_alerts
from models.evaluation.true_episodes import episodes_from_truth, traces_from_truth

__all__ = ["NO_HOLD", "DenseReplay"]

NO_HOLD = timedelta(0)
STORY_ORDER = {"loss": 0, "attempt": 1, "contact": 2}


@dataclass(frozen=True, eq=False)
class DenseReplay:
    """A replay of a district with much fraud, and all that is known of it."""

    scores: pl.DataFrame
    people: pl.DataFrame  # all with a story, however long ago
    episodes: pl.DataFrame  # those of which an alert of the window can be a part
    traces: pl.DataFrame
    start: datetime
    end: datetime
    innocent_days: float  # days of one resident in no story

    @classmethod
    def of(
        cls,
        scores: pl.DataFrame,
        truth: pl.DataFrame,
        *,
        start: datetime,
        end: datetime,
        people: int,
        hold: timedelta = NO_HOLD,
    ) -> "DenseReplay":
        """The ``scores`` of ``[start, end)`` in a district of ``people`` residents, and its
        ``truth``; every payment of a story goes ``hold`` later than it did.

        Raises ``SettingsError`` where no story, or no day without one, was simulated.
        """
        paid = pl.col("main_at").is_not_null()
        episodes = episodes_from_truth(truth).with_columns(
            pl.col("main_at") + hold,
            closed_at=pl.when(paid).then(pl.col("closed_at") + hold).otherwise("closed_at"),
        )
        innocent = people - episodes["person"].n_unique()
        near = (pl.col("opened_at") - EPISODE_LOOKBACK < end) & (
            pl.col("closed_at") + PAID_LATELY >= start
        )
        replay = cls(
            scores=scores.filter(pl.col("issued_at").is_between(start, end, closed="left")),
            people=episodes.select("person").unique(),
            episodes=episodes.filter(near),
            traces=traces_from_truth(truth).with_columns(pl.col("paid_at") + hold),
            start=start,
            end=end,
            innocent_days=innocent * ((end - start) / timedelta(days=1)),
        )
        if replay.opened(lost=True).is_empty() or replay.opened(lost=False).is_empty():
            raise SettingsError(
                "no loss, or no contact without loss, was simulated in these days",
                remedy="Take a window with more fraud, or a larger district.",
            )
        if replay.innocent_days <= 0:
            raise SettingsError(
                "everybody in this district is in a story",
                remedy="Give all its residents as --people.",
            )
        return replay

    def opened(self, *, lost: bool) -> pl.DataFrame:
        """The stories with or without a loss that began in the window, ``person`` being the story:
        what is drawn again is a story.
        """
        began = pl.col("opened_at").is_between(self.start, self.end, closed="left")
        return self.episodes.filter(began & ((pl.col("outcome") == "loss") == lost)).select(
            person="case_id"
        )

    def issued(self, threshold: float) -> pl.DataFrame:
        """The first alerts under a threshold."""
        return first_alerts(self.scores.filter(pl.col("score") >= threshold))

    def innocent(self, issued: pl.DataFrame) -> pl.DataFrame:
        """Those on residents in no story at all."""
        return issued.join(self.people, on="person", how="anti")

    def in_stories(self, issued: pl.DataFrame) -> pl.DataFrame:
        """Those within a story or in the week after, each with the one it belongs to: ``person``
        (the story), ``outcome``, ``within``.

        Of several, one it lies within comes first, then a loss. An alert on somebody long before
        or after a story belongs to nothing: ordinary days are those of the innocent.
        """
        opened, closed = pl.col("opened_at") - EPISODE_LOOKBACK, pl.col("closed_at")
        return (
            issued.with_row_index("alert")
            .join(self.episodes, on="person")
            .filter(pl.col("issued_at").is_between(opened, closed + PAID_LATELY))
            .with_columns(
                within=pl.col("issued_at") <= closed,
                order=pl.col("outcome").replace_strict(STORY_ORDER, return_dtype=pl.Int64),
            )
            .sort("alert", "within", "order", "opened_at", descending=[False, True, False, False])
            .unique("alert", keep="first", maintain_order=True)
            .select("outcome", "within", person="case_id")
        )
