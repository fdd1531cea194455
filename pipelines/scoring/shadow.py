"""The challenger in the champion's shadow: it scores the same people, and nobody sees it.

Once the days are old enough to be judged, ``pipelines.training.shadow_comparison`` compares both.
"""

from datetime import datetime

import polars as pl

from data_contracts.errors import ForestallError
from features.event_index import EventIndex
from models.registry.mlflow_registry import ModelRegistry
from models.registry.model_store import ModelVersion
from pipelines.progress import Progress
from pipelines.scoring.candidates import POLICY_COLUMNS, score_query_points
from pipelines.settings import Settings
from pipelines.storage.score_log import ShadowLog

__all__ = ["SCORE_COLUMNS", "open_shadow_log", "score_in_shadow"]

# the column of each scorer in a shadow log
SCORE_COLUMNS = {
    "champion": "score",
    "challenger": "challenger_score",
    "rule": "baseline_score",
}


def score_in_shadow(
    settings: Settings,
    rows: pl.DataFrame,
    event_index: EventIndex,
    *,
    at: datetime,
    kind: str,
    progress: Progress,
) -> bool:
    """Let the challenger score whom the champion has just scored as ``rows``; whether it did.

    Its scores go to a log of their own and to nobody's list. Whatever goes wrong with it is
    reported as progress and stops nothing.
    """
    registry = ModelRegistry.of(settings)
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
            event_index, registry.load(challenger), rows.select("person", "at")
        )
    except ForestallError as error:
        progress(f"the challenger could not score: {error}")
        return False
    beside = rows.join(scored.select("person", "at", challenger_score="score"), on=["person", "at"])
    open_shadow_log(settings, champion, challenger).write(
        keep_best(beside, most=rows_to_keep(settings)), at=at, kind=kind
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
    """The rows that stand among the ``most`` best by any scorer: more than could ever be alerted."""
    ranks = (pl.col(column).rank("ordinal", descending=True) for column in SCORE_COLUMNS.values())
    kept = rows.filter(pl.any_horizontal([rank <= most for rank in ranks]))
    return kept.select("person", "at", *SCORE_COLUMNS.values(), *POLICY_COLUMNS)


def rows_to_keep(settings: Settings) -> int:
    """How many rows of a run are kept for each scorer."""
    return max(200, 10 * settings.daily_budget)
