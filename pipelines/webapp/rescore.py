"""A fresh score of one person, on demand of an analyst."""

from datetime import datetime
from threading import Lock

from models.evaluation.explain import explain_scores
from models.labels.sampling import query_points_for_everyone
from models.registry.mlflow_registry import ModelRegistry
from pipelines.progress import quiet
from pipelines.scoring.candidates import score_query_points
from pipelines.scoring.score import Scene, contributions_of, rank_of_one, reasons_of, set_up
from pipelines.settings import Settings
from pipelines.storage.as_of import latest_moment
from pipelines.storage.lake import Lake
from serving.context.ports import Rescore

__all__ = ["LiveRescorer"]


class LiveRescorer:
    """Scores one person with the champion on the newest data; keeps both until the lake or the champion changes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._scene: Scene | None = None
        self._version = ""

    def __call__(self, person: str, /) -> Rescore | None:
        """The fresh score, or None for a person who is not in the register."""
        with self._lock:
            scene = self._current()
            query_points = query_points_for_everyone(scene.event_index, at=scene.at)
            query_points = query_points.filter(query_points["person"] == person)
            if not len(query_points):
                return None
            rows = score_query_points(scene.event_index, scene.model, query_points)
            probability, level = rank_of_one(scene, rows)
            (told,) = explain_scores(scene.model, rows)
            return Rescore(
                person=person,
                at=scene.at,
                score=probability,
                level=level,
                reasons=reasons_of(told),
                contributions=contributions_of(told),
            )

    def _current(self) -> Scene:
        version = f"{Lake(self._settings.lake_folder).version()} {ModelRegistry.of(self._settings).champion()}"
        if self._scene is None or version != self._version:
            at: datetime = latest_moment(self._settings)
            self._scene = set_up(self._settings, at=at, kind="intraday", progress=quiet)
            self._version = version
        return self._scene
