"""PostgreSQL itself shows an officer rows of the own communities only, whatever the statement asks
for.
"""

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from serving.casework.claims.tables import ClaimRow
from serving.casework.dispositions.schemas import NewDisposition
from serving.casework.dispositions.service import record_disposition
from serving.context.settings import ServingSettings
from serving.database.engine import (
    EVERY_COMMUNITY,
    read_transaction,
    shows_every_row,
    write_transaction,
)
from serving.database.tables import AlertRow, Base, DispositionRow
from serving.publishing import publish_watchlist
from serving.vocabulary.roles import Role, Viewer
from tests.serving.conftest import Client, audited
from tests.serving.published import ID_A, ID_C, MORNING, NIGHTLY

ANALYST = Viewer(name="li", role=Role.ANALYST, communities=None)
OWN = frozenset({"C01"})
TABLES = (
    "alerts",
    "changes",
    "claims",
    "dispositions",
    "follow_ups",
    "outreach_items",
    "outreach_lists",
    "scores",
    "suppressions",
    "webhook_deliveries",
)


@pytest.fixture
def engine(engine: Engine) -> Engine:
    """Give the engine of PostgreSQL; SQLite has no such policies."""
    if engine.dialect.name != "postgresql":
        pytest.skip("row-level security is PostgreSQL's")
    publish_watchlist(engine, NIGHTLY)
    return engine


def people(session: Session) -> list[str]:
    return sorted(session.scalars(text("SELECT person FROM alerts")))


def test_a_raw_statement_sees_the_own_community_only(engine: Engine) -> None:
    with read_transaction(engine, communities=OWN) as session:
        assert people(session) == ["p1_a", "p1_b", "p1_d"]
        assert session.scalar(text("SELECT count(*) FROM alerts WHERE community_id = 'C02'")) == 0
    with write_transaction(engine, communities=frozenset({"C02", "C09"})) as session:
        assert people(session) == ["p1_c"]
    with read_transaction(engine) as session:
        assert people(session) == ["p1_a", "p1_b", "p1_c", "p1_d"]


def test_every_transaction_of_a_session_is_narrowed(engine: Engine) -> None:
    with read_transaction(engine, communities=OWN) as session:
        people(session)
        session.commit()
        assert people(session) == ["p1_a", "p1_b", "p1_d"]


def test_a_connection_that_names_no_community_sees_nothing(engine: Engine) -> None:
    with read_transaction(engine) as session:
        people(session)
    with engine.connect() as connection:  # the pool hands out the connection that just saw all
        assert connection.execute(text("SELECT count(*) FROM alerts")).scalar_one() == 0
    with read_transaction(engine, communities=frozenset()) as session:
        assert people(session) == []


def test_a_community_cannot_be_named_so_that_it_means_all(engine: Engine) -> None:
    for name in (EVERY_COMMUNITY, "C01,C02", "C0%", ""):
        with read_transaction(engine, communities=frozenset({name})) as session:
            assert people(session) == []


def test_what_hangs_on_an_alert_is_seen_with_it(engine: Engine, settings: ServingSettings) -> None:
    with write_transaction(engine) as session:
        for alert_id in (ID_A, ID_C):
            record_disposition(
                session,
                viewer=ANALYST,
                alert_id=alert_id,
                new=NewDisposition(result="in_progress"),
                version=0,
                at=MORNING,
                settings=settings,
                source="screen",
            )
    with read_transaction(engine, communities=OWN) as session:
        assert session.scalars(select(DispositionRow.alert_id)).all() == [ID_A]
        assert session.scalars(text("SELECT person FROM scores")).all() == []


def test_nothing_is_written_into_another_community(engine: Engine) -> None:
    def a_claim(community_id: str) -> ClaimRow:
        return ClaimRow(
            alert_id=ID_C,
            community_id=community_id,
            claimed_by="wu",
            claimed_at=MORNING,
            expires_at=MORNING,
        )

    with write_transaction(engine, communities=OWN) as session:
        session.add(a_claim("C01"))
    with (
        pytest.raises(DatabaseError, match="row-level security"),
        write_transaction(engine, communities=OWN) as session,
    ):
        session.add(a_claim("C02"))
    with write_transaction(engine, communities=OWN) as session:
        changed = session.execute(
            text("UPDATE alerts SET rank = 9 WHERE community_id = 'C02' RETURNING id")
        ).all()
        assert changed == []


def test_every_table_with_a_community_or_a_person_has_a_policy(engine: Engine) -> None:
    guarded = text(
        "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity ORDER BY relname"
    )
    with engine.connect() as connection:
        assert connection.execute(guarded).scalars().all() == list(TABLES)
    telling = {"community_id", "communities", "person", "alert_id"}
    named = {
        table.name for table in Base.metadata.sorted_tables if telling & set(table.columns.keys())
    }
    assert named - {"user_communities"} - set(TABLES) == set()


def test_a_role_that_would_pass_over_the_policies_is_told(engine: Engine) -> None:
    assert not shows_every_row(engine)


def test_an_officers_request_is_narrowed_by_the_database_too(
    engine: Engine, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from serving.alerts import repository

    # As if it had been forgotten
    monkeypatch.setattr(repository, "visible_to", lambda _viewer, statement: statement)
    items = client.get("/api/v1/alerts", headers=client.as_("officer")).json()["items"]
    assert {item["community_id"] for item in items} == {"C01"}
    assert client.get(f"/api/v1/alerts/{ID_C}", headers=client.as_("officer")).status_code == 404
    assert len(client.get("/api/v1/alerts", headers=client.as_("analyst")).json()["items"]) == 4
    assert audited(engine, "user-added")


def test_alerts_are_still_published_and_read_whole(engine: Engine) -> None:
    with read_transaction(engine) as session:
        assert session.query(AlertRow).count() == 4
