"""The ledger of loads: what it keeps, and that one of an earlier version opens."""

import sqlite3
import threading
from contextlib import closing
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from pipelines.storage.ledger import Arrival, Ledger, LoadedFile
from pipelines.storage.ledger_retries import Retry
from pipelines.storage.ledger_tables import BATCHES
from pipelines.storage.sqlite import open_engine, write_at_once

SHANGHAI = ZoneInfo("Asia/Shanghai")
RECEIVED_AT = datetime(2026, 7, 6, 1, 30, tzinfo=SHANGHAI)
DAY = date(2026, 7, 5)

FORMER_TABLES = """
CREATE TABLE batches (
    batch INTEGER PRIMARY KEY, dataset TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('prepared', 'committed')),
    delta_version INTEGER, received_at TEXT NOT NULL
);
CREATE TABLE files (
    batch INTEGER NOT NULL REFERENCES batches ON DELETE CASCADE, path TEXT NOT NULL,
    dataset TEXT NOT NULL, source TEXT NOT NULL, digest TEXT NOT NULL, stamp TEXT NOT NULL,
    through TEXT, rows INTEGER NOT NULL, accepted INTEGER NOT NULL, quarantined INTEGER NOT NULL,
    duplicates INTEGER NOT NULL, held INTEGER NOT NULL, reason TEXT NOT NULL, notes TEXT NOT NULL
);
CREATE INDEX files_by_digest ON files (dataset, digest);
CREATE INDEX files_by_stamp ON files (stamp);
CREATE TABLE arrivals (
    batch INTEGER NOT NULL REFERENCES batches ON DELETE CASCADE, dataset TEXT NOT NULL,
    source TEXT NOT NULL, event_day TEXT, path TEXT NOT NULL, rows INTEGER NOT NULL,
    known_until TEXT
);
CREATE INDEX arrivals_by_batch ON arrivals (batch);
INSERT INTO batches VALUES (1, 'calls', 'committed', 0, '2026-07-06T01:30:00+08:00');
INSERT INTO batches VALUES (2, 'calls', 'prepared', NULL, '2026-07-06T01:40:00+08:00');
INSERT INTO files VALUES (1, 'calls/2026-07-05/cmcc.parquet', 'calls', 'cmcc', 'd1', 's1', NULL,
    10, 9, 1, 0, 0, '', '["列 imei ignored"]');
INSERT INTO files VALUES (2, 'calls/2026-07-05/cucc.parquet', 'calls', 'cucc', 'd2', 's2',
    '2026-07-04', 3, 3, 0, 0, 0, '', '[]');
INSERT INTO arrivals VALUES (1, 'calls', 'cmcc', '2026-07-05', 'calls/2026-07-05/cmcc.parquet', 9,
    '2026-07-06T00:15:00+08:00');
PRAGMA user_version = 1;
"""


def a_file(path="calls/2026-07-05/cmcc.parquet", **changed):
    values = {
        "path": path,
        "dataset": "calls",
        "source": "cmcc",
        "digest": "d1",
        "stamp": "s1",
        "through": None,
        "rows": 10,
        "accepted": 9,
        "quarantined": 1,
        "duplicates": 0,
        "held": 0,
        "reason": "",
        "status": "partly",
        "notes": ("列 imei ignored",),
    }
    return LoadedFile(**values | changed)


def an_arrival(day=DAY, rows=9):
    return Arrival(
        source="cmcc",
        event_day=day,
        path="calls/2026-07-05/cmcc.parquet",
        rows=rows,
        known_until=datetime(2026, 7, 6, 0, 15, tzinfo=SHANGHAI),
    )


def load(ledger, batch, *, files, arrivals=(), version=0):
    ledger.prepare(batch, dataset="calls", files=files, arrivals=arrivals, received_at=RECEIVED_AT)
    ledger.commit(batch, delta_version=version)


def columns_of(path):
    """Name and type of each column of each table, and the names of the indices."""
    query = (
        "SELECT m.name, c.name, c.type FROM sqlite_master AS m, pragma_table_info(m.name) AS c "
        "WHERE m.type = 'table' ORDER BY m.name, c.cid"
    )
    with closing(sqlite3.connect(path)) as connection:
        indices = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")
        return connection.execute(query).fetchall(), set(indices.fetchall())


@pytest.fixture
def former(tmp_path):
    path = tmp_path / "former.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FORMER_TABLES)
    return path


def test_a_former_ledger_comes_to_have_the_tables_of_a_new_one(tmp_path, former):
    Ledger(tmp_path / "lake" / "ledger.db")
    Ledger(former)
    assert columns_of(tmp_path / "lake" / "ledger.db") == columns_of(former)


def test_a_former_ledger_is_read_and_written(former):
    ledger = Ledger(former)
    assert ledger.unfinished_batches() == [(2, "calls")]
    assert ledger.committed_batches() == {1}
    assert ledger.find_load(dataset="calls", digest="d1") == a_file()
    assert ledger.loads_since(since=DAY) == [(1, RECEIVED_AT, a_file())]
    assert ledger.arrivals().row(0) == (
        "calls",
        "cmcc",
        DAY,
        9,
        "calls/2026-07-05/cmcc.parquet",
        RECEIVED_AT,
        datetime(2026, 7, 6, 0, 15, tzinfo=SHANGHAI),
    )
    ledger.discard(2)
    assert ledger.digests_by_stamp(["s2"]) == {}
    load(ledger, ledger.next_batch(), files=[a_file(digest="d3")], version=1)
    assert ledger.latest_versions() == {"calls": 1}


def test_rows_are_written_as_a_former_version_reads_them(tmp_path, former):
    path = tmp_path / "ledger.db"
    load(Ledger(path), 1, files=[a_file()], arrivals=[an_arrival()])
    for table in ("batches", "files", "arrivals"):
        with closing(sqlite3.connect(former)) as old:
            columns = [row[1] for row in old.execute(f"PRAGMA table_info({table})")]
        query = f"SELECT {', '.join(columns)} FROM {table} WHERE batch = 1"
        with closing(sqlite3.connect(path)) as new, closing(sqlite3.connect(former)) as old:
            assert new.execute(query).fetchall() == old.execute(query).fetchall()


def test_a_held_file_stands_until_its_path_is_loaded(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    held = a_file(accepted=0, quarantined=0, held=10, status="held", reason="no calls")
    load(ledger, 1, files=[held], version=None)
    assert ledger.held_files() == [held]
    assert ledger.latest_load("calls") is None
    load(ledger, 2, files=[a_file(digest="d2")])
    assert ledger.held_files() == []
    assert ledger.latest_load("calls") == a_file(digest="d2")


def test_days_are_those_of_arrivals_and_folders(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    assert ledger.newest_day() is None
    assert ledger.arrivals().is_empty()
    load(ledger, 1, files=[a_file()], arrivals=[an_arrival()], version=3)
    load(ledger, 2, files=[a_file("residents.parquet")], arrivals=[an_arrival(None)], version=4)
    assert ledger.newest_day() == DAY
    assert ledger.changed_days(dataset="calls", since=2) == {DAY}
    assert ledger.changed_days(dataset="calls", since=3) == set()
    found = ledger.loads_since(since=date(2026, 7, 6))
    assert [file.path for _, _, file in found] == ["residents.parquet"]


def test_a_batch_that_fails_leaves_nothing(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    with pytest.raises(Exception, match="NOT NULL"):
        ledger.prepare(
            1, dataset="calls", files=[a_file(digest=None)], arrivals=[], received_at=RECEIVED_AT
        )
    assert ledger.unfinished_batches() == []


def test_a_ledger_that_was_removed_is_made_anew(tmp_path):
    path = tmp_path / "ledger.db"
    load(Ledger(path), 1, files=[a_file()], arrivals=[an_arrival()])
    path.unlink()
    assert Ledger(path).next_batch() == 1
    assert Ledger(path).latest_versions() == {}


def test_two_writers_wait_for_each_other(tmp_path):
    Ledger(tmp_path / "ledger.db")
    engine = open_engine(tmp_path / "ledger.db")

    def add(first):
        for batch in range(first, first + 20):
            with write_at_once(engine) as connection:
                connection.execute(BATCHES.select()).all()  # reads first, and then writes
                connection.execute(
                    BATCHES.insert().values(
                        batch=batch, dataset="calls", state="prepared", received_at=RECEIVED_AT
                    )
                )

    writers = [threading.Thread(target=add, args=(first,)) for first in (100, 200)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(Ledger(tmp_path / "ledger.db").unfinished_batches()) == 40


def test_rows_that_left_the_quarantine_count_for_their_load(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    path = a_file().path
    load(ledger, 1, files=[a_file(accepted=7, quarantined=3)])
    load(ledger, 2, files=[a_file(digest="d2")])
    for batch, accepted, rows in ((3, 1, (4, 9)), (4, 0, (6,))):
        left = Retry(path=path, of_batch=1, accepted=accepted, duplicates=1, skipped=0, rows=rows)
        ledger.prepare(
            batch, dataset="calls", files=(), arrivals=(), received_at=RECEIVED_AT, retries=[left]
        )
        if batch == 3:
            assert ledger.find_load(dataset="calls", digest="d1") == a_file(
                accepted=7, quarantined=3
            )
        ledger.commit(batch, delta_version=None)
    mended = a_file(accepted=8, quarantined=0, duplicates=2, status="accepted")
    assert ledger.find_load(dataset="calls", digest="d1") == mended
    assert ledger.latest_load("calls") == a_file(digest="d2")
    assert ledger.loads_below("calls/") == [mended, a_file(digest="d2")]
    assert ledger.loads_in({1, 3}) == {(1, path): mended}
    assert ledger.rows_that_left() == [(1, path, (4, 9)), (1, path, (6,))]


def test_of_registers_only_the_one_that_stands_is_of_interest(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    register = a_file("residents.parquet", dataset="residents")
    load(ledger, 1, files=[register])
    left = Retry(path=register.path, of_batch=1, accepted=1, duplicates=0, skipped=0, rows=(1,))
    ledger.prepare(
        2, dataset="residents", files=(), arrivals=(), received_at=RECEIVED_AT, retries=[left]
    )
    ledger.commit(2, delta_version=2)
    assert ledger.outdated_loads() == set()
    load(ledger, 3, files=[a_file("人口.csv", dataset="residents", digest="d3")])
    assert ledger.outdated_loads() == {(1, register.path), (2, register.path)}
