"""The registry: every trained model with what it was made of, in MLflow. Only this module and
``mlflow_pyfunc`` know MLflow.

MLflow keeps the record. The champion's files are in the model store
(``models.registry.model_store``): scoring calls ``champion`` and ``load``, which import MLflow only
when the store lacks the version.
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, Self

import polars as pl

from data_contracts.errors import ModelError, NotReadyError
from models.learning.former_names import with_current_metrics
from models.learning.risk import RiskModel
from models.registry.mlflow_pyfunc import log_pyfunc, model_signature
from models.registry.model_signature import ModelSigner, is_signed, sign_version
from models.registry.model_store import (
    CHALLENGER,
    CHAMPION,
    FORMER_CHAMPION,
    ModelStore,
    ModelVersion,
    RecordedVersion,
)

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "MODEL_NAME",
    "ModelLocations",
    "ModelRegistry",
    "ModelVersion",
    "TrackedSearch",
]

log = logging.getLogger(__name__)

MODEL_NAME = "victim-risk"
# A tag of the registered model: the versions that were champion, one after the other; the last is.
HISTORY_TAG = "champions"
SIGNATURE_TAG = "signature"
MAX_HISTORY = 100
SEARCH, QUALITY = "search", "average_precision"
CARD, REPORT, FIGURES = "model_card.md", "evaluation.html", "figures"
DESCRIPTION_LIMIT = 5_000
RESTORE_REMEDY = "Train again, or restore MLflow's folder from a backup."


class ModelLocations(Protocol):
    """Where an installation keeps its models, as its settings say."""

    @property
    def mlflow_database_url(self) -> str:
        """MLflow's tracking store and registry, as SQLAlchemy writes it."""

    @property
    def mlflow_artifacts(self) -> Path:
        """MLflow's folder for files."""

    @property
    def models_folder(self) -> Path:
        """Models in text form, and the pointer to the one in force."""


class ModelRegistry:
    """The registered models of one installation.

    ``tracking_uri`` is MLflow's store (``sqlite:////…/mlflow.db``), ``artifacts`` its folder for
    files, ``store`` the folder of models in text form. With a ``signer`` every model is signed, and
    one that it did not sign is refused. Nothing is opened before it is needed.
    """

    def __init__(
        self,
        tracking_uri: str,
        *,
        artifacts: Path,
        store: Path,
        signer: ModelSigner | None = None,
    ) -> None:
        self._signer = signer
        self._uri = tracking_uri
        self._artifacts = artifacts
        self._store = ModelStore(store)

    @classmethod
    def of(cls, places: ModelLocations, *, signer: ModelSigner | None = None) -> Self:
        """The registry of the installation whose settings these are."""
        return cls(
            places.mlflow_database_url,
            artifacts=places.mlflow_artifacts,
            store=places.models_folder,
            signer=signer,
        )

    def champion(self) -> ModelVersion | None:
        """The version in force; None before the first promotion."""
        return self._store.resolve_alias(CHAMPION)

    def require_champion(self) -> None:
        """Raise ``NotReadyError`` where no version was ever put in force."""
        if not self._store.has_alias(CHAMPION):
            raise NotReadyError("there is no champion", remedy="Run `forestall train` first.")

    def challenger(self) -> ModelVersion | None:
        """The version recorded last; None before the first."""
        return self._store.resolve_alias(CHALLENGER)

    def load(self, version: ModelVersion) -> RiskModel:
        """The model in its text form, its signature and its digest checked.

        Raises ``ModelError`` where it is neither in the store nor in MLflow as it was registered.
        """
        self._require_signed(version)
        try:
            return self._store.load(version)
        except ModelError:  # lost or damaged here; MLflow has another copy
            self._fetch(version)
            return self._store.load(version)

    def load_stored(self, version: ModelVersion) -> RiskModel:
        """The copy in the store; raises ``ModelError`` where it is not what was registered."""
        self._require_signed(version)
        return self._store.load(version)

    def load_in_force(self) -> tuple[ModelVersion, RiskModel]:
        """The champion; where it is not what was registered, and no copy of it is, the one before
        it, which the log says.

        Raises ``NotReadyError`` before the first promotion, ``ModelError`` where neither can be
        used.
        """
        self.require_champion()
        try:
            return self._load_champion()
        except ModelError as error:
            former = self._store.resolve_alias(FORMER_CHAMPION)
            if former is None:
                raise
            model = self.load(former)
            log.warning("the champion cannot be used, %s before it is in force: %s", former, error)
            return former, model

    def _load_champion(self) -> tuple[ModelVersion, RiskModel]:
        version = self.champion()
        if version is None:  # its pointer was taken away a moment ago
            raise ModelError("the champion is gone", remedy="Promote a version again.")
        return version, self.load(version)

    def sign_all(self) -> None:
        """Sign every version on record, and those in force, as they are now."""
        if self.champion() is None and self.challenger() is None:
            return
        for found in self._client.search_model_versions(f"name = '{MODEL_NAME}'"):
            self._sign(_to_version(found))
        for alias in (CHAMPION, CHALLENGER, FORMER_CHAMPION):
            version = self._store.resolve_alias(alias)
            if version is not None:
                self._store.set_alias(alias, to=self._signed(version))

    def find(self, version: str) -> ModelVersion:
        """The registered version of that number. Raises ``NotReadyError`` where there is none."""
        from mlflow.exceptions import MlflowException

        try:
            return _to_version(self._client.get_model_version(MODEL_NAME, version))
        except MlflowException:
            raise NotReadyError(
                f"there is no {MODEL_NAME}/{version}",
                remedy="See the versions with `forestall models`; `forestall train` makes one.",
            ) from None

    def versions(self) -> list[RecordedVersion]:
        """Every version on record, the newest first."""
        found = self._client.search_model_versions(f"name = '{MODEL_NAME}'")
        recorded = [
            RecordedVersion(
                version=_to_version(one),
                recorded_at=datetime.fromtimestamp(one.creation_timestamp / 1000, UTC),
                trained_at=_moment(one.tags, "trained_at"),
                promoted_at=_moment(one.tags, "promoted_at"),
                metrics=self.metrics(_to_version(one)),
            )
            for one in found
        ]
        return sorted(recorded, key=lambda one: int(one.version.version), reverse=True)

    def metrics(self, version: ModelVersion) -> dict[str, float]:
        """What was measured of the version when it was recorded."""
        return with_current_metrics(self._client.get_run(version.run_id).data.metrics)

    def charts(self, version: ModelVersion) -> dict[str, str]:
        """The pictures recorded with the version, as SVG by name; empty where MLflow's files are
        gone.
        """
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException

        with TemporaryDirectory() as folder:
            try:
                place = download_artifacts(
                    run_id=version.run_id,
                    artifact_path=FIGURES,
                    dst_path=folder,
                    tracking_uri=self._uri,
                )
            except (MlflowException, OSError):
                return {}
            return {
                path.stem: path.read_text(encoding="utf-8")
                for path in sorted(Path(place).glob("*.svg"))
            }

    def record(
        self,
        model: RiskModel,
        *,
        params: Mapping[str, str | float],
        metrics: Mapping[str, float],
        card: str,
        rows: pl.DataFrame,
        versions: Mapping[str, str],
        charts: Mapping[str, str] | None = None,
        report: str | None = None,
    ) -> ModelVersion:
        """Log the model as a run, register it and make it the challenger.

        ``versions`` are those of data, contracts and code (``data_version``, ``contract_version``,
        ``git_revision``), ``charts`` SVG texts by name, ``card`` is Markdown, ``report`` an HTML
        page. Of the training ``rows`` only the names of the model's inputs are kept, as the
        signature: no row is stored. Raises ``ModelError`` where an input is not among them.
        """
        with TemporaryDirectory() as folder:
            text = Path(folder) / "risk"
            digest = model.save(text)
            marks = {**versions, "digest": digest, "trained_at": model.trained_at.isoformat()}
            with self._run(marks, params=params) as (mlflow, run):
                for name, svg in (charts or {}).items():
                    mlflow.log_text(svg, f"{FIGURES}/{name}.svg")
                mlflow.log_text(card, CARD)
                if report is not None:
                    mlflow.log_text(report, REPORT)
                logged = log_pyfunc(mlflow, text, signature=model_signature(model, rows))
                mlflow.log_metrics(dict(metrics), model_id=logged.model_id)
            version = self._register(logged, run_id=run.info.run_id, tags=marks, card=card)
            version = self._sign(version)
            self._store.add(text, version=version)
        self._client.set_registered_model_alias(MODEL_NAME, CHALLENGER, version.version)
        self._store.set_alias(CHALLENGER, to=version)
        return version

    @contextmanager
    def tracked_search(self, tags: Mapping[str, str]) -> Iterator["TrackedSearch"]:
        """A run over a search for parameters, below which each trial is a run of its own."""
        with self._run(tags, params={}, name=SEARCH) as (mlflow, run):
            yield TrackedSearch(
                mlflow, run_id=run.info.run_id, experiment_id=run.info.experiment_id
            )

    def promote(self, version: str, *, at: datetime) -> None:
        """Put the version of that number in force from ``at`` on; nothing changes where it is
        already.

        Raises ``NotReadyError`` where there is none.
        """
        found = self.find(version)
        if found == self.champion():
            return
        self.load(found)
        self._client.set_model_version_tag(MODEL_NAME, version, "promoted_at", at.isoformat())
        self._make_champion(found, history=[*self._history(), version])

    def roll_back(self, *, at: datetime) -> ModelVersion:
        """Put the version back in force that the present champion replaced, and return it.

        Raises ``NotReadyError`` where there is none.
        """
        history = self._history()
        if len(history) < 2:
            raise NotReadyError(
                "no champion stands before the present one",
                remedy="Promote a version by its number.",
            )
        version = self.find(history[-2])
        self.load(version)
        self._client.set_model_version_tag(
            MODEL_NAME, history[-1], "rolled_back_at", at.isoformat()
        )
        self._make_champion(version, history=history[:-1])
        return version

    def follow_alias(self) -> ModelVersion | None:
        """Put in force what MLflow's alias ``champion`` names, where somebody moved it there;
        return the champion.

        This also ends a promotion that was cut short between MLflow and the store. The alias
        ``challenger`` is followed likewise.
        """
        challenger = self._aliased(CHALLENGER)
        if challenger is not None and challenger != self.challenger():
            self.load(challenger)
            self._store.set_alias(CHALLENGER, to=challenger)
        version = self._aliased(CHAMPION)
        if version is not None and version != self.champion():
            self.load(version)
            history = self._history()
            self._make_champion(
                version,
                history=history
                if history[-1:] == [version.version]
                else [*history, version.version],
            )
        return self.champion()

    def _make_champion(self, version: ModelVersion, *, history: list[str]) -> None:
        """First MLflow, then the store: whoever is cut short between the two is put right by
        ``follow_alias``.
        """
        self._client.set_registered_model_tag(
            MODEL_NAME, HISTORY_TAG, json.dumps(history[-MAX_HISTORY:])
        )
        self._client.set_registered_model_alias(MODEL_NAME, CHAMPION, version.version)
        if len(history) > 1:
            self._store.set_alias(FORMER_CHAMPION, to=self.find(history[-2]))
        else:
            self._store.remove_alias(FORMER_CHAMPION)
        self._store.set_alias(CHAMPION, to=version)

    def _sign(self, version: ModelVersion) -> ModelVersion:
        """The version with its signature, which MLflow keeps as a tag."""
        signed = self._signed(version)
        if signed.signature:
            self._client.set_model_version_tag(
                MODEL_NAME, version.version, SIGNATURE_TAG, signed.signature
            )
        return signed

    def _signed(self, version: ModelVersion) -> ModelVersion:
        if self._signer is None:
            return version
        return replace(version, signature=sign_version(self._signer, version))

    def _require_signed(self, version: ModelVersion) -> None:
        if self._signer and not is_signed(version, public_key=self._signer.public_key):
            raise ModelError(
                f"{version} is not signed by this home: its digest, or what names it, was changed",
                remedy="Roll back (`forestall models --roll-back --why …`) or train again, and "
                "find out who writes to the folder of models.",
            )

    def _history(self) -> list[str]:
        from mlflow.exceptions import MlflowException

        try:
            tags = self._client.get_registered_model(MODEL_NAME).tags
        except MlflowException:  # nothing was ever recorded
            return []
        return [str(number) for number in json.loads(tags.get(HISTORY_TAG, "[]"))]

    def _aliased(self, alias: str) -> ModelVersion | None:
        from mlflow.exceptions import MlflowException

        try:
            return _to_version(self._client.get_model_version_by_alias(MODEL_NAME, alias))
        except MlflowException:  # no such model, or no such alias
            return None

    def _fetch(self, version: ModelVersion) -> None:
        """Bring the version from MLflow to the store."""
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException

        with TemporaryDirectory() as folder:
            source = self._client.get_model_version_download_uri(MODEL_NAME, version.version)
            try:
                place = download_artifacts(
                    artifact_uri=source, dst_path=folder, tracking_uri=self._uri
                )
            except (MlflowException, OSError) as error:
                raise ModelError(
                    f"{version} cannot be read from MLflow", remedy=RESTORE_REMEDY
                ) from error
            self._store.add(Path(place) / "data" / "risk", version=version)

    def _register(
        self, logged: Any, *, run_id: str, tags: Mapping[str, str], card: str
    ) -> ModelVersion:
        from mlflow.exceptions import MlflowException

        try:
            self._client.get_registered_model(MODEL_NAME)
        except MlflowException:
            self._client.create_registered_model(
                MODEL_NAME, description="Probability that a person is in a live episode."
            )
        return _to_version(
            self._client.create_model_version(
                MODEL_NAME,
                source=logged.model_uri,
                run_id=run_id,
                model_id=logged.model_id,
                tags=dict(tags),
                description=card[:DESCRIPTION_LIMIT],
            )
        )

    @contextmanager
    def _run(
        self, tags: Mapping[str, str], *, params: Mapping[str, str | float], name: str | None = None
    ) -> Iterator[tuple[Any, Any]]:
        """MLflow itself and a run that is marked as failed if the block raises; MLflow then points
        at our store.
        """
        mlflow = _mlflow()
        mlflow.set_tracking_uri(self._uri)
        with mlflow.start_run(
            experiment_id=self._experiment(), tags=dict(tags), run_name=name
        ) as run:
            mlflow.log_params(dict(params))
            yield mlflow, run

    def _experiment(self) -> str:
        found = self._client.get_experiment_by_name(MODEL_NAME)
        if found is not None:
            return str(found.experiment_id)
        place = (self._artifacts / MODEL_NAME).resolve()
        return str(self._client.create_experiment(MODEL_NAME, artifact_location=place.as_uri()))

    @cached_property
    def _client(self) -> Any:
        return _mlflow().MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)


class TrackedSearch:
    """A search under way: ``trial`` records one try, ``best`` what came of them all."""

    def __init__(self, mlflow: Any, *, run_id: str, experiment_id: str) -> None:
        self._mlflow = mlflow
        self._experiment_id = experiment_id
        self.run_id = run_id

    def trial(self, params: Mapping[str, float], quality: float) -> None:
        """Record a trial as a run below the search's."""
        with self._mlflow.start_run(experiment_id=self._experiment_id, nested=True):
            self._mlflow.log_params(dict(params))
            self._mlflow.log_metric(QUALITY, quality)

    def best(self, params: Mapping[str, float], quality: float) -> None:
        """Record the best parameters with the search itself."""
        self._mlflow.log_params(dict(params))
        self._mlflow.log_metric(QUALITY, quality)


def _mlflow() -> Any:
    """MLflow, silent and with its telemetry off; takes seconds to import."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow

    return mlflow


def _moment(tags: Mapping[str, str], name: str) -> datetime | None:
    return datetime.fromisoformat(tags[name]) if name in tags else None


def _to_version(found: Any) -> ModelVersion:
    return ModelVersion(
        name=found.name,
        version=str(found.version),
        run_id=found.run_id,
        digest=found.tags.get("digest", ""),
        signature=found.tags.get(SIGNATURE_TAG, ""),
    )
