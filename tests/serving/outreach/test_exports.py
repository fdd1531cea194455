"""Exports hold what the reader may see, whatever its length."""

import csv
import json
from datetime import datetime

import pytest
from sqlalchemy import Engine, text

from serving.alerts.schemas import AlertFilter
from serving.outreach.exports.service import COLUMNS, alerts_as_ndjson
from serving.publishing import publish_watchlist
from serving.vocabulary.roles import Role, Viewer
from tests.serving.conftest import Client
from tests.serving.published import (
    ID_A,
    ID_B,
    ID_C,
    ID_D,
    MIDNIGHT,
    a_tick,
    a_watchlist,
    an_alert,
)

CSV = "/api/v1/alerts/export.csv"
NDJSON = "/api/v1/alerts/export.ndjson"


def ids(client: Client, role: str, **query: str) -> list[str]:
    answer = client.get(NDJSON, params=query, headers=client.as_(role))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line)["id"] for line in answer.text.splitlines()]


@pytest.mark.parametrize("path", [CSV, NDJSON])
def test_nobody_exports_without_a_name(client: Client, path: str) -> None:
    assert client.get(path).status_code == 401


def test_an_officer_exports_the_own_communities_only(client: Client) -> None:
    assert set(ids(client, "analyst")) == {ID_A, ID_B, ID_C, ID_D}
    assert set(ids(client, "officer")) == {ID_A, ID_B, ID_D}
    assert ids(client, "officer", community_id="C02") == []


def test_filters_and_order_are_those_of_the_list(client: Client) -> None:
    assert ids(client, "analyst", level="red") == [ID_A]
    assert ids(client, "analyst", sort="rank") == [ID_A, ID_B, ID_C, ID_D]
    assert ids(client, "analyst", status="stopped") == []
    assert client.get(CSV, params={"limit": 5}, headers=client.as_("analyst")).status_code == 422


def test_csv_has_a_heading_and_both_languages(client: Client) -> None:
    answer = client.get(CSV, params={"sort": "rank"}, headers=client.as_("analyst"))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="alerts.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(answer.content.decode("utf-8-sig").splitlines()))
    assert tuple(rows[0]) == COLUMNS
    assert [row["id"] for row in rows] == [ID_A, ID_B, ID_C, ID_D]
    assert (rows[0]["reasons_zh"], rows[0]["score"]) == ("陌生来电最长 84 分钟", "0.8")
    assert datetime.fromisoformat(rows[0]["issued_at"]) == MIDNIGHT


def test_no_cell_is_computed(client: Client, engine: Engine) -> None:
    publish_watchlist(
        engine, a_tick(an_alert("p1_x", 1, scam_type="=1+1", community_id="C03"), minutes=5)
    )
    answer = client.get(CSV, params={"community_id": "C03"}, headers=client.as_("analyst"))
    [row] = csv.DictReader(answer.content.decode("utf-8-sig").splitlines())
    assert row["scam_type"] == "'=1+1"


def test_each_export_is_audited_before_it_leaves(client: Client, engine: Engine) -> None:
    client.get(CSV, params={"level": "red"}, headers=client.as_("officer"))
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT actor, subject, details FROM audit WHERE action = 'export'")
        ).all()
    [(actor, subject, details)] = rows
    assert (actor, subject) == ("officer-1", "alerts.csv")
    assert (json.loads(details) if isinstance(details, str) else details)["level"] == "red"


def test_a_long_export_comes_in_chunks_and_holds_up_no_publisher(engine: Engine) -> None:
    publish_watchlist(engine, a_watchlist(*(an_alert(f"p1_{n}", n + 1) for n in range(450))))
    viewer = Viewer(name="li.wei", role=Role.ANALYST, communities=None)
    chunks = alerts_as_ndjson(engine, viewer=viewer, chosen=AlertFilter())
    first = next(chunks)
    # Would wait for 30 s and fail behind an open reader
    publish_watchlist(engine, a_tick(an_alert("p1_late", 1), minutes=1))
    lines = b"".join([first, *chunks]).splitlines()
    assert len(first.splitlines()) == 200
    assert len({json.loads(line)["id"] for line in lines}) == len(lines) == 450
