"""Suppressions: with a reason, an owner and an end, one a person, and lifted by name."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from serving.app import create_app
from serving.context.settings import ServingSettings
from tests.serving.casework.test_follow_ups import client_of
from tests.serving.conftest import Client, audited
from tests.serving.published import ID_A, ID_B, ID_C, MORNING

URL = "/api/v1/suppressions"
UNTIL = "2026-08-01T00:00:00+08:00"


def wanted(alert: str = ID_A, **more: Any) -> dict[str, Any]:
    return {"alert_id": alert, "reason": "购房首付，合同已核实", "expires_at": UNTIL, **more}


def standing(client: Client, role: str = "analyst") -> list[str]:
    return [one["person"] for one in client.get(URL, headers=client.as_(role)).json()["items"]]


def test_only_analysts_suppress_and_lift(client: Client) -> None:
    made = client.post(URL, json=wanted(), headers=client.as_("analyst")).json()
    for headers, status in (({}, 401), (client.as_("engineer"), 403), (client.as_("officer"), 403)):
        assert client.post(URL, json=wanted(ID_B), headers=headers).status_code == status
        lifted = client.post(f"{URL}/{made['id']}/lift", json={"reason": "x"}, headers=headers)
        assert lifted.status_code == status
    for headers, status in (({}, 401), (client.as_("engineer"), 403), (client.as_("officer"), 200)):
        assert client.get(URL, headers=headers).status_code == status


def test_a_suppression_has_an_owner_and_is_audited(client: Client, engine: Engine) -> None:
    made = client.post(URL, json=wanted(owner="officer-1"), headers=client.as_("analyst"))
    assert made.status_code == 201
    assert {
        key: made.json()[key] for key in ("person", "owner", "created_by", "expires_at", "ended_at")
    } == {
        "person": "p1_a",
        "owner": "officer-1",
        "created_by": "analyst-1",
        "expires_at": UNTIL,
        "ended_at": None,
    }
    assert audited(engine, "suppress") == [("analyst-1", "p1_a")]
    client.post(URL, json=wanted(ID_C), headers=client.as_("analyst"))
    assert standing(client) == ["p1_c", "p1_a"]
    assert standing(client, "officer") == ["p1_a"]


def test_it_is_lifted_once(client: Client, engine: Engine) -> None:
    number = client.post(URL, json=wanted(), headers=client.as_("analyst")).json()["id"]
    lifted = client.post(
        f"{URL}/{number}/lift", json={"reason": "又有接触"}, headers=client.as_("admin")
    )
    assert (lifted.json()["ended_by"], lifted.json()["ended_why"]) == ("admin-1", "又有接触")
    assert standing(client) == []
    again = client.post(
        f"{URL}/{number}/lift", json={"reason": "又有接触"}, headers=client.as_("admin")
    )
    assert again.status_code == 409
    assert (
        client.post(f"{URL}/99/lift", json={"reason": "x"}, headers=client.as_("admin")).status_code
        == 404
    )
    assert audited(engine, "unsuppress") == [("admin-1", "p1_a")]


def test_a_person_has_one_at_a_time(client: Client) -> None:
    def attempt(_: int) -> int:
        return client.post(URL, json=wanted(), headers=client.as_("analyst")).status_code

    with ThreadPoolExecutor(3) as threads:
        assert sorted(threads.map(attempt, range(3))) == [201, 409, 409]


def test_it_ends_by_itself_and_another_may_follow(
    client: Client, settings: ServingSettings
) -> None:
    client.post(URL, json=wanted(), headers=client.as_("analyst"))
    later = client_of(
        create_app(settings=settings, clock=lambda: MORNING + timedelta(days=30)), client
    )
    assert standing(later) == []
    new = wanted(expires_at="2026-09-01T00:00:00+08:00")
    assert later.post(URL, json=new, headers=client.as_("analyst")).status_code == 201
    assert standing(later) == ["p1_a"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": ""},
        {"reason": "电话 13800000001"},
        {"owner": "nobody"},
        {"owner": "engineer-1"},
        {"expires_at": "2026-07-05T09:00:00+08:00"},
        {"expires_at": "2027-07-05T09:00:00+08:00"},
        {"expires_at": "2026-08-01T00:00:00"},
        {"surprise": 1},
    ],
)
def test_what_cannot_be_is_refused(client: Client, wrong: dict[str, Any]) -> None:
    assert client.post(URL, json=wanted() | wrong, headers=client.as_("analyst")).status_code == 422
    assert standing(client) == []
