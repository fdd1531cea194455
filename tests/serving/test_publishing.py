"""Publishing is whole, repeatable and never rewrites what was read."""

import hashlib
import json
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from data_contracts.errors import ConflictError
from serving.database.engine import (
    at_head,
    engine_for,
    open_database,
    read_transaction,
    sqlite_url,
    upgrade_database,
    write_transaction,
)
from serving.database.tables import AlertRow, Base, DispositionRow, WatchlistRow
from serving.feedback import all_dispositions, recent_alerts
from serving.publishing import alert_id_of, publish_watchlist
from tests.serving.published import MIDNIGHT, a_watchlist, an_alert


def counts(engine: Engine) -> tuple[int, int]:
    with read_transaction(engine) as session:
        return session.query(WatchlistRow).count(), session.query(AlertRow).count()


def test_publishing_the_same_content_again_changes_nothing(engine: Engine) -> None:
    first = publish_watchlist(engine, a_watchlist(an_alert("p1_a", 1), an_alert("p1_b", 2)))
    assert publish_watchlist(engine, a_watchlist(an_alert("p1_a", 1), an_alert("p1_b", 2))) == first
    assert counts(engine) == (1, 2)


def test_a_list_of_before_is_the_same_list_after_an_upgrade(engine: Engine) -> None:
    """Lists of before had no ``already_paid_cny``; where it says nothing, the digest is theirs."""
    watchlist = a_watchlist(an_alert("p1_a", 1))
    publish_watchlist(engine, watchlist)
    content = json.loads(
        json.dumps(asdict(watchlist), default=lambda at: at.astimezone(UTC).isoformat())
    )
    del content["alerts"][0]["already_paid_cny"]
    of_before = json.dumps(content, sort_keys=True, ensure_ascii=False).encode()
    with read_transaction(engine) as session:
        (row,) = session.query(WatchlistRow).all()
        assert row.content_digest == hashlib.sha256(of_before).hexdigest()


def test_other_content_becomes_a_new_revision_under_the_same_alert_ids(engine: Engine) -> None:
    first = publish_watchlist(engine, a_watchlist(an_alert("p1_a", 1), an_alert("p1_b", 2)))
    second = publish_watchlist(engine, a_watchlist(an_alert("p1_a", 1, score=0.9)))
    assert second != first
    assert counts(engine) == (2, 3)
    with read_transaction(engine) as session:
        old, new = session.get_one(WatchlistRow, first), session.get_one(WatchlistRow, second)
        assert (old.revision, new.revision) == (1, 2)
        assert old.superseded_at is not None
        assert new.superseded_at is None
        assert old.alerts[0].alert_id == new.alerts[0].alert_id
    assert [(alert.person, alert.score) for alert in recent_alerts(engine, MIDNIGHT)] == [
        ("p1_a", 0.9)
    ]


def test_moments_come_back_in_local_time(engine: Engine) -> None:
    publish_watchlist(engine, a_watchlist(an_alert("p1_a", 1)))
    (alert,) = recent_alerts(engine, MIDNIGHT)
    assert alert.issued_at.isoformat() == "2026-07-05T00:00:00+08:00"


def test_alert_ids_are_fixed() -> None:
    assert alert_id_of(at=MIDNIGHT, kind="nightly", person="p1_a") == "al_70e33fc382b6ce87451a"


def test_nan_is_kept_as_unknown(engine: Engine) -> None:
    publish_watchlist(engine, a_watchlist(an_alert("p1_a", 1, at_stake_cny=math.nan)))
    (alert,) = recent_alerts(engine, MIDNIGHT)
    assert alert.at_stake_cny is None


def test_recent_alerts_hold_what_is_snoozed_beyond(engine: Engine) -> None:
    publish_watchlist(engine, a_watchlist(an_alert("p1_a", 1), an_alert("p1_b", 2)))
    with write_transaction(engine) as session:
        session.add(
            DispositionRow(
                alert_id=alert_id_of(at=MIDNIGHT, kind="nightly", person="p1_a"),
                version=1,
                person="p1_a",
                result="lawful",
                note="",
                snoozed_until=MIDNIGHT + timedelta(days=7),
                decided_at=MIDNIGHT + timedelta(hours=9),
                decided_by="li",
            )
        )
    (alert,) = recent_alerts(engine, MIDNIGHT + timedelta(days=4))
    assert (alert.person, alert.status, alert.snoozed_until) == (
        "p1_a",
        "lawful",
        MIDNIGHT + timedelta(days=7),
    )
    (decision,) = all_dispositions(engine)
    assert (decision.person, decision.result, decision.scam_type, decision.version) == (
        "p1_a",
        "lawful",
        "police",
        1,
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"level": "purple"},
        {"score": 1.01},
        {"score": math.nan},
        {"rank": 0},
        {"saving_cny": -0.01},
        {"already_paid_cny": 0.0},
        {"already_paid_cny": math.inf},
        {"issued_at": datetime(2026, 7, 5)},  # noqa: DTZ001
    ],
)
def test_an_impossible_alert_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"level|score|rank|saving_cny|already_paid_cny|issued_at"):
        an_alert("p1_a", **({"rank": 1} | changes))  # type: ignore[arg-type]


def test_a_person_stands_on_a_list_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        a_watchlist(an_alert("p1_a", 1), an_alert("p1_a", 2))


def test_migrations_lead_to_the_declared_tables(url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    upgrade_database(url)
    upgrade_database(url)
    engine = engine_for(url)
    assert at_head(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_of_many_publishers_each_list_stands_once(engine: Engine) -> None:
    def attempt(score: float) -> int | None:
        try:
            return publish_watchlist(engine, a_watchlist(an_alert("p1_a", 1, score=score)))
        except ConflictError:
            return None

    with ThreadPoolExecutor(4) as threads:
        published = list(threads.map(attempt, (0.1, 0.2, 0.3, 0.4)))
    assert any(published)
    assert len(recent_alerts(engine, MIDNIGHT)) == 1


def test_alerts_of_before_are_kept_when_the_schema_moves_on(url: str) -> None:
    from alembic import command

    from serving.database.engine import _alembic_config

    engine = open_database(url)
    publish_watchlist(engine, a_watchlist(an_alert("p1_a", 1, already_paid_cny=36_000.0)))
    with engine.execution_options(writes=True).begin() as connection:
        command.downgrade(_alembic_config(connection), "0001")
    assert not at_head(engine)
    upgrade_database(url)
    with read_transaction(engine) as session:
        (alert,) = session.query(AlertRow).all()
        assert (alert.person, alert.saving_cny, alert.missing) == ("p1_a", None, ["transfers"])
        assert alert.already_paid_cny is None
    engine.dispose()


def test_migrations_wait_for_each_other(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "new.db")
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(upgrade_database, [url] * 3))
    engine = engine_for(url)
    assert at_head(engine)
    engine.dispose()
