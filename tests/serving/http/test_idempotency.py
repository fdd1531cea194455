"""A write sent twice with one key is done once, and the answer comes again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from sqlalchemy import Engine, func, select, text

from serving.app import create_app
from serving.context.settings import ServingSettings
from serving.database.engine import read_transaction
from serving.database.tables import KeptAnswerRow
from serving.http.idempotency import WRITES
from serving.http.routing import ApiRoute
from tests.serving.conftest import Client, OpenVault, a_client, audited
from tests.serving.published import ID_A, MORNING

KEY = "6f1c2a52-3d4b-4b0a-9a55-0f2c1d7e8b90"
WHY = {"reason": "核实可疑号码"}
NEW_USER = {"name": "zhao.min", "role": "analyst"}


def with_key(client: Client, role: str = "admin", key: str = KEY) -> dict[str, str]:
    return client.as_(role) | {"Idempotency-Key": key}


def kept(engine: Engine) -> int:
    with read_transaction(engine) as session:
        return session.scalar(select(func.count()).select_from(KeptAnswerRow)) or 0


def test_nobody_is_told_anything_for_a_key(client: Client) -> None:
    assert (
        client.post("/api/v1/users", json=NEW_USER, headers={"Idempotency-Key": KEY}).status_code
        == 401
    )
    assert (
        client.post("/api/v1/users", json=NEW_USER, headers=with_key(client, "analyst")).status_code
        == 403
    )


def test_the_same_write_again_gives_the_same_answer_and_adds_nobody(
    client: Client, engine: Engine
) -> None:
    first = client.post("/api/v1/users", json=NEW_USER, headers=with_key(client))
    again = client.post("/api/v1/users", json=NEW_USER, headers=with_key(client))
    assert first.status_code == again.status_code == 201
    assert again.json() == first.json()
    assert again.json()["token"].startswith("fst_")
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["content-type"] == "application/json"
    assert [subject for _, subject in audited(engine, "user-added")].count("zhao.min") == 1
    assert audited(engine, "replay") == [("admin-1", "/api/v1/users")]


def test_an_answer_without_a_body_comes_again_too(client: Client) -> None:
    path = "/api/v1/users/analyst-1"
    statuses = [client.delete(path, headers=with_key(client)).status_code for _ in range(2)]
    assert statuses == [204, 204]


def test_the_key_of_another_request_is_refused(client: Client) -> None:
    client.post("/api/v1/users", json=NEW_USER, headers=with_key(client))
    other = client.post(
        "/api/v1/users", json=NEW_USER | {"role": "engineer"}, headers=with_key(client)
    )
    assert other.status_code == 422
    assert other.json()["remedy"] == "Send a fresh key with each new write."


def test_two_people_may_choose_the_same_key(wary: Client, engine: Engine) -> None:
    path = "/api/v1/suspects/n1_aa/reveal"
    answers = [
        wary.post(path, json=WHY, headers=with_key(wary, role)) for role in ("analyst", "admin")
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert ["idempotency-replayed" in answer.headers for answer in answers] == [False, False]
    assert audited(engine, "reveal") == [("analyst-1", "n1_aa"), ("admin-1", "n1_aa")]


def test_a_refused_write_keeps_nothing_and_may_be_tried_again(
    client: Client, engine: Engine
) -> None:
    wrong = client.post("/api/v1/users", json=NEW_USER | {"role": "king"}, headers=with_key(client))
    assert (wrong.status_code, kept(engine)) == (422, 0)
    assert client.post("/api/v1/users", json=NEW_USER, headers=with_key(client)).status_code == 201


def test_the_database_holds_neither_the_key_nor_the_answer(client: Client, engine: Engine) -> None:
    token = client.post("/api/v1/users", json=NEW_USER, headers=with_key(client)).json()["token"]
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM kept_answers")).one()
    assert not any(secret in repr(value) for value in row for secret in (KEY, token, "zhao.min"))


def test_another_token_of_the_same_user_does_not_open_the_answer(
    client: Client, engine: Engine
) -> None:
    from serving.access.users.service import issue_token
    from serving.database.engine import write_transaction

    client.post("/api/v1/users", json=NEW_USER, headers=with_key(client))
    with write_transaction(engine) as session:
        fresh = issue_token(session, name="admin-1", at=MORNING, manages=True)
    headers = {"Authorization": f"Bearer {fresh}", "Idempotency-Key": KEY}
    answer = client.post("/api/v1/users", json=NEW_USER, headers=headers)
    assert answer.status_code == 409
    assert "under another token" in answer.json()["detail"]


@pytest.mark.parametrize(
    "changes", [{"communities": ["C02"]}, {"role": "engineer"}, {"role": "analyst"}]
)
def test_a_name_does_not_come_back_to_whom_it_is_not_shown_any_more(
    client: Client, changes: dict[str, object]
) -> None:
    path = f"/api/v1/alerts/{ID_A}/reveal"
    headers = client.as_("officer") | {"Idempotency-Key": KEY}
    assert client.post(path, json=WHY).status_code == 401
    assert client.post(path, json=WHY, headers=headers).json()["name"] == "张三"
    again = client.post(path, json=WHY, headers=headers)
    assert (again.json()["name"], again.headers["idempotency-replayed"]) == ("张三", "true")
    changed = client.patch("/api/v1/users/officer-1", json=changes, headers=client.as_("admin"))
    assert changed.status_code == 200
    answer = client.post(path, json=WHY, headers=headers)
    assert answer.status_code in {403, 409}
    assert "张三" not in answer.text


def test_a_key_is_forgotten_after_a_day(engine: Engine, url: str) -> None:
    hours = iter([0, 0, 25])
    moments: Iterator[datetime] = (MORNING + timedelta(hours=hour) for hour in hours)
    now = MORNING

    def clock() -> datetime:
        return now

    app = create_app(settings=ServingSettings(database_url=url), vault=OpenVault(), clock=clock)
    client = a_client(app, engine)
    for expected in (201, 201, 409):  # the third time the name is taken
        now = next(moments)
        answer = client.post("/api/v1/users", json=NEW_USER, headers=with_key(client))
        assert answer.status_code == expected


def test_while_it_is_worked_on_the_same_key_waits(
    client: Client, app: FastAPI, engine: Engine
) -> None:
    entered, leave = Event(), Event()

    class SlowVault(OpenVault):
        def reveal(self, kind, keys, /):  # type: ignore[no-untyped-def]
            entered.set()
            assert leave.wait(10)
            return super().reveal(kind, keys)

    from serving.publishing import publish_suspects
    from tests.serving.conftest import SUSPECTS
    from tests.serving.published import MIDNIGHT

    publish_suspects(engine, at=MIDNIGHT, suspects=SUSPECTS)
    object.__setattr__(app.state.services, "vault", SlowVault())
    path = "/api/v1/suspects/n1_aa/reveal"
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.post, path, json=WHY, headers=with_key(client))
        assert entered.wait(10)
        second = client.post(path, json=WHY, headers=with_key(client))
        leave.set()
        assert first.result().status_code == 200
    assert second.status_code == 409
    assert second.json()["detail"] == "The same write is being worked on."
    third = client.post(path, json=WHY, headers=with_key(client))
    assert (third.status_code, third.headers["idempotency-replayed"]) == (200, "true")


@pytest.mark.parametrize("key", ["x" * 201, "two words", "é"])
def test_a_key_that_is_none_is_refused(client: Client, key: str) -> None:
    headers = client.as_("admin") | {"Idempotency-Key": key.encode()}  # type: ignore[dict-item]
    assert client.post("/api/v1/users", json=NEW_USER, headers=headers).status_code == 422


def test_every_write_of_the_api_takes_a_key(app: FastAPI) -> None:
    writes = [
        route
        for route in iter_route_contexts(app.routes)
        if str(route.path).startswith("/api/") and WRITES & set(route.methods or ())
    ]
    assert len(writes) >= 4
    assert [route.path for route in writes if not isinstance(route.original_route, ApiRoute)] == []
