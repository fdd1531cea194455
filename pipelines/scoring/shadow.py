"""The challenger in the champion's shadow: it scores the same people, and nobody sees it.

Once the days are old enough to be judged, ``pipelines.training.shadow_comparison`` compares both.
"""

from datetime import datetime

import polars as pl

from data_contracts.errors import ForestallError
from features.event_index import EventIndex
from models.policy.shortlist import (
    BASELINE_COLUMN,
    POLICY_COLUMNS,
    count_candidates,
    keep_candidates,
)
from models.registry.model_store import ModelVersion
from pipelines.cluster.pieces import THIS_MACHINE, Workers
from pipelines.progress import Progress
from pipelines.scoring.scored_people import policy_rules, score_query_points
from pipelines.settings import Settings
from pipelines.storage.installation.models import open_registry
from pipelines.storage.score_log import ShadowLog

__all__ = ["SCORE_COLUMNS", "open_shadow_log", "score_in_shadow", "split_by_scorer"]

# the column of each scorer in a shadow log
SCORE_COLUMNS = {
    "champion": "score",
    "challenger": "challenger_score",
    "rule": BASELINE_COLUMN,
}
CHALLENGER_STAKE = "challenger_preventable_loss_cny"  # logs of earlier versions lack it


def score_in_shadow(
    settings: Settings,
    rows: pl.DataFrame,
    event_index: EventIndex,
    *,
    at: datetime,
    kind: str,
    workers: Workers = THIS_MACHINE,
    progress: Progress,
) -> bool:
    """Let the challenger score whom the champion has just scored as ``rows``; whether it did.

    Its scores go to a log of their own and to nobody's list. Whatever goes wrong with it is
    reported as progress and stops nothing.
    """
    registry = open_registry(settings)
    champion, challenger = registry.champion(), registry.challenger()
    if (
        not settings.training.shadow
        or champion is None
        or challenger in (None, champion)
        or rows.is_empty()
    ):
        return False
    assert challenger is not None  # noqa: S101 -- tells the type checker what `in` has said
    progress(f"scoring with the challenger {challenger}, for comparison only")
    try:
        scored = score_query_points(
            event_index,
            registry.load(challenger),
            rows.select("person", "at"),
            effect=settings.intervention_effect,
            workers=workers,
        )
    except ForestallError as error:
        progress(f"the challenger could not score: {error}")
        return False
    own = scored.select(
        "person",
        "at",
        pl.col("score").alias(SCORE_COLUMNS["challenger"]),
        pl.col("preventable_loss_cny").alias(CHALLENGER_STAKE),
    )
    beside = rows.join(own, on=["person", "at"], maintain_order="left")
    most = count_candidates(policy_rules(settings))
    open_shadow_log(settings, champion, challenger).write(
        keep_best(beside, most=most), at=at, kind=kind
    )
    return True


def open_shadow_log(
    settings: Settings, champion: ModelVersion, challenger: ModelVersion
) -> ShadowLog:
    """Where the scores of the two are kept."""
    return ShadowLog(
        settings.scores_folder, champion=champion.version, challenger=challenger.version
    )


def keep_best(rows: pl.DataFrame, *, most: int) -> pl.DataFrame:
    """The rows that stand among the ``most`` best by any scorer: all that the policy looks at."""
    best = pl.concat(
        keep_candidates(rows, column=column, most=most).select("person", "at")
        for column in SCORE_COLUMNS.values()
    )
    kept = rows.join(best.unique(), on=["person", "at"], how="semi", maintain_order="left")
    return kept.select("person", "at", *SCORE_COLUMNS.values(), *POLICY_COLUMNS, CHALLENGER_STAKE)


def split_by_scorer(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """What was kept of a run as each scorer saw it: the challenger with its own score and stake."""
    own = {SCORE_COLUMNS["challenger"]: "score"}
    if CHALLENGER_STAKE in rows.columns:
        own[CHALLENGER_STAKE] = "preventable_loss_cny"
    challenger = rows.drop(own.values()).rename(own)
    return {"champion": rows, "challenger": challenger, "rule": rows}
