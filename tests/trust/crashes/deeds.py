"""What is killed: five writers, each on a home of its own, and what such a home holds afterwards.

Nothing heavy is imported before it is needed: a process that publishes does not wait for what
only a training uses.
"""

import hashlib
import os
import sqlite3
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

__all__ = ["ACKNOWLEDGED", "DEEDS", "Contents", "Deed", "perform"]

Contents = Mapping[str, tuple[int, str]]  # rows and digest of each part
ACKNOWLEDGED = "acknowledged"  # a line for each result that was said to be written
PEOPLE = 40
RESULTS = 8


@dataclass(frozen=True, kw_only=True)
class Deed:
    """``prepare`` makes the folder that every trial gets a copy of, ``run`` is what is killed and
    run again, ``contents`` what is there then.
    """

    name: str
    prepare: Callable[[Path], None]
    run: Callable[[Path], None]
    contents: Callable[[Path], Contents]


def perform(name: str, folder: Path) -> None:
    """Do the deed; say when it begins by a file beside the folder."""
    folder.with_name(f"{folder.name}.begun").touch()
    DEEDS[name].run(folder)


def _home(folder: Path) -> Any:
    """A home with a landing folder: small, and alike in every process."""
    from pipelines.settings import IngestLimits, Settings

    return Settings(home=folder / "home", ingest=IngestLimits(batch_rows=40))


# Loads


def prepare_load(folder: Path) -> None:
    """Leave a district that was loaded, and a second day to load."""
    from tests.pipelines.landing import DAY, calls, put, put_district, transfers

    put_district(folder / "landing", days=1)
    load(folder)
    day = DAY + timedelta(days=1)
    rows = calls(day=day)
    rows[4] |= {"duration_s": -1}
    put(folder / "landing", f"calls/{day}/cmcc.parquet", rows)
    put(folder / "landing", f"calls/{day}/cmcc-0930.parquet", calls(5, day=day))
    put(folder / "landing", f"transfers/{day}/icbc.parquet", transfers(day=day))


def load(folder: Path) -> None:
    """Load the landing folder."""
    from pipelines.ingestion.ingest import ingest
    from tests.pipelines.landing import RECEIVED_AT

    ingest(folder / "landing", settings=_home(folder), received_at=RECEIVED_AT)


def loaded_contents(folder: Path) -> Contents:
    """The tables of the lake, what was rejected, and loads that nobody has ended."""
    from pipelines.ingestion.outcomes.quarantine import read_quarantine
    from pipelines.storage.lake import Lake
    from pipelines.storage.lake_schemas import TABLES
    from pipelines.storage.ledger import Ledger

    settings = _home(folder)
    lake = Lake(settings.lake_folder)
    frames = {name: lake.scan(name).collect() for name in TABLES}
    frames |= {"arrivals": lake.arrivals(), "quarantine": read_quarantine(settings, reveal=True)}
    found = {name: _of_frame(frame) for name, frame in frames.items()}
    unfinished = Ledger(settings.lake_folder / "ledger.db").unfinished_batches()
    return found | {"unfinished loads": _of_rows(unfinished)}


# The event store


def prepare_store(folder: Path) -> None:
    """Leave a store of one day, and a lake of two."""
    prepare_load(folder)
    update_store(folder)
    load(folder)


def update_store(folder: Path) -> None:
    """Bring the event store forward."""
    from pipelines.storage.event_store.store import EventStore

    EventStore.of(_home(folder)).bring_forward()


def store_contents(folder: Path) -> Contents:
    """The days of the store, each with its rows and its digest."""
    from pipelines.storage.event_store.parts.manifest import Manifest
    from pipelines.storage.event_store.verification import describe_contents
    from pipelines.storage.event_store.whole_files import require_whole

    place = _home(folder).store_folder
    require_whole(Manifest.read(place), place)
    days = describe_contents(place)
    return {"store": (int(days["rows"].sum()), _of_frame(days)[1])}


# A training


def prepare_training(folder: Path) -> None:
    """Leave the smallest district that a model can be learned from."""
    from tests.trust.smallest_district import build_smallest

    build_smallest(folder)


def learn(folder: Path) -> None:
    """Train, and put the model in force."""
    from tests.trust.smallest_district import train_smallest

    train_smallest(folder)


def trained_contents(folder: Path) -> Contents:
    """The champion, opened and compared with its digest, and the challenger."""
    from pipelines.storage.installation.models import open_registry
    from tests.trust.smallest_district import smallest_settings

    registry = open_registry(smallest_settings(folder))
    champion, challenger = registry.champion(), registry.challenger()
    assert champion is not None
    assert challenger is not None
    inputs = registry.load(champion).features
    return {"champion": (len(inputs), champion.digest), "challenger": (1, challenger.digest)}


# A publication


def prepare_publication(folder: Path) -> None:
    """Leave a database in which a list of before is published."""
    from serving.database.engine import open_database, sqlite_url
    from serving.publishing import publish_watchlist

    engine = open_database(sqlite_url(folder / "serving.db"))
    publish_watchlist(engine, _list_of(PEOPLE, score=0.25))
    engine.dispose()


def publish(folder: Path) -> None:
    """Publish another list of the same moment, and its suspects."""
    from serving.database.engine import engine_for, sqlite_url
    from serving.publishing import publish_suspects, publish_watchlist
    from tests.serving.published import MIDNIGHT, a_suspect

    engine = engine_for(sqlite_url(folder / "serving.db"))
    publish_watchlist(engine, _list_of(PEOPLE, score=0.75))
    publish_suspects(engine, at=MIDNIGHT, suspects=[a_suspect(f"n1_{n}") for n in range(PEOPLE)])
    engine.dispose()


PUBLISHED = {
    "lists": "SELECT at, kind, revision, content_digest FROM watchlists"
    " WHERE superseded_at IS NULL",
    "alerts": "SELECT a.alert_id, a.person, a.rank, a.score, a.level, a.reasons FROM alerts a"
    " JOIN watchlists w ON w.id = a.watchlist_id WHERE w.superseded_at IS NULL",
    "scores": "SELECT s.person, s.score FROM scores s"
    " JOIN watchlists w ON w.id = s.watchlist_id WHERE w.superseded_at IS NULL",
    "suspects": "SELECT s.key, s.rank, s.score FROM suspects s"
    " JOIN suspect_lists l ON l.id = s.list_id WHERE l.superseded_at IS NULL",
}


def published_contents(folder: Path) -> Contents:
    """What a reader would be shown."""
    return _of_queries(folder / "serving.db", PUBLISHED)


# Results


def prepare_results(folder: Path) -> None:
    """Leave a published list, and a trail that is signed from its first entry."""
    prepare_publication(folder)
    _signing(folder).dispose()


def record_results(folder: Path) -> None:
    """Record a result of each of some alerts that have none yet; say of each that it is written."""
    from serving.casework.dispositions.schemas import NewDisposition
    from serving.casework.dispositions.service import dispositions_of, record_disposition
    from serving.context.settings import ServingSettings
    from serving.database.engine import read_transaction, write_transaction
    from serving.publishing import alert_id_of
    from serving.vocabulary.roles import Role, Viewer
    from tests.serving.published import MIDNIGHT, MORNING

    engine = _signing(folder)
    viewer = Viewer(name="li.wei", role=Role.ADMIN, communities=None)
    settings = ServingSettings()
    for number in range(RESULTS):
        alert_id = alert_id_of(at=MIDNIGHT, kind="nightly", person=f"p1_{number}")
        with read_transaction(engine) as session:
            if dispositions_of(session, viewer=viewer, alert_id=alert_id):
                continue
        with write_transaction(engine) as session:
            record_disposition(
                session,
                viewer=viewer,
                alert_id=alert_id,
                new=NewDisposition(result="stopped", note=f"number {number}"),
                version=0,
                at=MORNING,
                settings=settings,
                source="screen",
            )
        _say(folder, alert_id)
    engine.dispose()


RECORDED = {
    "results": "SELECT alert_id, version, result, note, decided_at FROM dispositions",
    "follow-ups": "SELECT alert_id, due_on FROM follow_ups",
    "trail": "SELECT actor, action, subject FROM audit WHERE action = 'disposition'",
}


def recorded_contents(folder: Path) -> Contents:
    """The results, what they planned, and a trail that is whole. What was acknowledged is there."""
    from serving.database.audit_check import verify_chain
    from serving.database.engine import engine_for, read_transaction, sqlite_url

    engine, key = engine_for(sqlite_url(folder / "serving.db")), _audit_key(folder)
    kept = key.kept_head()
    with read_transaction(engine) as session:
        verdict = verify_chain(
            session, heads=[kept.digest] if kept else (), public_key=key.public_key
        )
    engine.dispose()
    assert verdict.whole, verdict
    with closing(sqlite3.connect(folder / "serving.db")) as database:
        there = [one for (one,) in database.execute("SELECT alert_id FROM dispositions")]
    said = (folder / ACKNOWLEDGED).read_text().split() if (folder / ACKNOWLEDGED).exists() else []
    assert sorted(there) == sorted(set(there) | set(said)), "acknowledged, and not there once"
    return _of_queries(folder / "serving.db", RECORDED)


def _say(folder: Path, alert_id: str) -> None:
    """Acknowledge, in a way that the death of the process cannot take back."""
    place = os.open(folder / ACKNOWLEDGED, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(place, f"{alert_id}\n".encode())
    os.close(place)


def _signing(folder: Path) -> Any:
    from serving.database.engine import engine_for, signing_engine, sqlite_url
    from tests.serving.published import MORNING

    engine = engine_for(sqlite_url(folder / "serving.db"))
    return signing_engine(engine, _audit_key(folder), at=MORNING)


def _audit_key(folder: Path) -> Any:
    from pipelines.settings import Settings
    from pipelines.storage.installation.audit_key import AuditKey

    return AuditKey.open(Settings(home=folder))


def _list_of(people: int, *, score: float) -> Any:
    from tests.serving.published import a_watchlist, an_alert

    alerts = (an_alert(f"p1_{n}", n + 1, score=score) for n in range(people))
    return a_watchlist(*alerts, scores={f"p1_{n}": score for n in range(people)})


def _of_frame(frame: Any) -> tuple[int, str]:
    """Rows, and a digest that no order of rows changes."""
    return _of_rows(frame.hash_rows(seed=0).to_list() if frame.height else [])


def _of_rows(rows: Iterable[object]) -> tuple[int, str]:
    ordered = sorted(repr(row) for row in rows)
    return len(ordered), hashlib.sha256("\n".join(ordered).encode()).hexdigest()


def _of_queries(path: Path, queries: Mapping[str, str]) -> Contents:
    with closing(sqlite3.connect(path)) as database:
        return {name: _of_rows(database.execute(query)) for name, query in queries.items()}


DEEDS = {
    deed.name: deed
    for deed in (
        Deed(name="load", prepare=prepare_load, run=load, contents=loaded_contents),
        Deed(name="store update", prepare=prepare_store, run=update_store, contents=store_contents),
        Deed(name="training", prepare=prepare_training, run=learn, contents=trained_contents),
        Deed(
            name="publication",
            prepare=prepare_publication,
            run=publish,
            contents=published_contents,
        ),
        Deed(
            name="results", prepare=prepare_results, run=record_results, contents=recorded_contents
        ),
    )
}

if __name__ == "__main__":
    perform(sys.argv[1], Path(sys.argv[2]))
