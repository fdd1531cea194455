"""Claims: no alert is ever with two people, whoever asks when."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from serving.access.users.service import add_user
from serving.app import create_app
from serving.casework.claims.tables import ClaimRow
from serving.casework.queue.service import take_next
from serving.context.settings import ServingSettings
from serving.database.engine import read_transaction, write_transaction
from serving.http.errors import ProblemError
from serving.vocabulary.roles import Role, Viewer
from tests.serving.conftest import Client, audited
from tests.serving.published import ID_A, ID_B, ID_C, ID_D, MIDNIGHT, MORNING

NEXT = "/api/v1/queue/next"


def claim_of(alert: str) -> str:
    return f"/api/v1/alerts/{alert}/claim"


@pytest.fixture
def later(client: Client, settings: ServingSettings) -> Iterator["Clocked"]:
    """Give a second application on the same database, the clock of which can be set."""
    clocked = Clocked(client, settings)
    with clocked.http:
        yield clocked


class Clocked:
    """An application at whatever time is asked for."""

    def __init__(self, client: Client, settings: ServingSettings) -> None:
        self.now = MORNING
        self.http = TestClient(self.application(settings), follow_redirects=False)
        self.headers = client.as_

    def application(self, settings: ServingSettings) -> FastAPI:
        return create_app(settings=settings, clock=self.tell)

    def tell(self) -> datetime:
        return self.now


def a_colleague(
    engine: Engine, name: str, *communities: str, role: Role = Role.ANALYST
) -> dict[str, str]:
    with write_transaction(engine) as session:
        token = add_user(
            session, name=name, role=role, communities=communities, at=MIDNIGHT, actor="test"
        )
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", NEXT),
        ("POST", claim_of(ID_A)),
        ("DELETE", claim_of(ID_A)),
        ("PUT", f"/api/v1/alerts/{ID_A}/assignee"),
    ],
)
def test_strangers_and_engineers_take_nothing(client: Client, method: str, path: str) -> None:
    body = {"to": "analyst-1"} if method == "PUT" else None
    assert client.request(method, path, json=body).status_code == 401
    assert (
        client.request(method, path, json=body, headers=client.as_("engineer")).status_code == 403
    )


def test_the_next_one_is_the_most_urgent_that_nobody_has(client: Client, engine: Engine) -> None:
    first, second = (
        client.post(NEXT, headers=client.as_(role)).json() for role in ("analyst", "admin")
    )
    assert (first["alert_id"], first["claimed_by"], first["expires_at"]) == (
        ID_A,
        "analyst-1",
        "2026-07-05T09:30:00+08:00",
    )
    assert (second["alert_id"], second["claimed_by"]) == (ID_B, "admin-1")
    assert audited(engine, "claim") == [("analyst-1", ID_A), ("admin-1", ID_B)]


def test_when_everything_is_taken(client: Client) -> None:
    taken = [client.post(NEXT, headers=client.as_("analyst")) for _ in range(5)]
    assert [answer.status_code for answer in taken] == [200, 200, 200, 200, 404]
    assert {answer.json()["alert_id"] for answer in taken[:4]} == {ID_A, ID_B, ID_C, ID_D}
    assert taken[4].json()["detail"] == "No alert waits for somebody to take it."


def test_an_officer_takes_from_the_own_communities(client: Client) -> None:
    taken = [client.post(NEXT, headers=client.as_("officer")) for _ in range(4)]
    assert [answer.json().get("alert_id") for answer in taken] == [ID_A, ID_B, ID_D, None]
    assert client.post(claim_of(ID_C), headers=client.as_("officer")).status_code == 404


def test_the_second_is_told_who_has_it(client: Client) -> None:
    client.post(claim_of(ID_A), headers=client.as_("analyst"))
    answer = client.post(claim_of(ID_A), headers=client.as_("admin"))
    assert answer.status_code == 409
    problem = answer.json()
    assert (problem["claimed_by"], problem["expires_at"]) == (
        "analyst-1",
        "2026-07-05T09:30:00+08:00",
    )
    assert problem["remedy"] == "Take the next one, or ask them to give it back."


def test_claiming_again_renews(later: Clocked) -> None:
    headers = later.headers("analyst")
    later.http.post(claim_of(ID_A), headers=headers)
    later.now = MORNING + timedelta(minutes=20)
    assert (
        later.http.post(claim_of(ID_A), headers=headers).json()["expires_at"]
        == "2026-07-05T09:50:00+08:00"
    )


def test_a_claim_expires(later: Clocked, engine: Engine) -> None:
    later.http.post(claim_of(ID_A), headers=later.headers("analyst"))
    later.now = MORNING + timedelta(minutes=29)
    assert later.http.post(claim_of(ID_A), headers=later.headers("admin")).status_code == 409
    later.now = MORNING + timedelta(minutes=30)
    taken = later.http.post(claim_of(ID_A), headers=later.headers("admin"))
    assert (taken.status_code, taken.json()["claimed_by"]) == (200, "admin-1")
    with read_transaction(engine) as session:
        claims = session.query(ClaimRow).order_by(ClaimRow.id).all()
    assert [(claim.claimed_by, claim.ended_at) for claim in claims] == [
        ("analyst-1", MORNING + timedelta(minutes=30)),
        ("admin-1", None),
    ]


def test_giving_back(client: Client, engine: Engine) -> None:
    client.post(claim_of(ID_A), headers=client.as_("analyst"))
    other = a_colleague(engine, "li.wei")
    assert client.delete(claim_of(ID_A), headers=other).status_code == 409
    assert client.delete(claim_of(ID_A), headers=client.as_("analyst")).status_code == 204
    assert client.delete(claim_of(ID_A), headers=client.as_("analyst")).status_code == 204
    assert client.post(claim_of(ID_A), headers=other).json()["claimed_by"] == "li.wei"
    assert client.delete(claim_of(ID_A), headers=client.as_("admin")).status_code == 204
    assert audited(engine, "release") == [("analyst-1", ID_A), ("admin-1", ID_A)]


def test_giving_to_a_colleague(client: Client, engine: Engine) -> None:
    theirs = a_colleague(engine, "li.wei")
    path = f"/api/v1/alerts/{ID_A}/assignee"
    given = client.put(path, json={"to": "li.wei"}, headers=client.as_("analyst"))
    assert given.status_code == 200
    assert (given.json()["claimed_by"], given.json()["assigned_by"]) == ("li.wei", "analyst-1")
    assert given.json()["expires_at"] == "2026-07-05T21:00:00+08:00"
    assert (
        client.put(path, json={"to": "admin-1"}, headers=client.as_("analyst")).status_code == 409
    )
    assert (
        client.put(path, json={"to": "admin-1"}, headers=theirs).json()["claimed_by"] == "admin-1"
    )
    assert audited(engine, "assign") == [("analyst-1", ID_A), ("li.wei", ID_A)]


def test_not_everybody_can_be_given_it(client: Client, engine: Engine) -> None:
    a_colleague(engine, "wang.min", "C02", role=Role.OFFICER)
    for name in ("nobody", "engineer-1", "wang.min"):
        answer = client.put(
            f"/api/v1/alerts/{ID_A}/assignee", json={"to": name}, headers=client.as_("analyst")
        )
        assert answer.status_code == 422
        assert name not in answer.text
    answer = client.put(
        f"/api/v1/alerts/{ID_C}/assignee", json={"to": "wang.min"}, headers=client.as_("analyst")
    )
    assert answer.json()["claimed_by"] == "wang.min"


def test_of_many_who_ask_at_once_each_gets_another_one(
    client: Client, engine: Engine, settings: ServingSettings
) -> None:
    assert client.tokens  # four alerts are published
    start = Barrier(6)

    def take(name: str) -> str | None:
        viewer = Viewer(name=name, role=Role.ANALYST, communities=None)
        start.wait()
        try:
            with write_transaction(engine) as session:
                return take_next(session, viewer=viewer, at=MORNING, settings=settings).alert_id
        except ProblemError:
            return None

    with ThreadPoolExecutor(6) as threads:
        taken = list(threads.map(take, (f"analyst-{n}" for n in range(6))))
    assert sorted(alert for alert in taken if alert) == sorted([ID_A, ID_B, ID_C, ID_D])
    assert taken.count(None) == 2


def test_the_database_itself_lets_one_claim_stand(client: Client, engine: Engine) -> None:
    client.post(claim_of(ID_A), headers=client.as_("analyst"))
    row = ClaimRow(
        alert_id=ID_A, community_id="C01", claimed_by="x", claimed_at=MORNING, expires_at=MORNING
    )
    with pytest.raises(IntegrityError), write_transaction(engine) as session:
        session.add(row)
