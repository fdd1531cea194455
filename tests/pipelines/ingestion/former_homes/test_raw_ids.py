"""A home of a former version, which kept numbers of records and names of files as delivered."""

import sqlite3
from contextlib import closing

import polars as pl
import pytest

from data_contracts.pseudonyms import Pseudonymiser, is_masked
from pipelines.ingestion.outcomes.quarantine import read_quarantine
from pipelines.ingestion.retries.retry import retry_quarantine
from pipelines.ingestion.withdrawals.withdrawal import withdraw_load
from pipelines.storage.event_store.store import EventStore
from pipelines.storage.ledger import Ledger
from tests.pipelines.conftest import PARSER, Home, counts
from tests.pipelines.landing import DAY, RECEIVED_AT, calls, cases, put, transfers

PHONE = "13912345678"
NAMED = f"calls/{DAY}/cmcc-{PHONE}.csv"
TRANSFERS = f"transfers/{DAY}/icbc.csv"


def record_id(row: dict) -> dict:
    return row | {"record_id": f"{PHONE}-{row['record_id']}"}


@pytest.fixture
def former(tmp_path, monkeypatch):
    """Calls, payments and cases of a former version; one call is in quarantine."""
    home = Home(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(Pseudonymiser, "records", lambda _, record_ids: record_ids)
        patched.setattr(Pseudonymiser, "mask", lambda _, name: name)
        bad = record_id(calls(41)[40]) | {"duration_s": -1}
        put(home.landing, NAMED, [*map(record_id, calls(40)), bad])
        put(home.landing, TRANSFERS, list(map(record_id, transfers())))
        put(
            home.landing,
            "cases.csv",
            [one | {"case_id": PHONE + one["case_id"]} for one in cases()],
        )
        home.ingest()
    with closing(sqlite3.connect(home.settings.lake_folder / "ledger.db")) as ledger, ledger:
        ledger.execute("DELETE FROM raw_ids")
        ledger.execute("PRAGMA user_version = 7")
    assert home.table("calls")["record_id"].str.contains(PHONE).all()
    return home


def test_raw_ids_and_names_leave_a_former_home_and_are_still_found(former):
    EventStore.of(former.settings).bring_forward()
    before = former.table("calls")

    # The same records in another file are known, one with another duration takes the place of the
    # first: both by the number that came before the change.
    put(former.landing, f"calls/{DAY}/cmcc-v2.csv", list(map(record_id, calls(3))))
    reports = former.ingest()
    assert counts(reports[f"calls/{DAY}/cmcc-v2.csv"]) == (3, 0, 0, 3, 0)
    changed = record_id(calls(1)[0]) | {"duration_s": 61}
    put(former.landing, f"calls/{DAY}/cmcc-v3.csv", [changed])
    assert counts(former.ingest()[f"calls/{DAY}/cmcc-v3.csv"]) == (1, 0, 1, 0, 0)

    (masked,) = {path for path in reports if is_masked(path)}
    assert reports[masked].reason == f"already loaded as {masked}"
    after = former.table("calls")
    assert after["record_id"].str.contains("^r1_.{12}$").all()
    assert after.drop("record_id").equals(before.drop("record_id"))
    assert after["record_id"].n_unique() == before["record_id"].n_unique() == 40
    assert former.table("cases")["case_id"].str.starts_with("r1_").all()
    for path in former.settings.home.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        if path.suffix == ".parquet":
            data = pl.read_parquet(path).select(pl.exclude("sealed")).write_json().encode()
        assert PHONE.encode() not in data + str(path).encode(), path

    revealed = read_quarantine(former.settings, reveal=True)
    assert NAMED in revealed["path"].to_list()
    assert revealed["row_json"].str.contains(PHONE).any()
    retry_quarantine(former.settings, received_at=RECEIVED_AT, parser=PARSER)
    store = EventStore.of(former.settings)
    store.bring_forward()
    assert store.verify().is_empty()
    assert Ledger(former.settings.lake_folder / "ledger.db").datasets_with_raw_ids() == []


def test_a_reversal_a_correction_and_a_withdrawal_hit_what_a_former_version_loaded(former):
    payment = record_id(transfers(1)[0])
    put(former.landing, f"transfers/{DAY}/icbc-0900.csv", [payment | {"amount": "-100.50"}])
    reversed_ = former.ingest()[f"transfers/{DAY}/icbc-0900.csv"]
    assert (reversed_.rows, reversed_.skipped) == (1, 1)
    assert former.table("transfers").height == 39

    put(former.landing, f"calls/{DAY}/cmcc-更正.csv", list(map(record_id, calls(38))))
    former.ingest()
    assert former.table("calls").height == 38

    taken_out = withdraw_load(
        former.settings, path=TRANSFERS, why="not ours", received_at=RECEIVED_AT
    )
    assert (taken_out.rows, former.table("transfers").height) == (39, 0)


def test_names_and_numbers_of_a_delivery_are_masked_at_the_door(home):
    files = [f"calls/{DAY}/cmcc-{PHONE}.csv", f"calls/{DAY}/cmcc-{PHONE[:-1]}9.csv"]
    for number, path in enumerate(files):
        put(home.landing, path, list(map(record_id, calls(40, first_line=10 * number))))
    put(home.landing, f"notes-{PHONE}.docx.csv", calls(1))
    reports = home.ingest()
    assert len(reports) == 3
    assert PHONE not in str(reports)
    assert home.table("calls").height == 80
    assert home.table("calls")["source"].unique().to_list() == ["cmcc"]
    assert counts(home.ingest(accept=[files[0]])[next(iter(reports))]) == (40, 0, 0, 40, 0)

    taken_out = withdraw_load(home.settings, path=files[0], why="twice", received_at=RECEIVED_AT)
    assert taken_out.rows == 40
    assert PHONE not in taken_out.path
