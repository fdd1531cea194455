"""A fresh score of one person, on demand of an analyst."""

from datetime import datetime
from threading import Lock

from features.whom_to_ask import query_points_for_everyone
from models.evaluation.explain import explain_scores
from pipelines.progress import no_progress
from pipelines.scoring.build_alerts import to_contributions, to_reasons
from pipelines.scoring.score import ScoringContext, load_scoring_context, score_and_level
from pipelines.scoring.scored_people import scored_snapshot
from pipelines.settings import Settings
from pipelines.storage.as_of import latest_moment
from pipelines.storage.event_store.mapped_pages import release_pages
from pipelines.storage.installation.models import open_registry
from pipelines.storage.lake import Lake
from pipelines.storage.places.answers import plain_answers
from serving.context.ports import Rescore

__all__ = ["LiveRescorer"]


class LiveRescorer:
    """Scores one person with the champion on the newest data; keeps both until the lake or the
    champion changes.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._context: ScoringContext | None = None
        self._version = ""

    def __call__(self, person: str, /) -> Rescore | None:
        """The fresh score, or None for a person who is not in the register."""
        with self._lock, plain_answers():
            context = self._current()
            query_points = query_points_for_everyone(context.event_index, at=context.at)
            query_points = query_points.filter(query_points["person"] == person)
            if not len(query_points):
                return None
            rows = scored_snapshot(context.event_index, context.model, query_points)
            probability, level = score_and_level(context, rows)
            (explanation,) = explain_scores(context.model, rows)
            release_pages(self._settings.store_folder)
            return Rescore(
                person=person,
                at=context.at,
                score=probability,
                level=level,
                reasons=to_reasons(explanation),
                contributions=to_contributions(explanation),
            )

    def _current(self) -> ScoringContext:
        champion = open_registry(self._settings).champion()
        version = f"{Lake.of(self._settings).version()} {champion}"
        if self._context is None or version != self._version:
            at: datetime = latest_moment(self._settings)
            self._context = load_scoring_context(
                self._settings, at=at, kind="intraday", progress=no_progress
            )
            self._version = f"{self._context.data_version} {champion}"
        return self._context
