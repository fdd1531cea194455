"""The model store: models in their text form on the disk of one installation, and which is champion
or challenger.

Scoring reads the store alone, so it needs no tracker. A version is put up whole or not at all, and
the pointers to champion and challenger move in one step that outlives a power cut.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from data_contracts.errors import ModelError
from models.learning.risk import RiskModel

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "FORMER_CHAMPION",
    "ModelStore",
    "ModelVersion",
    "RecordedVersion",
]

CHAMPION, CHALLENGER, FORMER_CHAMPION = "champion", "challenger", "former-champion"


@dataclass(frozen=True, kw_only=True)
class ModelVersion:
    """A registered model: ``version`` counts ``1``, ``2``, …, ``digest`` is the sha256 of its text
    form, ``signature`` that of both (``models.registry.model_signature``), empty where the home
    signs none.
    """

    name: str
    version: str
    run_id: str
    digest: str
    signature: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"


@dataclass(frozen=True)
class RecordedVersion:
    """A registered version as the registry knows it: when it was ``recorded_at``, what it learned
    from was known before ``trained_at``, when it was ``promoted_at`` last, and its ``metrics``.
    """

    version: ModelVersion
    recorded_at: datetime
    trained_at: datetime | None
    promoted_at: datetime | None
    metrics: Mapping[str, float]


class ModelStore:
    """The models below ``folder``, one folder a version."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has_alias(self, alias: str) -> bool:
        """Whether ``alias`` was ever pointed to a version."""
        return self._pointer(alias).exists()

    def resolve_alias(self, alias: str) -> ModelVersion | None:
        """The version that ``alias`` names; None where none was pointed to.

        Raises ``ModelError`` if the pointer is unreadable.
        """
        pointer = self._pointer(alias)
        try:
            return ModelVersion(**json.loads(pointer.read_bytes()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            remedy = "Remove it and promote a version again."
            raise ModelError(f"{pointer} does not name a model", remedy=remedy) from error

    def set_alias(self, alias: str, *, to: ModelVersion) -> None:
        """Let ``alias`` name another version: as ``champion`` it is in force, as ``challenger``
        next in line.
        """
        part = self._folder / f".{alias}.json.{os.getpid()}.part"
        part.write_text(json.dumps(asdict(to), indent=1))
        _flush(part)
        part.replace(self._pointer(alias))
        _flush(self._folder)

    def remove_alias(self, alias: str) -> None:
        """Let ``alias`` name no version."""
        self._pointer(alias).unlink(missing_ok=True)

    def contains(self, version: ModelVersion) -> bool:
        """Whether the version stands here, whatever its state."""
        return self._place(version).is_dir()

    def load(self, version: ModelVersion) -> RiskModel:
        """The model itself. Raises ``ModelError`` where files are missing or are not those that
        were registered.
        """
        return RiskModel.load(self._place(version), digest=version.digest)

    def add(self, source: Path, *, version: ModelVersion) -> None:
        """Put up a copy of what ``RiskModel.save`` wrote to ``source``, in the place of whatever
        stands there.

        Raises ``ModelError`` where it is not the model that was registered.
        """
        part = self._folder / f".{version.version}.{os.getpid()}.part"
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(source, part)
        try:
            RiskModel.load(part, digest=version.digest)
        except ModelError:
            shutil.rmtree(part)
            raise
        for path in (*part.iterdir(), part):
            _flush(path)
        shutil.rmtree(self._place(version), ignore_errors=True)
        part.rename(self._place(version))
        _flush(self._folder)

    def _pointer(self, alias: str) -> Path:
        return self._folder / f"{alias}.json"

    def _place(self, version: ModelVersion) -> Path:
        return self._folder / version.version


def _flush(path: Path) -> None:
    """Force a file's contents, or a folder's entries, to the disk."""
    # As in pipelines.storage.places.durable_files, which models may not import
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
