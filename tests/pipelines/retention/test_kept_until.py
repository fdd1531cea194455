"""What is older than the settings keep leaves the disk, and what stays is whole."""

import json
from datetime import datetime, timedelta

import polars as pl
import pytest
from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.retention.erasure_list import list_erasures, pending_erasures
from pipelines.retention.kept_until import describe_retention, run_retention
from pipelines.storage.event_store.store import EventStore
from pipelines.storage.installation.audit_key import AuditKey
from pipelines.storage.installation.signed_database import open_signed_database
from pipelines.storage.installation.vault import Vault
from pipelines.storage.ledger import Ledger
from pipelines.storage.ledger_agreement import require_agreement
from serving.database.audit_chain import record_action
from serving.database.audit_check import verify_chain
from serving.database.engine import read_transaction, write_transaction
from serving.database.tables import AlertRow, AuditRow, DispositionRow, ScoreRow
from serving.publishing import publish_suspects, publish_watchlist
from tests.pipelines.conftest import Home
from tests.pipelines.landing import DAY, RECEIVED_AT, calls, msisdn, put, put_district, subscribers
from tests.serving.published import MIDNIGHT, a_suspect, a_watchlist, an_alert

LATER = DAY + timedelta(days=30)
# By then the day is 410 days old, the later one 380.
AT = datetime(2026, 9, 15, 8, tzinfo=RECEIVED_AT.tzinfo) + timedelta(days=365)


@pytest.fixture
def home(tmp_path) -> Home:
    """Two days of a district, a later day with other numbers, and a list of each time."""
    home = Home(tmp_path)
    put_district(home.landing)
    put(home.landing, f"calls/{LATER}/cmcc.parquet", calls(day=LATER, first_line=20))
    spoilt = [row | {"duration_s": -1} for row in calls(2)]
    put(home.landing, f"calls/{DAY}/cbn.parquet", [*calls(40, first_line=30), *spoilt])
    home.ingest()
    put(home.landing, "subscribers.parquet", subscribers(39))
    home.ingest(received_at=RECEIVED_AT + timedelta(days=20), accept=["subscribers.parquet"])
    engine = open_signed_database(home.settings)
    person = home.table("residents")["person"][0]
    for at in (MIDNIGHT - timedelta(days=800), MIDNIGHT + timedelta(days=60)):
        alert = an_alert(person, 1, issued_at=at)
        publish_watchlist(engine, a_watchlist(alert, at=at, scores={person: 0.5}))
        publish_suspects(engine, at=at, suspects=(a_suspect("n1_aa"),))
        with write_transaction(engine) as session:
            row = DispositionRow(
                alert_id=f"a{at:%Y}",
                version=1,
                person=person,
                result="stopped",
                decided_at=at,
                decided_by="chen.jie",
            )
            session.add(row)
            record_action(
                session,
                at=row.decided_at,
                actor="chen.jie",
                action="disposition",
                subject=person,
                row=row,
            )
    engine.dispose()
    return home


def test_what_is_too_old_leaves_the_disk_and_the_rest_is_whole(home):
    settings, lake = home.settings, home.lake
    ledger = Ledger(settings.lake_folder / "ledger.db")
    store = EventStore.of(settings)
    store.bring_forward()
    kept_before = lake.scan("calls", days=(LATER, LATER)).collect()
    names = {one.name: one for one in describe_retention(settings, at=AT)}
    assert (names["calls"].oldest, names["calls"].too_old) == (DAY, 160)
    assert (names["lists"].too_old, names["quarantine"].too_old) == (1, 2)

    gone = run_retention(settings, at=AT)

    assert (gone["calls"], gone["transfers"], gone["quarantine"]) == (160, 80, 2)
    assert (gone["results"], gone.get("reports", 0)) == (1, 0)
    assert lake.days("calls") == [LATER]
    assert lake.days("transfers") == []
    assert home.table("calls").equals(kept_before)
    data_files = [path.parent.name for path in settings.lake_folder.glob("calls/*/part-*.parquet")]
    assert data_files == [f"event_day={LATER}"]
    assert list(settings.quarantine_folder.glob("*")) == []
    assert lake.damaged_files() == []
    require_agreement(lake, ledger)
    # A number that only the days that left knew is nobody's any more, one that is held still opens.
    vault = Vault.open(settings)
    numbers = vault.reveal("number", kept_before["number"].to_list())
    assert msisdn(20) in numbers.values()
    assert vault.count_entries()[1] == 0
    peers = vault.reveal("number", home.table("calls")["peer"].to_list())
    assert "13900000000" in peers.values()
    store.bring_forward()
    assert store.open(at=AT) is not None

    engine = open_signed_database(settings)
    with read_transaction(engine) as session:
        assert [row.issued_at for row in session.query(AlertRow)] == [MIDNIGHT + timedelta(days=60)]
        assert session.query(ScoreRow).count() == 1
        entry = session.query(AuditRow).filter_by(action="erased-by-age").one()
        assert entry.details["counts"]["calls"] == 160
        assert entry.details["before"]["events"] == f"{AT.date() - timedelta(days=400)}"
        assert "p1_" not in json.dumps(entry.details)
        key = AuditKey.open(settings).public_key
        assert verify_chain(session, public_key=key).whole
    engine.dispose()
    (listed,) = list_erasures(settings.keys_folder)
    assert listed.counts["calls"] == 160
    assert pending_erasures(settings) == ()

    assert run_retention(settings, at=AT) == {}
    assert home.ingest()[f"calls/{DAY}/cmcc.parquet"].reason.startswith("already loaded")


def test_a_load_that_was_cut_short_before_is_forgotten_and_not_taken_for_made(home):
    ledger = Ledger(home.settings.lake_folder / "ledger.db")
    cut = ledger.next_batch()
    ledger.prepare(cut, dataset="calls", files=(), arrivals=(), received_at=RECEIVED_AT)
    run_retention(home.settings, at=AT)
    assert ledger.unfinished_batches() == []
    assert home.lake.last_batch("calls") == cut  # the number was free again


def test_a_register_of_before_stays_for_moments_since_and_an_older_one_leaves(home):
    lake = home.lake
    between = RECEIVED_AT + timedelta(days=10)
    run_retention(home.settings, at=AT)  # 400 days before lies between the two registers
    assert lake.scan_register("subscribers", before=between).collect().height == 40

    run_retention(home.settings, at=AT + timedelta(days=30))
    assert lake.scan_register("subscribers", before=between).collect().height == 39
    files = list(home.settings.lake_folder.glob("subscribers/part-*.parquet"))
    assert [pl.read_parquet(path).height for path in files] == [39]


def test_the_terminal_says_what_is_kept_and_what_left(home):
    runner, at_home = CliRunner(), ["--home", str(home.settings.home)]
    shown = runner.invoke(app, ["retention", "show", *at_home, "--json"])
    classes = {one["name"]: one for one in json.loads(shown.stdout)["classes"]}
    assert classes["calls"]["oldest"] == f"{DAY}"
    assert classes["audit trail"]["days"] is None
    assert runner.invoke(app, ["retention", "run", *at_home]).exit_code == 0
