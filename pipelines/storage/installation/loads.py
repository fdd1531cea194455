"""Whether the lake of this home, and the ledger of its loads, are where they were."""

from data_contracts.errors import LakeError
from pipelines.settings import Settings
from pipelines.storage.installation.memory import locked_home, read_memory, write_memory
from pipelines.storage.lake import Lake

__all__ = ["remember_loads", "require_loads"]


def require_loads(settings: Settings) -> None:
    """Raise ``LakeError`` where the lake or its ledger is gone, though this home has loaded."""
    lake, ledger = Lake.of(settings), settings.lake_folder / "ledger.db"
    if not lake.newest_versions():
        if read_memory(settings.home).has_loads:
            raise LakeError(
                f"the lake {settings.lake_folder} is gone, and this home has loaded into it",
                remedy="Mount the folder that it lies in, or restore it from a backup "
                "(`forestall restore`).",
            )
    elif not ledger.exists():
        raise LakeError(
            f"{ledger} is gone, and the lake holds loads",
            remedy="Restore lake/ with its ledger.db from one backup; without one make the ledger "
            "again from the lake with `forestall rebuild-ledger`.",
        )


def remember_loads(settings: Settings, *, lake: Lake) -> None:
    """Remember that this home has loaded, once anything has reached the lake."""
    if read_memory(settings.home).has_loads or not lake.newest_versions():
        return
    with locked_home(settings.home):
        write_memory(settings.home, read_memory(settings.home).with_loads())
