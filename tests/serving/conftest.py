"""Databases, published lists, users and clients for the serving tests."""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from serving.database import open_database, sqlite_url
from serving.store import Alert, Contribution, Reason, Watchlist
from serving.tables import SHANGHAI

POSTGRES_URL = os.environ.get("FORESTALL_TEST_POSTGRES_URL")
MIDNIGHT = datetime(2026, 7, 5, tzinfo=SHANGHAI)


def an_alert(person: str, rank: int, **changes: object) -> Alert:
    """Return a complete alert; ``changes`` replace its fields."""
    fields: dict[str, object] = {
        "person": person,
        "rank": rank,
        "issued_at": MIDNIGHT,
        "score": 0.8,
        "baseline_score": 0.4,
        "level": "red",
        "scam_type": "police",
        "community_id": "C01",
        "grid_id": "C01-G1",
        "at_stake_cny": 52_000.0,
        "reasons": (
            Reason(code="long_call", zh="陌生来电最长 84 分钟", en="A stranger spoke for 84 min", contribution=1.9),
        ),
        "contributions": (
            Contribution(
                feature="call_max_s_72h", value=5040.0, contribution=1.9, zh="最长陌生通话", en="Longest stranger call"
            ),
            Contribution(feature="tenure_days", value=None, contribution=-0.2, zh="开户时长", en="Account tenure"),
        ),
        "base_value": -4.0,
        "age_band": "60+",
        "missing": ("transfers",),
        "suspect_numbers": ("n1_aa",),
        "suspect_accounts": ("a1_bb",),
    }
    return Alert(**(fields | changes))  # type: ignore[arg-type]


def a_watchlist(*alerts: Alert, **changes: object) -> Watchlist:
    """Return a nightly list of ``alerts``; ``changes`` replace its fields."""
    fields: dict[str, object] = {
        "at": MIDNIGHT,
        "kind": "nightly",
        "model_version": "3",
        "model_digest": "sha256:aa",
        "data_version": "calls@7",
        "contract_version": "1.0.0",
        "budget": 8,
        "residents_scored": 1500,
        "alerts": alerts,
    }
    return Watchlist(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of an empty database, once of each kind."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path / "serving.db")
        return
    if POSTGRES_URL is None:
        pytest.skip("FORESTALL_TEST_POSTGRES_URL names no PostgreSQL server")
    name = f"forestall_{uuid4().hex}"
    server = create_engine(POSTGRES_URL, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(POSTGRES_URL).set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """Give an engine on an empty database of the newest schema."""
    engine = open_database(url)
    yield engine
    engine.dispose()
