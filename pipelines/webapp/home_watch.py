"""Whether the home is whole and can be written to, for who asks whether the pages are ready."""

import os
import secrets
from collections.abc import Callable

from data_contracts.errors import ForestallError, NotReadyError
from pipelines.settings import Settings
from pipelines.storage.faults import explain_fault
from pipelines.storage.installation.databases import open_serving_database
from pipelines.storage.installation.vault import Vault
from serving.context.ports import HomeState

__all__ = ["InstallationWatch"]

PROBE_BYTES = 4096  # a block: one that does not fit means that no more rows fit either


class InstallationWatch:
    """Looks at a home: a few small reads, and one block written and flushed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __call__(self) -> HomeState:
        """How the home is at this moment."""
        vault = self._explain(self._read_vault) is None
        looks = (self._write_block, self._find_keys, self._find_database)
        problem = next(filter(None, map(self._explain, looks)), None)
        if problem is None:
            return HomeState(vault=vault)
        return HomeState(vault=vault, problem=str(problem), remedy=problem.remedy)

    def _read_vault(self) -> None:
        Vault.open(self._settings).any_number()

    def _find_database(self) -> None:
        open_serving_database(self._settings).dispose()

    def _find_keys(self) -> None:
        if self._settings.home.is_dir() and not self._settings.keys_folder.is_dir():
            raise NotReadyError(
                f"the folder of keys {self._settings.keys_folder} is gone",
                remedy="Mount it, or put it back from its backup.",
            )

    def _write_block(self) -> None:
        path = self._settings.home / f".ready.{os.getpid()}.{secrets.token_hex(4)}.part"
        try:
            with path.open("wb") as file:
                file.write(bytes(PROBE_BYTES))
                file.flush()
                os.fsync(file.fileno())
        finally:
            path.unlink(missing_ok=True)

    def _explain(self, look: Callable[[], None]) -> ForestallError | None:
        """Why it does not work, None where it does."""
        try:
            look()
        except Exception as error:
            explained = explain_fault(error)
            if explained is None:
                raise
            return explained
        return None
