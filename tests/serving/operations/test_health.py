"""Liveness, readiness and metrics."""

import pytest
from sqlalchemy import Engine, text

from serving.publishing import publish_watchlist
from tests.serving.conftest import Client
from tests.serving.published import a_tick, an_alert


def test_anonymous_may_ask_for_health_but_not_for_metrics(client: Client) -> None:
    assert client.get("/health/live").json() == {"status": "ok"}
    assert client.get("/health/ready").json() == {
        "status": "ok",
        "latest_at": "2026-07-05T00:00:00+08:00",
        "vault": True,
        "rescore": True,
    }
    assert client.get("/metrics").status_code == 401


def test_ready_before_the_first_list(empty: Client) -> None:
    assert empty.get("/health/ready").json()["latest_at"] is None
    assert "forestall_alerts" not in empty.get("/metrics", headers=empty.as_("engineer")).text


def test_not_ready_on_another_schema(client: Client, engine: Engine) -> None:
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["detail"]) == (
        503,
        "The database has another schema.",
    )
    assert client.get("/health/live").status_code == 200


def test_metrics_tell_of_the_latest_day_and_of_requests(client: Client, engine: Engine) -> None:
    publish_watchlist(engine, a_tick(an_alert("p1_e", 1), minutes=15))
    client.get("/api/v1/alerts/al_00000000000000000000", headers=client.as_("analyst"))
    metrics = dict(
        line.rsplit(" ", 1)
        for line in client.get("/metrics", headers=client.as_("engineer")).text.splitlines()
        if not line.startswith("#")
    )
    levels = {
        level: float(metrics[f'forestall_alerts{{level="{level}"}}'])
        for level in ("red", "orange", "blue")
    }
    assert levels == {"red": 2.0, "orange": 1.0, "blue": 1.0}
    assert float(metrics["forestall_watchlist_at_seconds"]) == pytest.approx(1783181700)
    assert "forestall_last_publish_age_seconds" in metrics
    route = 'method="GET",route="/api/v1/alerts/{alert_id}",status="404"'
    assert metrics[f"forestall_request_duration_seconds_count{{{route}}}"] == "1.0"
