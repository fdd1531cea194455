"""A person's own file, and what is left after the person was erased."""

import json
from datetime import timedelta

import polars as pl
import pytest
from typer.testing import CliRunner

from data_contracts.errors import NotReadyError
from pipelines.cli.main import app
from pipelines.ingestion.outcomes.quarantine import read_quarantine
from pipelines.ingestion.pseudonymisation import load_pseudonymiser
from pipelines.retention import person as person_file
from pipelines.retention.erasure_list import list_erasures, pending_erasures
from pipelines.retention.kept_until import run_retention
from pipelines.retention.person import erase_person, export_person
from pipelines.safekeeping.backup import back_up, restore_backup
from pipelines.storage.event_store.store import EventStore
from pipelines.storage.installation.audit_key import AuditKey
from pipelines.storage.installation.signed_database import open_signed_database
from pipelines.storage.installation.vault import Vault
from pipelines.storage.score_log import ScoreLog
from pipelines.webapp.identifier_lookup import IdentifierLookup
from serving.database.audit_chain import record_action
from serving.database.audit_check import verify_chain
from serving.database.engine import read_transaction, write_transaction
from serving.database.tables import AlertRow, AuditRow, DispositionRow, KeptAnswerRow
from serving.publishing import publish_watchlist
from serving.vocabulary.alerts import TouchedResident
from tests.pipelines.conftest import Home
from tests.pipelines.landing import (
    DAY,
    RECEIVED_AT,
    account,
    calls,
    id_number,
    msisdn,
    put,
    put_district,
    residents,
    transfers,
)
from tests.serving.published import MIDNIGHT, a_watchlist, an_alert

THREE = id_number(3)
RAWS = (THREE, msisdn(3), account(3), "居民3号", "幸福路3号院")


@pytest.fixture
def home(tmp_path) -> Home:
    """A district in which the third resident called, was called by another, paid, reported a case,
    has a rejected row and stands on a list.
    """
    home = Home(tmp_path)
    put_district(home.landing)
    more = [row | {"peer_number": msisdn(3)} for row in calls(1, first=900, first_line=5)]
    put(home.landing, f"calls/{DAY}/cbn.parquet", [*more, *calls(20, first=800, first_line=2)])
    bad = [row | {"direction": "?"} for row in transfers(4)]
    put(home.landing, f"transfers/{DAY}/abc.parquet", [*transfers(40), *bad])
    home.ingest(accept=[f"transfers/{DAY}/abc.parquet"])
    person = person_of(home)
    engine = open_signed_database(home.settings)
    alerts = (
        an_alert(person, 1, touched=(reached("p1_met"),)),
        an_alert("p1_other", 2, touched=(reached(person), reached("p1_met"))),
    )
    publish_watchlist(engine, a_watchlist(*alerts, scores={person: 0.5, "p1_other": 0.1}))
    with write_transaction(engine) as session:
        row = DispositionRow(
            alert_id="a1",
            version=1,
            person=person,
            result="stopped",
            decided_at=MIDNIGHT,
            decided_by="chen.jie",
        )
        session.add(row)
        session.add(
            KeptAnswerRow(
                actor="off1",
                key_digest="k",
                fingerprint="f",
                status=200,
                sealed=b"who",
                kept_at=MIDNIGHT,
            )
        )
        record_action(
            session,
            at=row.decided_at,
            actor="chen.jie",
            action="disposition",
            subject=person,
            row=row,
        )
    engine.dispose()
    scored = {"person": [person, "p1_other"], "at": [MIDNIGHT] * 2, "score": [0.5, 0.1]}
    rows = pl.DataFrame(scored | {"preventable_loss_cny": [1.0, 1.0]})
    ScoreLog(home.settings.scores_folder).write(rows, at=MIDNIGHT, kind="nightly")
    EventStore.of(home.settings).bring_forward()
    return home


def reached(person: str) -> TouchedResident:
    return TouchedResident(
        key="n1_x", person=person, community_id="C01", channel="call", last_at=MIDNIGHT
    )


def person_of(home: Home) -> str:
    return str(load_pseudonymiser(home.settings).persons(pl.Series([THREE]))[0])


def test_a_person_s_own_file_holds_all_that_is_kept(home, tmp_path):
    found = export_person(home.settings, id_number=THREE)
    assert found["person"]["name"] == "居民3号"
    assert found["person"]["msisdns"] == (msisdn(3),)
    assert found["person"]["accounts"] == (account(3),)
    assert found["accounts"][0]["account"] == account(3)
    assert {row["number"] for row in found["calls"]} == {msisdn(3)}
    assert {row["peer"] for row in found["calls"]} >= {"13900000003"}
    assert len(found["transfers"]) == 8
    assert [len(found[name]) for name in ("alerts", "results", "scores")] == [1, 1, 1]
    assert "p1_met" not in json.dumps(found, default=str), "somebody else"
    with pytest.raises(NotReadyError, match="nothing is kept"):
        export_person(home.settings, id_number=id_number(900))

    file, out = tmp_path / "number", tmp_path / "own.json"
    file.write_text(THREE + "\n")
    command = ["person", "export", "--id-number-file", str(file), "--out", str(out)]
    place = ["--home", str(home.settings.home)]
    refused = CliRunner().invoke(app, [*command, "--why", "asked", *place])
    assert (refused.exit_code != 0, out.exists()) == (True, False)
    done = CliRunner().invoke(app, [*command, "--why", "request 2026-31, by letter", *place])
    assert (done.exit_code, out.stat().st_mode & 0o777) == (0, 0o600)
    assert json.loads(out.read_text())["person"]["address"] == "幸福路3号院"
    with read_transaction(open_signed_database(home.settings)) as session:
        entry = session.query(AuditRow).filter_by(action="person-exported").one()
        assert (entry.subject, entry.details["reason"]) == (
            person_of(home),
            "request 2026-31, by letter",
        )


def test_an_erased_person_is_found_nowhere_and_others_keep_their_records(home, tmp_path):
    settings, person = home.settings, person_of(home)
    backup = tmp_path / "backup"
    back_up(settings, backup, at=RECEIVED_AT)
    others = home.table("calls").filter(pl.col("number") != number_of(home))
    number = number_of(home)

    done = erase_person(settings, id_number=THREE, why="request 2026-31", at=RECEIVED_AT)

    assert (done.counts["residents"], done.counts["subscribers"], done.counts["accounts"]) == (
        1,
    ) * 3
    assert done.counts["quarantine"] == 1
    assert "audit trail" in done.kept
    assert home.table("residents").height == 39
    left = home.table("calls")
    assert left.drop("peer").equals(others.drop("peer"))
    assert (others["peer"] == number).sum() == 1
    nameless = left.filter(~pl.col("peer").is_in(others["peer"].implode()))["peer"]
    assert (len(nameless), nameless.str.starts_with("n1_").all()) == (1, True)
    for path in (path for path in settings.home.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if path.suffix == ".parquet":
            data = pl.read_parquet(path).select(~pl.selectors.binary()).write_json().encode()
        assert [raw for raw in RAWS if raw.encode() in data] == [], path
        if path.name not in {"serving.db", "erasures.json"}:  # what names the pseudonym as a proof
            assert [key for key in (person, number) if key.encode() in data] == [], path
    vault = Vault.open(settings)
    assert vault.reveal_people([person]) == {}
    keys = IdentifierLookup(settings, vault=vault)(msisdn(3))
    assert person not in keys
    assert "居民3号" not in read_quarantine(settings, reveal=True).write_json()
    with pytest.raises(NotReadyError, match="nothing is kept"):
        export_person(settings, id_number=THREE)
    store = EventStore.of(settings)
    store.bring_forward()
    assert store.verify().is_empty()
    with read_transaction(open_signed_database(settings)) as session:
        (other,) = session.query(AlertRow)
        assert other.person == "p1_other"
        assert [one["person"] for one in other.touched] == ["p1_met"]
        assert session.query(KeptAnswerRow).count() == 0
        entry = session.query(AuditRow).filter_by(action="person-erased").one()
        assert entry.details["reason"] == "request 2026-31"
        assert verify_chain(session, public_key=AuditKey.open(settings).public_key).whole

    # A home restored from before has to do it again, and says so until then.
    old = settings.model_copy(update={"home": tmp_path / "old", "keys": settings.keys_folder})
    restore_backup(backup, home=old.home)
    assert [one.person for one in pending_erasures(old)] == [person]
    run_retention(old, at=RECEIVED_AT + timedelta(days=1))
    assert pending_erasures(old) == ()
    with pytest.raises(NotReadyError, match="nothing is kept"):
        export_person(old, id_number=THREE)
    assert list_erasures(old.home)[0].person == person


def test_an_old_delivery_brings_nobody_back_and_a_new_one_does(home):
    erase_person(home.settings, id_number=THREE, why="request 2026-31", at=RECEIVED_AT)
    home.ingest()
    assert home.table("residents").height == 39
    assert home.table("calls").filter(number=number_of(home)).is_empty()

    moved = [row | {"address": "新民路1号"} for row in residents()]
    put(home.landing, "residents.parquet", moved)
    home.ingest(received_at=RECEIVED_AT + timedelta(days=1))
    assert home.table("residents").height == 40
    (identity,) = Vault.open(home.settings).reveal_people([person_of(home)]).values()
    assert (identity.address, identity.msisdns) == ("新民路1号", ())


def test_an_erasure_that_is_cut_short_is_ended_by_the_next_run(home, monkeypatch):
    settings, person = home.settings, person_of(home)
    with monkeypatch.context() as patched:
        patched.setattr(person_file, "remove_scores_of", cut)
        with pytest.raises(OSError, match="power"):
            erase_person(settings, id_number=THREE, why="request 2026-31", at=RECEIVED_AT)
    assert home.table("residents").height == 39
    assert [one.person for one in pending_erasures(settings)] == [person]
    run_retention(settings, at=RECEIVED_AT + timedelta(days=1))
    assert pending_erasures(settings) == ()
    with read_transaction(open_signed_database(settings)) as session:
        (other,) = session.query(AlertRow)
        assert other.person == "p1_other"
        assert [one["person"] for one in other.touched] == ["p1_met"]
        assert session.query(KeptAnswerRow).count() == 0
    assert ScoreLog(settings.scores_folder).read(MIDNIGHT.date())["person"].to_list() == [
        "p1_other"
    ]


def cut(*_args: object, **_options: object) -> int:
    raise OSError("no power")


def number_of(home: Home) -> str:
    return str(load_pseudonymiser(home.settings).numbers(pl.Series([msisdn(3)]))[0])
