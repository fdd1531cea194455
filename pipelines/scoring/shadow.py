"""The challenger in the champion's shadow: it scores the same people, nobody sees it, and later
both are compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from data_contracts.errors import ForestallError, NotReadyError
from features.event_index import EventIndex, build_event_index
from models.registry.mlflow_registry import ModelRegistry
from models.registry.model_store import ModelVersion
from pipelines.progress import Progress, no_progress
from pipelines.scoring.candidates import POLICY_COLUMNS, score_query_points
from pipelines.settings import Settings
from pipelines.storage.as_of import source_tables_before
from pipelines.storage.score_log import ShadowLog
from pipelines.training.champion_challenger import (
    CHALLENGER,
    CHAMPION,
    RULE,
    WARM_UP,
    Span,
    compare_scores,
    find_known_episodes,
    latest_matured_span,
)

__all__ = ["ChallengeResult", "challenge_champion", "score_in_shadow"]

COLUMNS = {CHAMPION: "score", CHALLENGER: "challenger_score", RULE: "baseline_score"}


@dataclass(frozen=True, kw_only=True)
class ChallengeResult:
    """Versions of both models, the days they were compared on, their figures, and what came of it."""

    champion: str
    challenger: str
    start: datetime
    end: datetime
    figures: Mapping[str, Mapping[str, float]]
    reasons: tuple[str, ...]
    passed: bool
    promoted: bool


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

    Its scores go to a log of their own and to nobody's list. Whatever goes wrong with it is told
    and stops nothing.
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
    log_of(settings, champion, challenger).write(
        best_of(beside, most=kept(settings)), at=at, kind=kind
    )
    return True


def challenge_champion(
    settings: Settings,
    *,
    at: datetime,
    days: int | None = None,
    promote: bool = False,
    progress: Progress = no_progress,
) -> ChallengeResult:
    """What champion and challenger would have alerted over the matured days that both have scored,
    and the gates' word.

    ``days`` is how many days to look back before those that are not matured at ``at`` (default: the
    settings'). With ``promote`` the challenger takes over if every gate lets it. Raises
    ``NotReadyError`` where there is no challenger, or no day that both have scored is old enough.
    """
    registry = ModelRegistry.of(settings)
    champion, challenger = registry.champion(), registry.challenger()
    if champion is None or challenger is None or champion == challenger:
        raise NotReadyError(
            "no challenger stands beside the champion", remedy="Run `forestall train`."
        )
    span = latest_matured_span(settings, at=at)
    log = log_of(settings, champion, challenger)
    span = scored_days(
        log, Span(span.end - timedelta(days=days), span.end) if days else span, settings=settings
    )
    progress(f"comparing on {span.start:%Y-%m-%d %H:%M} to {span.end:%Y-%m-%d %H:%M}")
    tables = source_tables_before(settings, at=at, span=at - span.start)
    known_episodes = find_known_episodes(
        settings, build_event_index(tables), tables, span=span, at=at
    )
    ticks = log.ticks(start=span.start - WARM_UP, end=span.end)
    found = compare_scores(
        ticks, columns=COLUMNS, span=span, known_episodes=known_episodes, settings=settings
    )
    verdict = found.verdict(registry.metrics(challenger), gates=settings.gates)
    promoted = promote and verdict.promote
    if promoted:
        registry.promote(challenger.version, at=at)
    return ChallengeResult(
        champion=champion.version,
        challenger=challenger.version,
        start=span.start,
        end=span.end,
        figures={scorer: figures.to_metrics() for scorer, figures in found.figures.items()},
        reasons=verdict.reasons,
        passed=verdict.promote,
        promoted=promoted,
    )


def scored_days(log: ShadowLog, span: Span, *, settings: Settings) -> Span:
    """``span`` from the first moment that both have scored. Raises ``NotReadyError`` where nothing
    of it is left.
    """
    first = log.first_run()
    if first is None or first >= span.end:
        days = settings.training.maturity_days
        raise NotReadyError(
            "no day that champion and challenger have both scored is old enough to judge",
            remedy=f"Go on scoring, and ask again {days} days later: cases are reported late.",
        )
    return Span(max(first, span.start), span.end)


def log_of(settings: Settings, champion: ModelVersion, challenger: ModelVersion) -> ShadowLog:
    """Where the scores of the two are kept."""
    return ShadowLog(
        settings.scores_folder, champion=champion.version, challenger=challenger.version
    )


def best_of(rows: pl.DataFrame, *, most: int) -> pl.DataFrame:
    """The rows that stand among the ``most`` best by any scorer: more than could ever be alerted."""
    ranks = (pl.col(column).rank("ordinal", descending=True) for column in COLUMNS.values())
    kept = rows.filter(pl.any_horizontal([rank <= most for rank in ranks]))
    return kept.select("person", "at", *COLUMNS.values(), *POLICY_COLUMNS)


def kept(settings: Settings) -> int:
    """How many rows of a run are kept for each scorer."""
    return max(200, 10 * settings.daily_budget)
