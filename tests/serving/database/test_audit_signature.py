"""Whoever rules the database, but has not the key, can do nothing to the trail or the results that
does not show.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, insert, select, text, update

from data_contracts.errors import SettingsError
from serving.database.audit_chain import GENESIS, digest_of_entry, record_action
from serving.database.audit_check import Verdict, verify_chain
from serving.database.audit_signature import (
    Head,
    anchor_code,
    anchor_line,
    key_number,
    read_anchors,
)
from serving.database.engine import (
    engine_for,
    open_database,
    read_transaction,
    signing_engine,
    sqlite_url,
    write_transaction,
)
from serving.database.tables import AuditRow, DispositionRow
from tests.serving.published import MIDNIGHT

LIFT = {
    "sqlite": [
        f"DROP TRIGGER {table}_no_{verb}"
        for table in ("audit", "dispositions")
        for verb in ("update", "delete")
    ],
    "postgresql": [
        "DROP TRIGGER audit_no_change ON audit",
        "DROP TRIGGER dispositions_no_change ON dispositions",
    ],
}
ENTRIES, BEFORE = 9, 3  # entries in all, and of them before signing began


@dataclass
class Key:
    """A key with its memory, as an installation keeps it."""

    private: Ed25519PrivateKey
    head: Head | None = None

    @property
    def public_key(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    def sign(self, message: bytes, /) -> bytes:
        return self.private.sign(message)

    def kept_head(self) -> Head | None:
        return self.head

    def keep_head(self, head: Head, /) -> None:
        if self.head is None or self.head.entry_id < head.entry_id:
            self.head = head


def a_key(number: int = 1) -> Key:
    return Key(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))


def record_result(engine: Engine, number: int) -> None:
    with write_transaction(engine) as session:
        row = DispositionRow(
            alert_id=f"al_{number}",
            version=1,
            person="p1_a",
            result="lawful",
            note="购房",
            decided_at=MIDNIGHT + timedelta(minutes=number),
            decided_by="li",
            paid_cny=5,
        )
        session.add(row)
        record_action(
            session,
            at=row.decided_at,
            actor="li",
            action="disposition",
            subject=row.alert_id,
            row=row,
            result=row.result,
        )


def fill(engine: Engine, key: Key) -> Engine:
    """Write results before and after signing began: entries 1 to 3, the beginning, 5 to 9."""
    for number in range(BEFORE):
        record_result(engine, number)
    signing = signing_engine(engine, key, at=MIDNIGHT)
    for number in range(BEFORE, ENTRIES - 1):
        record_result(signing, number)
    return signing


def verdict_of(engine: Engine, key: Key, *heads: str) -> Verdict:
    kept = [key.head.digest] if key.head else []
    with read_transaction(engine) as session:
        return verify_chain(session, heads=[*kept, *heads], public_key=key.public_key)


@contextmanager
def ruling(engine: Engine) -> Iterator[Connection]:
    """Give a connection of somebody with the run of the database."""
    with engine.execution_options(writes=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT set_config('forestall.communities', '*', true)"))
        for statement in LIFT[engine.dialect.name]:
            connection.execute(text(statement))
        yield connection


def chain_anew(connection: Connection) -> None:
    """Give every entry the digest that fits, as anybody can compute it."""
    last = GENESIS
    for row in (
        connection.execute(select(AuditRow.__table__).order_by(AuditRow.id)).mappings().all()
    ):
        entry = AuditRow(**row)
        entry.previous_digest = last
        last = digest_of_entry(entry)
        connection.execute(
            update(AuditRow)
            .where(AuditRow.id == entry.id)
            .values(previous_digest=entry.previous_digest, digest=last)
        )


def test_a_trail_signed_from_somewhere_on_is_whole(engine: Engine) -> None:
    key = a_key()
    fill(engine, key)
    verdict = verdict_of(engine, key)
    assert (verdict.whole, verdict.entries, verdict.signed) == (True, ENTRIES, ENTRIES - BEFORE)
    assert key.head == Head(entry_id=ENTRIES, digest=verdict.head)
    with read_transaction(engine) as session:
        began = session.get_one(AuditRow, BEFORE + 1)
        assert (began.action, began.subject) == ("signing-began", key_number(key.public_key))
        assert began.details["results"] == began.details["last_result"] == BEFORE
        spoken = session.get_one(AuditRow, ENTRIES)
        assert spoken.state is not None
        assert (spoken.state["table"], spoken.state["id"]) == ("dispositions", ENTRIES - 1)


def test_a_trail_that_grows_again_after_a_cut_is_not_whole(engine: Engine) -> None:
    key = a_key()
    signing = fill(engine, key)
    kept = key.head
    with ruling(engine) as connection:
        connection.execute(delete(AuditRow).where(AuditRow.id > ENTRIES - 2))
        connection.execute(delete(DispositionRow).where(DispositionRow.id > ENTRIES - 3))
    for number in range(20, 25):
        record_result(signing, number)
    verdict = verdict_of(engine, key)
    assert (verdict.entries, verdict.broken, verdict.edited) == (ENTRIES + 3, None, ())
    assert verdict.head_missing
    assert key.head == kept


@pytest.mark.parametrize("change", ["details = '{\"a\"'", "occurred_at = 'yesterday'"])
def test_an_entry_that_nobody_can_read_is_where_the_chain_breaks(
    tmp_path: Path, change: str
) -> None:
    key, engine = a_key(), open_database(sqlite_url(tmp_path / "serving.db"))
    fill(engine, key)
    with ruling(engine) as connection:
        connection.execute(text(f"UPDATE audit SET {change} WHERE id = 6"))
    verdict = verdict_of(engine, key)
    assert verdict.broken is not None
    assert (verdict.broken.entry_id, verdict.entries, verdict.whole) == (6, 5, False)
    assert "cannot be read" in verdict.broken.reason


def test_a_result_that_nobody_can_read_shows(tmp_path: Path) -> None:
    key, engine = a_key(), open_database(sqlite_url(tmp_path / "serving.db"))
    fill(engine, key)
    with ruling(engine) as connection:
        connection.execute(text("UPDATE dispositions SET decided_at = 'yesterday' WHERE id = 6"))
    assert [line.partition(":")[0] for line in verdict_of(engine, key).edited] == [
        "a result cannot be read"
    ]


def test_signing_begins_once(engine: Engine) -> None:
    key = a_key()
    fill(engine, key)
    signing_engine(engine, key, at=MIDNIGHT)
    assert verdict_of(engine, key).entries == ENTRIES


def test_a_home_of_before_opens_and_is_whole_by_its_digests(engine: Engine) -> None:
    for number in range(BEFORE):
        record_result(engine, number)
    verdict = verdict_of(engine, a_key())
    assert (verdict.whole, verdict.entries, verdict.signed) == (True, BEFORE, 0)


def test_nobody_writes_on_without_the_key_or_with_another(engine: Engine) -> None:
    fill(engine, a_key())
    for other in (engine, signing_engine(engine, a_key(2), at=MIDNIGHT)):
        with pytest.raises(SettingsError, match="signed with another key"):
            record_result(other, 99)
    assert verdict_of(engine, a_key()).entries == ENTRIES


def test_a_copy_with_another_key_is_no_proof(engine: Engine) -> None:
    fill(engine, a_key(2))
    verdict = verdict_of(engine, a_key())
    assert verdict.broken is not None
    assert verdict.broken.entry_id == BEFORE + 1


def test_a_trail_without_any_signature_shows(engine: Engine) -> None:
    key = a_key()
    signing = fill(engine, key)
    with ruling(engine) as connection:
        connection.execute(delete(AuditRow).where(AuditRow.action == "signing-began"))
        connection.execute(update(AuditRow).values(signature=None, signed_by=None, state=None))
        chain_anew(connection)
    assert verdict_of(engine, key).head_missing
    # And writing on does not paint it over
    signing_engine(engine, key, at=MIDNIGHT)
    record_result(signing, 50)
    broken = verdict_of(engine, key).broken
    assert broken is not None
    assert "signing began was removed" in broken.reason


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a filled database in a file, to be copied and tampered with."""
    path = tmp_path_factory.mktemp("audit") / "serving.db"
    engine = open_database(sqlite_url(path))
    fill(engine, a_key())
    engine.dispose()
    return path


@contextmanager
def a_copy(original: Path) -> Iterator[tuple[Engine, Key]]:
    copy = original.with_name("copy.db")
    shutil.copy(original, copy)
    engine = engine_for(sqlite_url(copy))
    key = a_key()
    with read_transaction(engine) as session:
        newest = session.get_one(AuditRow, ENTRIES)
        key.keep_head(Head(entry_id=newest.id, digest=newest.digest))
    try:
        yield engine, key
    finally:
        engine.dispose()


numbers = st.integers(1, ENTRIES)


def shown(original: Path, tamper: Callable[[Connection], object], *, anew: bool) -> bool:
    """Say whether what is done to a copy shows; ``anew``: with the digests made to fit."""
    with a_copy(original) as (engine, key):
        assert verdict_of(engine, key).whole
        with ruling(engine) as connection:
            tamper(connection)
            if anew:
                chain_anew(connection)
        return not verdict_of(engine, key).whole


@settings(max_examples=30)
@given(
    number=numbers,
    field=st.sampled_from(["actor", "subject", "action", "details", "occurred_at", "state"]),
    anew=st.booleans(),
)
def test_an_entry_that_is_rewritten_shows(
    original: Path,
    number: int,
    field: str,
    anew: bool,  # noqa: FBT001 -- drawn
) -> None:
    values = {
        "details": {"made": "up"},
        "occurred_at": MIDNIGHT - timedelta(days=1),
        "state": {"table": "dispositions", "id": 1, "digest": "0" * 64},
    }
    if field == "state" and number <= BEFORE:
        return  # it stands for nothing there, and no digest covers it
    change = update(AuditRow).where(AuditRow.id == number)
    assert shown(
        original, lambda c: c.execute(change.values({field: values.get(field, "x")})), anew=anew
    )


@settings(max_examples=20)
@given(first=numbers, last=numbers, anew=st.booleans())
def test_entries_that_are_cut_out_or_off_show(
    original: Path,
    first: int,
    last: int,
    anew: bool,  # noqa: FBT001 -- drawn
) -> None:
    low, high = sorted((first, last))
    cut = delete(AuditRow).where(AuditRow.id.between(low, high))
    assert shown(original, lambda c: c.execute(cut), anew=anew)


@settings(max_examples=20)
@given(pair=st.tuples(numbers, numbers).filter(lambda pair: pair[0] != pair[1]), anew=st.booleans())
def test_entries_in_another_order_show(
    original: Path,
    pair: tuple[int, int],
    anew: bool,  # noqa: FBT001 -- drawn
) -> None:
    def swap(connection: Connection) -> None:
        one, other = pair
        for number, becomes in ((one, 999), (other, one), (999, other)):
            connection.execute(update(AuditRow).where(AuditRow.id == number).values(id=becomes))

    assert shown(original, swap, anew=anew)


@settings(max_examples=20)
@given(like=numbers, signed=st.booleans())
def test_an_entry_that_is_appended_with_the_right_digest_shows(
    original: Path,
    like: int,
    signed: bool,  # noqa: FBT001 -- drawn
) -> None:
    def forge(connection: Connection) -> None:
        rows = connection.execute(select(AuditRow.__table__)).mappings().all()
        by_id = {row["id"]: row for row in rows}
        entry = AuditRow(**by_id[like])
        entry.id, entry.subject = ENTRIES + 1, "n1_forged"
        entry.previous_digest = by_id[ENTRIES]["digest"]
        entry.signed_by = by_id[ENTRIES]["signed_by"] if signed else None
        entry.signature = by_id[ENTRIES]["signature"] if signed else None
        entry.digest = digest_of_entry(entry)
        columns = AuditRow.__table__.columns
        connection.execute(
            insert(AuditRow).values({one.name: getattr(entry, one.name) for one in columns})
        )

    assert shown(original, forge, anew=False)


@settings(max_examples=30)
@given(
    number=st.integers(1, ENTRIES - 1),
    change=st.sampled_from(
        [
            {"result": "fraud_stopped"},
            {"note": ""},
            {"paid_cny": 5.01},
            {"paid_cny": None},
            {"decided_by": "wu"},
            {"decided_at": MIDNIGHT},
            {"alert_id": "al_9"},
            {"id": 77},
            None,
        ]
    ),
)
def test_a_result_that_is_changed_or_removed_shows(
    original: Path, number: int, change: dict[str, object] | None
) -> None:
    chosen = DispositionRow.id == number
    if change == {"decided_at": MIDNIGHT} and number == 1:
        return  # that is when it was decided
    statement = (
        delete(DispositionRow).where(chosen)
        if change is None
        else update(DispositionRow).where(chosen).values(change)
    )
    assert shown(original, lambda c: c.execute(statement), anew=False)


def test_a_result_that_is_slipped_in_shows(original: Path) -> None:
    with a_copy(original) as (engine, key):
        with ruling(engine) as connection:
            connection.execute(
                insert(DispositionRow).values(
                    id=50,
                    alert_id="al_x",
                    version=1,
                    person="p1_a",
                    result="lawful",
                    note="",
                    decided_at=MIDNIGHT,
                    decided_by="li",
                )
            )
        verdict = verdict_of(engine, key)
    assert verdict.edited == ("result 50 of al_x was slipped in",)


def test_an_anchor_holds_the_trail_where_the_kept_head_is_gone_too(original: Path) -> None:
    with a_copy(original) as (engine, key):
        assert key.head is not None
        line = anchor_line(key, head=key.head, at=MIDNIGHT)
        code = anchor_code(key.head)
        assert len(code) == 23
        key.head = None
        for anchor in (line, code, f"{line}\n{line}\n"):
            heads = read_anchors(anchor, public_key=key.public_key)
            assert heads is not None
            assert verdict_of(engine, key, *heads).whole
        with ruling(engine) as connection:
            connection.execute(delete(AuditRow).where(AuditRow.id > ENTRIES - 1))
        for anchor in (line, code):
            heads = read_anchors(anchor, public_key=key.public_key)
            assert heads is not None
            assert verdict_of(engine, key, *heads).head_missing


def test_an_anchor_that_was_changed_or_made_elsewhere_is_none() -> None:
    head = Head(entry_id=7, digest="ab" * 32)
    key = a_key()
    line = anchor_line(key, head=head, at=MIDNIGHT)
    assert read_anchors(line, public_key=key.public_key) == ["ab" * 32]
    assert read_anchors(line, public_key=a_key(2).public_key) is None
    assert read_anchors(line.replace(" 7 ", " 8 "), public_key=key.public_key) is None
    for made_up in ("", "forestall-audit-1", "12345", "xyz-xyz-xyz-xyz-xyz-xyz-xyz"):
        assert read_anchors(made_up, public_key=key.public_key) is None
