"""The queue: what waits, in which order, with which clock, and what changed since the last look."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from serving.database.engine import write_transaction
from serving.database.tables import DispositionRow
from serving.publishing import alert_id_of, publish_watchlist
from tests.serving.conftest import Client
from tests.serving.published import (
    ID_A,
    ID_B,
    ID_C,
    ID_D,
    MIDNIGHT,
    MORNING,
    NIGHTLY,
    a_tick,
    a_watchlist,
    an_alert,
)

ROLES = ("analyst", "officer", "engineer", "admin")
EARLIER = MIDNIGHT - timedelta(days=1)


def read(client: Client, role: str = "analyst", **query: Any) -> dict[str, Any]:
    answer = client.get("/api/v1/queue", params=query, headers=client.as_(role))
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def ids(queue: Mapping[str, Any]) -> list[str]:
    return [item["id"] for item in queue["items"]]


def found(engine: Engine, alert: str, person: str, result: str, **fields: Any) -> None:
    """Write down a result, as if somebody had found it in the morning."""
    told = {
        "version": 1,
        "note": "",
        "snoozed_until": None,
        "decided_at": MORNING,
        "decided_by": "li",
    }
    with write_transaction(engine) as session:
        session.add(DispositionRow(alert_id=alert, person=person, result=result, **(told | fields)))


def test_nobody_reads_it_without_being_known(client: Client) -> None:
    assert client.get("/api/v1/queue").status_code == 401


@pytest.mark.parametrize("role", ROLES)
def test_every_role_may_look(client: Client, role: str) -> None:
    assert read(client, role)["waiting"] == (3 if role == "officer" else 4)


def test_before_the_first_list(empty: Client) -> None:
    queue = read(empty)
    assert (queue["at"], queue["waiting"], queue["items"], queue["next_page"]) == (
        None,
        0,
        [],
        None,
    )


def test_the_most_urgent_stand_first(client: Client) -> None:
    queue = read(client)
    assert ids(queue) == [ID_A, ID_B, ID_C, ID_D]
    assert [item["position"] for item in queue["items"]] == [1, 2, 3, 4]
    assert (queue["waiting"], queue["unclaimed"], queue["mine"], queue["matching"]) == (4, 4, 0, 4)
    assert queue["scam_types"] == ["brushing", "police"]
    assert queue["communities"] == ["C01", "C02"]


def test_of_one_level_those_stand_first_whom_a_warning_saves_most(
    empty: Client, engine: Engine
) -> None:
    publish_watchlist(
        engine,
        a_watchlist(
            an_alert("p1_a", 1, score=0.9, saving_cny=None),
            an_alert("p1_b", 2, score=0.8, saving_cny=1_000.0),
            an_alert("p1_c", 3, score=0.7, saving_cny=2_000.0),
        ),
    )
    assert [item["person"] for item in read(empty)["items"]] == ["p1_c", "p1_b", "p1_a"]


def test_the_clock_runs_by_level(client: Client) -> None:
    clocks = {item["id"]: (item["act_by"], item["overdue"]) for item in read(client)["items"]}
    assert clocks == {
        ID_A: ("2026-07-05T00:05:00+08:00", True),
        ID_B: ("2026-07-05T00:15:00+08:00", True),
        ID_C: ("2026-07-05T02:00:00+08:00", True),
        ID_D: ("2026-07-06T00:00:00+08:00", False),
    }
    assert read(client)["overdue"] == 3


def test_the_lead_runs_from_the_first_contact_where_it_is_known(
    empty: Client, engine: Engine
) -> None:
    heard = MIDNIGHT - timedelta(minutes=40)
    publish_watchlist(
        engine, a_watchlist(an_alert("p1_a", 1, first_contact_at=heard), an_alert("p1_b", 2))
    )
    leads = {
        item["person"]: (item["lead_since"], item["lead_from"]) for item in read(empty)["items"]
    }
    assert leads == {
        "p1_a": ("2026-07-04T23:20:00+08:00", "contact"),
        "p1_b": ("2026-07-05T00:00:00+08:00", "alert"),
    }


def test_alerts_of_the_days_before_still_wait(client: Client, engine: Engine) -> None:
    old = [
        an_alert(person, 1, issued_at=at) for person, at in (("p1_e", EARLIER), ("p1_f", MIDNIGHT))
    ]
    publish_watchlist(engine, a_watchlist(old[0], at=EARLIER))
    long_ago = MIDNIGHT - timedelta(days=8)
    publish_watchlist(engine, a_watchlist(an_alert("p1_g", 1, issued_at=long_ago), at=long_ago))
    people = [item["person"] for item in read(client)["items"]]
    assert "p1_e" in people
    assert "p1_g" not in people


def test_what_is_settled_or_put_off_waits_no_more(client: Client, engine: Engine) -> None:
    found(engine, ID_A, "p1_a", "stopped")
    found(engine, ID_B, "p1_b", "in_progress", snoozed_until=MORNING + timedelta(days=1))
    found(engine, ID_C, "p1_c", "not_found_yet")
    assert ids(read(client)) == [ID_C, ID_D]
    assert ids(read(client, status="stopped")) == [ID_A]
    everything = read(client, status="all")
    assert ids(everything) == [ID_A, ID_B, ID_C, ID_D]
    assert [item["position"] for item in everything["items"]] == [0, 0, 1, 2]
    assert everything["items"][0]["act_by"] is None
    assert ids(read(client, status="open")) == [ID_D]


def test_an_alert_that_was_raised_stands_higher(client: Client, engine: Engine) -> None:
    found(engine, ID_C, "p1_c", "in_progress", level="red")
    queue = read(client)
    assert ids(queue)[:2] == [ID_A, ID_C]
    assert queue["items"][1]["level"] == "red"


def test_filters(client: Client) -> None:
    assert ids(read(client, level="orange")) == [ID_B]
    assert ids(read(client, scam_type="brushing")) == [ID_B]
    assert ids(read(client, community_id="C02")) == [ID_C]
    assert ids(read(client, level="red", community_id="C02")) == []
    assert read(client, level="orange")["waiting"] == 4
    assert client.get("/api/v1/queue?colour=red", headers=client.as_("analyst")).status_code == 422


def test_filters_by_whoever_has_it(client: Client) -> None:
    client.post(f"/api/v1/alerts/{ID_B}/claim", headers=client.as_("analyst"))
    client.post(f"/api/v1/alerts/{ID_C}/claim", headers=client.as_("admin"))
    assert ids(read(client, assignee="me")) == [ID_B]
    assert ids(read(client, assignee="admin-1")) == [ID_C]
    assert ids(read(client, assignee="nobody")) == [ID_A, ID_D]
    queue = read(client)
    assert (queue["mine"], queue["unclaimed"], queue["assignees"]) == (
        1,
        2,
        ["admin-1", "analyst-1"],
    )
    assert queue["items"][1]["claim"]["claimed_by"] == "analyst-1"


def test_a_person_stands_in_it_once(client: Client, engine: Engine) -> None:
    publish_watchlist(
        engine, a_tick(an_alert("p1_d", 1, level="red", score=0.9, realert=True), minutes=60)
    )
    again = alert_id_of(at=MIDNIGHT + timedelta(minutes=60), kind="intraday", person="p1_d")
    assert ids(read(client)) == [again, ID_A, ID_B, ID_C]


def test_pages(empty: Client, engine: Engine) -> None:
    publish_watchlist(
        engine,
        a_watchlist(*(an_alert(f"p1_{n:03}", n + 1, score=0.9 - n / 1000) for n in range(60))),
    )
    first, second = read(empty), read(empty, page=2)
    assert (len(first["items"]), first["next_page"], len(second["items"]), second["next_page"]) == (
        50,
        2,
        10,
        None,
    )
    assert second["items"][0]["position"] == 51


def test_the_latest_score_since(client: Client, engine: Engine) -> None:
    publish_watchlist(
        engine,
        a_watchlist(
            at=MIDNIGHT + timedelta(hours=2), kind="intraday", scores={"p1_a": 0.95, "p1_z": 0.1}
        ),
    )
    scores = {item["person"]: item["score_now"] for item in read(client)["items"]}
    assert scores == {"p1_a": 0.95, "p1_b": None, "p1_c": None, "p1_d": None}


def changed(queue: Mapping[str, Any], what: str) -> list[tuple[Any, ...]]:
    return [
        (change["person"], change["why"], change["before"], change["now"])
        for change in queue["changes"][what]
    ]


def test_what_the_first_list_brought(client: Client) -> None:
    queue = read(client)
    assert changed(queue, "entered") == [
        (f"p1_{x}", "new_alert", None, n) for n, x in enumerate("abcd", start=1)
    ]
    assert (queue["changes"]["left"], queue["changes"]["moved"]) == ([], [])


def test_what_a_tick_brought(client: Client, engine: Engine) -> None:
    tick = a_tick(
        an_alert("p1_e", 1, score=0.7), an_alert("p1_d", 2, score=0.9, realert=True), minutes=60
    )
    publish_watchlist(engine, tick)
    queue = read(client)
    assert changed(queue, "entered") == [("p1_e", "new_alert", None, 3)]
    assert changed(queue, "moved") == [("p1_d", "new_money", 4, 1)]


def test_new_evidence_is_told_where_it_moved_the_score(client: Client, engine: Engine) -> None:
    at = MIDNIGHT + timedelta(hours=2)
    publish_watchlist(
        engine, a_watchlist(at=at, kind="intraday", scores={"p1_b": 0.75, "p1_c": 0.31})
    )
    (change,) = read(client)["changes"]["moved"]
    assert (change["person"], change["why"], change["score_before"], change["score_now"]) == (
        "p1_b",
        "new_evidence",
        0.6,
        0.75,
    )


def test_who_left_and_why(client: Client, engine: Engine) -> None:
    since = read(client)["last_change"]
    publish_watchlist(
        engine, a_watchlist(*(alert for alert in NIGHTLY.alerts if alert.person != "p1_d"))
    )
    form = {"result": "stopped", "version": 0}
    headers = client.as_("analyst") | {"If-Match": '"0"'}
    assert client.post(
        f"/api/v1/alerts/{ID_A}/dispositions", json=form, headers=headers
    ).status_code in {201, 422}
    queue = read(client, since=since)
    assert ("p1_d", "superseded", None, None) in changed(queue, "left")


def test_nothing_changed_since_the_last_change(client: Client) -> None:
    changes = read(client, since=read(client)["last_change"])["changes"]
    assert (changes["entered"], changes["left"], changes["moved"]) == ([], [], [])


def test_an_officer_hears_of_the_own_communities_only(client: Client) -> None:
    queue = read(client, "officer")
    assert {person for person, *_ in changed(queue, "entered")} == {"p1_a", "p1_b", "p1_d"}
    assert queue["communities"] == ["C01"]
