"""Recording what was found: once a version, audited, back to the labels."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from serving.store import dispositions, publish, recent_alerts

from .conftest import ID_A, ID_C, MIDNIGHT, NIGHTLY, Client, a_watchlist, an_alert, audited

URL = f"/api/v1/alerts/{ID_A}/dispositions"


def test_anonymous_records_nothing(client: Client, engine: Engine) -> None:
    assert client.get(URL).status_code == 401
    assert client.post(URL, json={"result": "stopped", "version": 0}).status_code == 401
    assert dispositions(engine) == []


def test_a_result_is_recorded_audited_and_comes_back(client: Client, engine: Engine) -> None:
    found = {"result": "stopped", "version": 0, "note": "当面劝阻", "snoozed_until": "2026-07-12T00:00:00+08:00"}
    answer = client.post(URL, json=found, headers=client.as_("officer"))
    assert answer.status_code == 201
    assert answer.json() == found | {
        "alert_id": ID_A,
        "version": 1,
        "decided_at": "2026-07-05T09:00:00+08:00",
        "decided_by": "officer-1",
    }
    assert client.get(URL, headers=client.as_("analyst")).json() == [answer.json()]
    assert client.get(f"/api/v1/alerts/{ID_A}", headers=client.as_("analyst")).json()["status"] == "stopped"
    assert audited(engine, "disposition") == [("officer-1", ID_A)]
    assert [(decision.person, decision.result) for decision in dispositions(engine)] == [("p1_a", "stopped")]


def test_the_second_of_two_is_told(client: Client, engine: Engine) -> None:
    assert client.post(URL, json={"result": "in_progress", "version": 0}, headers=client.as_("analyst")).is_success
    late = client.post(URL, json={"result": "lawful", "version": 0}, headers=client.as_("officer"))
    assert late.status_code == 409
    assert late.json()["detail"] == "Somebody else has recorded a result meanwhile."
    assert client.post(URL, json={"result": "lawful", "version": 1}, headers=client.as_("officer")).is_success
    assert [decision.result for decision in dispositions(engine)] == ["in_progress", "lawful"]
    assert audited(engine, "disposition") == [("analyst-1", ID_A), ("officer-1", ID_A)]


def test_of_many_at_once_one_wins(client: Client, engine: Engine) -> None:
    def send(result: str) -> int:
        return client.post(URL, json={"result": result, "version": 0}, headers=client.as_("analyst")).status_code

    with ThreadPoolExecutor(4) as threads:
        statuses = list(threads.map(send, ["lawful", "stopped", "refused", "duplicate"]))
    assert sorted(statuses) == [201, 409, 409, 409]
    assert len(dispositions(engine)) == 1


def test_a_result_outlives_a_new_revision(client: Client, engine: Engine) -> None:
    client.post(URL, json={"result": "lawful", "version": 0}, headers=client.as_("analyst"))
    publish(engine, a_watchlist(an_alert("p1_a", 1, score=0.95), *NIGHTLY.alerts[1:]))
    alert = client.get(f"/api/v1/alerts/{ID_A}", headers=client.as_("analyst")).json()
    assert (alert["score"], alert["status"], alert["version"]) == (0.95, "lawful", 1)
    assert len(dispositions(engine)) == 1
    assert recent_alerts(engine, MIDNIGHT)[0].status == "lawful"


@pytest.mark.parametrize(
    "wrong",
    [
        {"result": "arrested", "version": 0},
        {"result": "stopped"},
        {"result": "stopped", "version": -1},
        {"result": "stopped", "version": 0, "note": "x" * 2001},
        {"result": "stopped", "version": 0, "surprise": 1},
        {"result": "lawful", "version": 0, "snoozed_until": "2026-07-05T08:59:00+08:00"},
        {"result": "lawful", "version": 0, "snoozed_until": "2026-10-04T00:00:00+08:00"},
        {"result": "lawful", "version": 0, "snoozed_until": "2026-07-12T00:00:00"},
    ],
)
def test_what_cannot_be_is_refused(client: Client, engine: Engine, wrong: dict[str, object]) -> None:
    assert client.post(URL, json=wrong, headers=client.as_("analyst")).status_code == 422
    assert dispositions(engine) == []


def test_an_officer_decides_on_the_own_communities_only(client: Client) -> None:
    answer = client.post(
        f"/api/v1/alerts/{ID_C}/dispositions", json={"result": "stopped", "version": 0}, headers=client.as_("officer")
    )
    assert answer.status_code == 404
