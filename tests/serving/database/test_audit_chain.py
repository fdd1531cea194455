"""The audit trail is one chain: nothing in it can be changed, removed or slipped in without a
trace.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError, StatementError

from serving.database.audit_chain import (
    GENESIS,
    digest_of_entry,
    record_action,
)
from serving.database.audit_check import Break, verify_chain
from serving.database.engine import (
    open_database,
    read_transaction,
    upgrade_database,
    write_transaction,
)
from serving.database.tables import AuditRow
from tests.serving.published import MIDNIGHT

LIFT = {
    "sqlite": ["DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"],
    "postgresql": ["DROP TRIGGER audit_no_change ON audit"],
}
FIRST = "7ac2d8dd570f3a3b2833d8e21127344ec5543c8ea831c1f5b142621c1ddd79a7"  # by sha256sum


def write_entries(engine: Engine, count: int) -> None:
    for minutes in range(count):
        with write_transaction(engine) as session:
            at = MIDNIGHT + timedelta(minutes=minutes)
            record_action(
                session,
                at=at,
                actor="li",
                action="reveal",
                subject="n1_aa",
                reason="回访",
                minutes=minutes,
            )


def tamper(engine: Engine, *statements: str) -> None:
    """Do what somebody with the run of the database could do."""
    with engine.execution_options(writes=True).begin() as connection:
        for statement in [*LIFT[engine.dialect.name], *statements]:
            connection.execute(text(statement))


def verdict_of(engine: Engine, head: str | None = None) -> tuple[int, Break | None, bool]:
    with read_transaction(engine) as session:
        verdict = verify_chain(session, heads=[head] if head else [])
    return verdict.entries, verdict.broken, verdict.whole


def test_the_digest_of_an_entry_is_settled() -> None:
    entry = AuditRow(
        id=1,
        occurred_at=MIDNIGHT,
        actor="li",
        action="login",
        subject="li",
        details={"b": 1, "a": "甲"},
    )
    entry.previous_digest = GENESIS
    assert digest_of_entry(entry) == FIRST


def test_an_empty_trail_is_whole(engine: Engine) -> None:
    with read_transaction(engine) as session:
        verdict = verify_chain(session)
    assert (verdict.whole, verdict.entries, verdict.head) == (True, 0, GENESIS)


def test_every_entry_follows_the_one_before(engine: Engine) -> None:
    write_entries(engine, 3)
    with read_transaction(engine) as session:
        rows = session.query(AuditRow).order_by(AuditRow.id).all()
        assert verify_chain(session).head == rows[-1].digest
    assert [row.previous_digest for row in rows] == [GENESIS, rows[0].digest, rows[1].digest]
    assert verdict_of(engine) == (3, None, True)


def reveal_and_fail(engine: Engine) -> None:
    with write_transaction(engine) as session:
        record_action(session, at=MIDNIGHT, actor="li", action="reveal", subject="n1_aa")
        session.execute(text("SELECT no_such_column"))


def test_several_entries_of_one_transaction_and_none_of_a_failed_one(engine: Engine) -> None:
    with write_transaction(engine) as session:
        record_action(session, at=MIDNIGHT, actor="li", action="claim", subject="al_1")
        record_action(
            session, at=MIDNIGHT, actor="li", action="disposition", subject="al_1", result="stopped"
        )
    with pytest.raises(StatementError):
        reveal_and_fail(engine)
    assert verdict_of(engine) == (2, None, True)


@pytest.mark.parametrize(
    ("statement", "entry_id", "reason"),
    [
        ("UPDATE audit SET actor = 'wu' WHERE id = 2", 2, "changed"),
        ("UPDATE audit SET details = '{}' WHERE id = 2", 2, "changed"),
        ("DELETE FROM audit WHERE id = 2", 3, "removed"),
        ("DELETE FROM audit WHERE id = 1", 2, "removed"),
        ("UPDATE audit SET id = 9 WHERE id = 2", 3, "removed"),
    ],
)
def test_whatever_is_done_to_an_entry_shows(
    engine: Engine, statement: str, entry_id: int, reason: str
) -> None:
    write_entries(engine, 4)
    tamper(engine, statement)
    _, broken, whole = verdict_of(engine)
    assert not whole
    assert broken is not None
    assert broken.entry_id == entry_id
    assert reason in broken.reason


def test_a_tail_cut_off_shows_to_whoever_kept_the_head(engine: Engine) -> None:
    write_entries(engine, 4)
    with read_transaction(engine) as session:
        head = verify_chain(session).head
    write_entries(engine, 1)
    assert verdict_of(engine, head) == (5, None, True)
    tamper(engine, "DELETE FROM audit WHERE id > 3")
    assert verdict_of(engine) == (3, None, True)
    assert verdict_of(engine, head) == (3, None, False)


def test_writers_at_one_moment_keep_one_chain(engine: Engine) -> None:
    def write(number: int) -> None:
        with write_transaction(engine) as session:
            record_action(
                session, at=MIDNIGHT, actor=f"user-{number}", action="claim", subject="al_1"
            )

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(24)))
    assert verdict_of(engine) == (24, None, True)


def test_entries_of_before_are_chained_as_they_stand(url: str) -> None:
    from alembic import command

    from serving.database.engine import _alembic_config

    engine = open_database(url)
    details = json.dumps({"reason": "回访", "share": 0.1})
    with engine.execution_options(writes=True).begin() as connection:
        command.downgrade(_alembic_config(connection), "0002")
        insert = "INSERT INTO audit (id, occurred_at, actor, action, subject, details) VALUES "
        connection.execute(
            text(f"{insert}(3, '2026-07-04 16:00:00.000000', 'li', 'login', 'li', '{{}}')")
        )
        connection.execute(
            text(f"{insert}(7, '2026-07-04 16:00:00.250000', 'li', 'reveal', 'n1_aa', :d)"),
            {"d": details},
        )
    upgrade_database(url)
    assert verdict_of(engine) == (2, None, True)
    write_entries(engine, 1)
    assert verdict_of(engine) == (3, None, True)
    with read_transaction(engine) as session:
        assert [row.subject for row in session.query(AuditRow).order_by(AuditRow.id)] == [
            "li",
            "n1_aa",
            "n1_aa",
        ]
    engine.dispose()


def test_the_database_refuses_to_change_or_remove_an_entry(engine: Engine) -> None:
    write_entries(engine, 1)
    statements = ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"]
    if engine.dialect.name == "postgresql":
        statements.append("TRUNCATE audit")
    for statement in statements:
        with (
            pytest.raises(DatabaseError, match="append-only"),
            engine.execution_options(writes=True).begin() as c,
        ):
            c.execute(text(statement))


@given(
    changed=st.sampled_from(["id", "actor", "action", "subject", "previous_digest"]),
    details=st.dictionaries(
        st.text(max_size=5), st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    ),
)
def test_no_field_is_left_out_of_the_digest(changed: str, details: dict[str, float]) -> None:
    fields = {
        "id": 5,
        "actor": "li",
        "action": "login",
        "subject": "li",
        "previous_digest": GENESIS,
    }
    entry = AuditRow(**fields, occurred_at=MIDNIGHT, details=details)
    other = AuditRow(
        **(fields | {changed: 6 if changed == "id" else "x"}), occurred_at=MIDNIGHT, details=details
    )
    assert digest_of_entry(entry) != digest_of_entry(other)
    assert digest_of_entry(entry) == digest_of_entry(
        AuditRow(**fields, occurred_at=MIDNIGHT, details=json.loads(json.dumps(details)))
    )
