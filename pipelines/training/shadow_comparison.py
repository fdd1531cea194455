"""Champion and challenger compared on days that both have scored, from the scores kept then."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from data_contracts.errors import NotReadyError
from models.evaluation.comparison import Comparison
from pipelines.progress import Progress, no_progress
from pipelines.scoring.shadow import SCORE_COLUMNS, open_shadow_log, split_by_scorer
from pipelines.settings import Settings
from pipelines.storage.as_of import source_tables_before
from pipelines.storage.event_store.loading import load_event_index
from pipelines.storage.installation.models import open_registry
from pipelines.storage.score_log import ShadowLog
from pipelines.training.model_comparison import (
    Span,
    compare_scores,
    find_known_episodes,
    latest_matured_span,
)

__all__ = ["ChallengeResult", "challenge_champion"]


@dataclass(frozen=True, kw_only=True)
class ChallengeResult:
    """Versions of both models, the days they were compared on, their figures and the outcome."""

    champion: str
    challenger: str
    start: datetime
    end: datetime
    figures: Comparison
    reasons: tuple[str, ...]
    passed: bool
    promoted: bool


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
    registry = open_registry(settings)
    champion, challenger = registry.champion(), registry.challenger()
    if champion is None or challenger is None or champion == challenger:
        raise NotReadyError(
            "no challenger stands beside the champion", remedy="Run `forestall train`."
        )
    span = latest_matured_span(settings, at=at)
    log = open_shadow_log(settings, champion, challenger)
    span = scored_days(
        log, Span(span.end - timedelta(days=days), span.end) if days else span, settings=settings
    )
    progress(f"comparing on {span.start:%Y-%m-%d %H:%M} to {span.end:%Y-%m-%d %H:%M}")
    tables = source_tables_before(settings, at=at, span=at - span.start)
    event_index = load_event_index(settings, tables, at=at, progress=progress)
    known_episodes = find_known_episodes(settings, event_index, tables, span=span, at=at)
    ticks = log.ticks(start=span.start - timedelta(days=settings.warm_up_days), end=span.end)
    found = compare_scores(
        map(split_by_scorer, ticks),
        scorers=SCORE_COLUMNS,
        span=span,
        known_episodes=known_episodes,
        settings=settings,
    )
    verdict = found.decide(registry.metrics(challenger), gates=settings.gates)
    promoted = promote and verdict.promote
    if promoted:
        registry.promote(challenger.version, at=at)
    return ChallengeResult(
        champion=champion.version,
        challenger=challenger.version,
        start=span.start,
        end=span.end,
        figures=found.figures,
        reasons=verdict.reasons,
        passed=verdict.promote,
        promoted=promoted,
    )


def scored_days(log: ShadowLog, span: Span, *, settings: Settings) -> Span:
    """``span`` from the end of the warm-up on, which begins with the first moment that both have
    scored. Raises ``NotReadyError`` where nothing of it is left.
    """
    first = log.first_run()
    ready = first + timedelta(days=settings.warm_up_days) if first else None
    if ready is None or ready >= span.end:
        days = settings.training.maturity_days
        raise NotReadyError(
            "no day that champion and challenger have both scored is old enough to judge",
            remedy=f"Go on scoring, and ask again {days} days later: cases are reported late.",
        )
    return Span(max(ready, span.start), span.end)
