"""The databases of an installation: each bears an id that the installation remembers, so that one
that is gone, or another one in its place, is noticed before anything is written.
"""

import secrets
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import URL, Engine, make_url

from data_contracts.errors import NotReadyError
from pipelines.settings import Settings
from pipelines.storage.installation.memory import (
    has_data,
    locked_home,
    read_memory,
    write_memory,
)
from pipelines.storage.sqlite import fetch_rows, write_transaction
from serving.database.engine import engine_for, open_database
from serving.database.identity import find_identity, keep_identity

__all__ = ["claim_database", "open_serving_database"]

ID_TABLE = "CREATE TABLE IF NOT EXISTS installation (id TEXT NOT NULL)"
LOST_BY = {
    "vault.db": "lists would go out without names and numbers",
    "serving.db": "users, lists, results and the audit trail would begin anew",
}


def claim_database(settings: Settings, *, path: Path, make: Callable[[], object]) -> None:
    """Make sure that the SQLite file ``path`` is this home's own: it is made with ``make`` where
    the home has none and holds no data yet.

    Raises ``NotReadyError`` where it is gone or is another one.
    """
    remembered = read_memory(settings.home).databases.get(path.name)
    if remembered and path.exists() and find_id(path) == remembered:
        return
    with locked_home(settings.home):
        memory = read_memory(settings.home)
        remembered = memory.databases.get(path.name)
        if not path.exists() and (remembered or has_data(settings)):
            raise _is_gone(str(path), path.name)
        make()
        found = find_id(path)
        if remembered and found != remembered:
            raise _is_another(str(path), path.name)
        if found is None:
            found = secrets.token_hex(16)
            with write_transaction(path) as connection:
                connection.execute(ID_TABLE)
                connection.execute("INSERT INTO installation VALUES (?)", (found,))
        if remembered is None:
            write_memory(settings.home, memory.with_database(path.name, found))


def find_id(path: Path) -> str | None:
    """The id of the SQLite file, None where it bears none."""
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'installation'"
    if not fetch_rows(path, query=query):
        return None
    rows = fetch_rows(path, query="SELECT id FROM installation")
    return str(rows[0][0]) if rows else None


def open_serving_database(settings: Settings) -> Engine:
    """An engine on the serving database of an installation at its newest schema, which is made
    where the installation has none yet.

    Raises ``NotReadyError`` where it is gone, or another one is in its place.
    """
    url = settings.serving_database_url
    if not settings.home.is_dir():
        return open_database(url)
    name = _name_of(url, home=settings.home)
    remembered = read_memory(settings.home).databases.get(name)
    if remembered is not None:
        _require(url, name, remembered)
        return open_database(url)
    with locked_home(settings.home):
        memory = read_memory(settings.home)
        remembered = memory.databases.get(name)
        if remembered is not None:
            _require(url, name, remembered)
            return open_database(url)
        if name == "serving.db" and not _file_of(url).exists() and _has_published(settings):
            raise _is_gone(str(_file_of(url)), name)
        engine = open_database(url)
        write_memory(settings.home, memory.with_database(name, keep_identity(engine)))
        return engine


def _require(url: str, name: str, remembered: str) -> None:
    if make_url(url).get_backend_name() == "sqlite" and not _file_of(url).exists():
        raise _is_gone(str(_file_of(url)), name)
    engine = engine_for(url)
    try:
        found = find_identity(engine)
    finally:
        engine.dispose()
    if found is None:
        raise _is_gone(name, name)
    if found != remembered:
        raise _is_another(name, name)


def _name_of(url: str, *, home: Path) -> str:
    """How the memory calls a database: a file in the home by its name, so that a home may be moved;
    any other by its address without who connects.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite" and _file_of(url).parent == home.resolve():
        return _file_of(url).name
    without_user = URL.create(
        address.drivername, host=address.host, port=address.port, database=address.database
    )
    return without_user.render_as_string()


def _file_of(url: str) -> Path:
    return Path(make_url(url).database or "").resolve()


def _has_published(settings: Settings) -> bool:
    """Whether a home of a former version, which remembers nothing, once published a list."""
    return any(settings.scores_folder.glob("20*/*.parquet"))


def _is_gone(place: str, name: str) -> NotReadyError:
    return NotReadyError(
        f"the database {place} of this home is gone: in an empty one {_loss(name)}",
        remedy="Restore it from a backup (`forestall restore`), or point to where it is.",
    )


def _is_another(place: str, name: str) -> NotReadyError:
    return NotReadyError(
        f"the database {place} is not the one that this home worked with: {_loss(name)}",
        remedy="Put the home's own database back from its backup.",
    )


def _loss(name: str) -> str:
    return LOST_BY.get(name, LOST_BY["serving.db"])
