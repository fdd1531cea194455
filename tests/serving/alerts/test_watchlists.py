"""Reading watchlists: the day so far, one list, the pages of all."""

from dataclasses import replace

from sqlalchemy import Engine

from serving.publishing import publish_watchlist
from tests.serving.conftest import Client
from tests.serving.published import NIGHTLY, a_tick, an_alert

URL = "/api/v1/watchlists"


def test_anonymous_reads_nothing(client: Client) -> None:
    for path in (URL, f"{URL}/latest", f"{URL}/1"):
        assert client.get(path).status_code == 401


def test_before_the_first_list_there_is_none(empty: Client) -> None:
    answer = empty.get(f"{URL}/latest", headers=empty.as_("analyst"))
    assert answer.status_code == 404
    assert answer.json()["remedy"] == "Run forestall score."
    assert empty.get(URL, headers=empty.as_("analyst")).json() == {"items": [], "next_cursor": None}


def test_a_tick_adds_to_its_day(client: Client, engine: Engine) -> None:
    number = publish_watchlist(engine, a_tick(an_alert("p1_e", 1, score=0.9), minutes=15))
    latest = client.get(f"{URL}/latest", headers=client.as_("analyst")).json()
    assert (latest["id"], latest["kind"], latest["at"]) == (
        number,
        "intraday",
        "2026-07-05T00:15:00+08:00",
    )
    assert [alert["person"] for alert in latest["alerts"]] == [
        "p1_e",
        "p1_a",
        "p1_b",
        "p1_c",
        "p1_d",
    ]
    alone = client.get(f"{URL}/{number}", headers=client.as_("analyst")).json()
    assert [alert["person"] for alert in alone["alerts"]] == ["p1_e"]


def test_the_next_day_starts_anew(client: Client, engine: Engine) -> None:
    publish_watchlist(engine, a_tick(an_alert("p1_e", 1), minutes=24 * 60))
    latest = client.get(f"{URL}/latest", headers=client.as_("analyst")).json()
    assert [alert["person"] for alert in latest["alerts"]] == ["p1_e"]


def test_an_officer_sees_the_own_share(client: Client) -> None:
    for path in (f"{URL}/latest", f"{URL}/1"):
        alerts = client.get(path, headers=client.as_("officer")).json()["alerts"]
        assert [alert["person"] for alert in alerts] == ["p1_a", "p1_b", "p1_d"]


def test_an_old_revision_can_still_be_read(client: Client, engine: Engine) -> None:
    publish_watchlist(engine, replace(NIGHTLY, alerts=NIGHTLY.alerts[:1]))
    old = client.get(f"{URL}/1", headers=client.as_("analyst")).json()
    assert old["superseded_at"] is not None
    assert len(old["alerts"]) == 4
    assert [
        item["revision"] for item in client.get(URL, headers=client.as_("analyst")).json()["items"]
    ] == [2]


def test_pages_go_back_in_time(client: Client, engine: Engine) -> None:
    for minutes in (15, 30):
        publish_watchlist(engine, a_tick(minutes=minutes))
    first = client.get(f"{URL}?limit=2", headers=client.as_("analyst")).json()
    assert [item["at"][11:16] for item in first["items"]] == ["00:30", "00:15"]
    second = client.get(
        f"{URL}?limit=2&cursor={first['next_cursor']}", headers=client.as_("analyst")
    ).json()
    assert [item["kind"] for item in second["items"]] == ["nightly"]
    assert second["next_cursor"] is None


def test_an_unknown_list_is_a_problem(client: Client) -> None:
    assert client.get(f"{URL}/999", headers=client.as_("analyst")).status_code == 404
    assert client.get(f"{URL}/{2**40}", headers=client.as_("analyst")).status_code == 422
