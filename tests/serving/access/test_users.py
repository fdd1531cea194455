"""Users and their tokens."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from serving.access.users.service import add_user, list_users
from serving.access.users.sessions import OpenedSession, open_session
from serving.access.users.tokens import issue_token
from serving.context.settings import ServingSettings
from serving.database.engine import read_transaction, write_transaction
from serving.http.errors import ProblemError
from serving.http.paging import encode_cursor
from serving.vocabulary.roles import Role
from tests.serving.conftest import Client
from tests.serving.published import MIDNIGHT

OWN = {"Sec-Fetch-Site": "same-origin"}
NEW = {"name": "wang.fang", "role": "officer", "communities": ["C02", "C01", "C01"]}


def test_anonymous_sees_no_users(client: Client) -> None:
    assert client.get("/api/v1/users").status_code == 401
    assert client.post("/api/v1/users", json=NEW).status_code == 401
    assert client.delete("/api/v1/users/analyst-1").status_code == 401
    assert client.get("/api/v1/me").status_code == 401


def test_a_new_user_comes_in_with_the_token_shown_once(client: Client) -> None:
    added = client.post("/api/v1/users", json=NEW, headers=client.as_("admin"))
    assert added.status_code == 201
    assert added.json()["communities"] == ["C01", "C02"]
    me = client.get(
        "/api/v1/me", headers={"Authorization": f"Bearer {added.json()['token']}"}
    ).json()
    assert me == {"name": "wang.fang", "role": "officer", "communities": ["C01", "C02"]}
    listed = client.get("/api/v1/users", headers=client.as_("admin"))
    assert "fst_" not in listed.text
    assert [user["name"] for user in listed.json()["items"]] == [
        "admin-1",
        "analyst-1",
        "engineer-1",
        "officer-1",
        "wang.fang",
    ]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"name": "analyst-1"}, 409),
        ({"communities": []}, 422),
        ({"role": "chief"}, 422),
        ({"name": "a b"}, 422),
    ],
)
def test_a_user_that_cannot_be_is_refused(
    client: Client, changes: dict[str, object], status: int
) -> None:
    assert (
        client.post("/api/v1/users", json=NEW | changes, headers=client.as_("admin")).status_code
        == status
    )


def test_an_unknown_user_cannot_be_revoked(client: Client) -> None:
    assert client.delete("/api/v1/users/nobody", headers=client.as_("admin")).status_code == 404


def test_the_database_keeps_no_token(engine: Engine) -> None:
    with write_transaction(engine) as session:
        token = add_user(session, name="li", role="analyst", at=MIDNIGHT, actor="test")
    with engine.connect() as connection:
        (digest,) = connection.execute(text("SELECT digest FROM tokens")).scalars()
    assert token not in digest
    assert len(digest) == 64


def test_names_are_taken_once_and_officers_have_communities(engine: Engine) -> None:
    with write_transaction(engine) as session:
        add_user(session, name="li", role=Role.ANALYST, at=MIDNIGHT, actor="test")
        with pytest.raises(ProblemError, match="exists already"):
            add_user(session, name="li", role=Role.ANALYST, at=MIDNIGHT, actor="test")
        with pytest.raises(ProblemError, match="at least one community"):
            add_user(session, name="wu", role=Role.OFFICER, at=MIDNIGHT, actor="test")
        with pytest.raises(ProblemError, match="There is no user"):
            issue_token(session, name="nobody", at=MIDNIGHT)
    with read_transaction(engine) as session:
        assert [(user.name, user.role) for user in list_users(session)] == [("li", "analyst")]


def test_a_login_token_works_once_and_for_half_an_hour(
    engine: Engine, settings: ServingSettings
) -> None:
    def exchange(secret: str, minutes: int) -> OpenedSession | None:
        at = MIDNIGHT + timedelta(minutes=minutes)
        with write_transaction(engine) as session:
            return open_session(session, secret=secret, kinds=("login",), settings=settings, at=at)

    with write_transaction(engine) as session:
        bearer = add_user(session, name="li", role="analyst", at=MIDNIGHT, actor="test")
        first, second = (
            issue_token(session, name="li", at=MIDNIGHT, kind="login") for _ in range(2)
        )
    assert exchange(first, 29) is not None
    assert exchange(first, 29) is None
    assert exchange(second, 30) is None
    assert exchange(bearer, 1) is None


def test_users_come_page_by_page_and_can_be_filtered(client: Client) -> None:
    def names(**query: object) -> list[str]:
        answer = client.get("/api/v1/users", params=query, headers=client.as_("admin"))  # type: ignore[arg-type]
        assert answer.status_code == 200
        return [user["name"] for user in answer.json()["items"]]

    first = client.get("/api/v1/users?limit=3", headers=client.as_("admin")).json()
    assert [user["name"] for user in first["items"]] == ["admin-1", "analyst-1", "engineer-1"]
    assert names(limit=3, cursor=first["next_cursor"]) == ["officer-1"]
    assert names(role="engineer") == ["engineer-1"]
    assert client.delete("/api/v1/users/officer-1", headers=client.as_("admin")).status_code == 204
    assert names(active=False) == ["officer-1"]
    assert names(active=True) == ["admin-1", "analyst-1", "engineer-1"]


def test_a_cursor_with_what_no_database_holds_is_refused(client: Client) -> None:
    cursor = encode_cursor("a\0")
    answer = client.get("/api/v1/users", params={"cursor": cursor}, headers=client.as_("admin"))
    assert answer.status_code == 400


def test_tokens_come_page_by_page(client: Client) -> None:
    first = client.get("/api/v1/tokens?limit=3", headers=client.as_("admin")).json()
    rest = client.get(
        f"/api/v1/tokens?cursor={first['next_cursor']}", headers=client.as_("admin")
    ).json()
    users = [token["user"] for token in first["items"] + rest["items"]]
    assert (sorted(users), rest["next_cursor"]) == (
        ["admin-1", "analyst-1", "engineer-1", "officer-1"],
        None,
    )


@pytest.mark.parametrize("name", [".", "..", "ａna", "ana．li", "ﬁn"])
def test_a_name_that_cannot_be_told_from_another_is_refused(client: Client, name: str) -> None:
    new = {"name": name, "role": "analyst"}
    assert client.post("/api/v1/users", json=new).status_code == 401
    answer = client.post("/api/v1/users", json=new, headers=client.as_("admin"))
    assert answer.status_code == 422
    plain = {"name": "王芳.li", "role": "analyst"}
    assert client.post("/api/v1/users", json=plain, headers=client.as_("admin")).status_code == 201


@pytest.mark.parametrize("name", ["张 三", "", "a/b", "x" * 61, "li\nwei"])
def test_the_terminal_takes_no_name_that_the_page_refuses(client: Client, name: str) -> None:
    engine = client.app.state.services.engine  # type: ignore[attr-defined]
    with pytest.raises(ProblemError, match="letters, digits"), write_transaction(engine) as session:
        add_user(session, name=name, role="analyst", at=MIDNIGHT, actor="test")


def test_a_user_of_a_name_that_was_once_taken_is_shown_and_shut_out(
    client: Client, engine: Engine
) -> None:
    renamed = text("UPDATE users SET name = '张 三' WHERE name = 'analyst-1'")
    with engine.begin() as connection:
        connection.execute(renamed)
    admin = client.as_("admin")
    listed = client.get("/api/v1/users", headers=admin)
    assert "张 三" in [user["name"] for user in listed.json()["items"]]
    assert client.get("/api/v1/me", headers=client.as_("analyst")).json()["name"] == "张 三"
    issued = client.post("/api/v1/users/张 三/tokens", json={"name": "x", "days": 1}, headers=admin)
    assert (issued.status_code, issued.json()["user"]) == (201, "张 三")
    client.post("/login", data={"token": client.tokens["admin"]}, headers=OWN)
    assert "张 三" in client.get("/users").text
    assert client.get("/users/张 三").status_code == 200
    assert client.delete("/api/v1/users/张 三", headers=admin).status_code == 204
