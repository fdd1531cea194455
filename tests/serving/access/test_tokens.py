"""Machines' tokens: named, for a while, narrower than their user, listed and revoked."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from serving.access.users.schemas import NewToken, UserChanges
from serving.access.users.service import add_user, change_user, disable_user, invite_user
from serving.access.users.sessions import change_password
from serving.access.users.tokens import issue_machine_token
from serving.context.settings import ServingSettings
from serving.database.engine import write_transaction
from tests.serving.conftest import Client, audited, log_in_by_link
from tests.serving.published import ID_A, MORNING

OWN = {"Sec-Fetch-Site": "same-origin"}
YEAR = timedelta(days=365)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def issue(client: Client, user: str, **fields: object) -> dict[str, object]:
    new = {"name": "gateway", "days": 30} | fields
    answer = client.post(f"/api/v1/users/{user}/tokens", json=new, headers=client.as_("admin"))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_anonymous_gets_no_token(client: Client) -> None:
    assert client.get("/api/v1/tokens").status_code == 401
    assert client.post("/api/v1/users/analyst-1/tokens", json={"name": "x"}).status_code == 401
    assert client.delete("/api/v1/tokens/1").status_code == 401
    assert client.post("/account/tokens", data={"name": "x"}).headers["location"] == "/login"


def test_only_an_administrator_issues_tokens_of_others(client: Client) -> None:
    answer = client.post(
        "/api/v1/users/analyst-1/tokens", json={"name": "x"}, headers=client.as_("analyst")
    )
    assert answer.status_code == 403


def test_a_token_is_named_used_listed_and_revoked(client: Client, engine: Engine) -> None:
    issued = issue(client, "analyst-1")
    assert issued["expires_at"] == "2026-08-04T09:00:00+08:00"
    assert (
        client.get("/api/v1/me", headers=bearer(str(issued["secret"]))).json()["name"]
        == "analyst-1"
    )
    listed = client.get("/api/v1/tokens?user=analyst-1", headers=client.as_("admin"))
    assert [(token["name"], token["last_used_at"]) for token in listed.json()["items"]] == [
        ("gateway", "2026-07-05T09:00:00+08:00"),
        ("", None),
    ]
    assert "fst_" not in listed.text
    assert (
        client.delete(f"/api/v1/tokens/{issued['id']}", headers=client.as_("admin")).status_code
        == 204
    )
    assert client.get("/api/v1/me", headers=bearer(str(issued["secret"]))).status_code == 401
    assert (
        client.delete(f"/api/v1/tokens/{issued['id']}", headers=client.as_("admin")).status_code
        == 404
    )
    assert (
        audited(engine, "token-issued")
        == audited(engine, "token-revoked")
        == [("admin-1", "analyst-1")]
    )


def test_everybody_sees_and_revokes_only_their_own(client: Client) -> None:
    mine, other = issue(client, "analyst-1"), issue(client, "engineer-1")
    listed = client.get("/api/v1/tokens?user=engineer-1", headers=client.as_("analyst")).json()[
        "items"
    ]
    assert {token["user"] for token in listed} == {"analyst-1"}
    assert (
        client.delete(f"/api/v1/tokens/{other['id']}", headers=client.as_("analyst")).status_code
        == 404
    )
    assert (
        client.delete(f"/api/v1/tokens/{mine['id']}", headers=client.as_("analyst")).status_code
        == 204
    )


def test_a_token_for_reading_changes_nothing(client: Client, engine: Engine) -> None:
    secret = str(issue(client, "analyst-1", read_only=True)["secret"])
    assert client.get("/api/v1/alerts", headers=bearer(secret)).status_code == 200
    answer = client.post(
        f"/api/v1/alerts/{ID_A}/dispositions", json={"result": "lawful"}, headers=bearer(secret)
    )
    assert answer.status_code == 403
    assert answer.json()["detail"] == "This token is for reading only."
    assert client.post("/login", data={"token": secret}, headers=OWN).status_code == 401
    assert audited(engine, "login-failed") == [("?", "?")]


def test_an_administrators_token_may_act_as_another_role(client: Client) -> None:
    secret = str(issue(client, "admin-1", role="engineer")["secret"])
    assert client.get("/api/v1/me", headers=bearer(secret)).json()["role"] == "engineer"
    assert client.get("/metrics", headers=bearer(secret)).status_code == 200
    assert client.get("/api/v1/users", headers=bearer(secret)).status_code == 403
    assert client.post("/login", data={"token": secret}, headers=OWN).status_code == 401


@pytest.mark.parametrize(
    ("user", "fields", "status"),
    [
        ("analyst-1", {"role": "admin"}, 422),
        ("officer-1", {"role": "analyst"}, 422),
        ("admin-1", {"role": "officer"}, 422),
        ("analyst-1", {"days": 366}, 422),
        ("analyst-1", {"days": 0}, 422),
        ("nobody", {}, 404),
    ],
)
def test_a_token_does_no_more_than_its_user(
    client: Client, user: str, fields: dict[str, object], status: int
) -> None:
    new = {"name": "gateway"} | fields
    answer = client.post(f"/api/v1/users/{user}/tokens", json=new, headers=client.as_("admin"))
    assert answer.status_code == status


def test_a_token_of_another_role_dies_with_its_users_rank(client: Client, engine: Engine) -> None:
    assert client.tokens
    with write_transaction(engine) as session:
        add_user(session, name="boss", role="admin", at=MORNING, actor="test")
        new = NewToken(name="x", role="engineer")  # type: ignore[arg-type]
        issued = issue_machine_token(
            session, user="boss", new=new, longest=YEAR, at=MORNING, actor="test"
        )
    assert client.get("/api/v1/me", headers=bearer(issued.secret)).status_code == 200
    with write_transaction(engine) as session:
        changes = UserChanges(role="analyst")  # type: ignore[arg-type]
        change_user(session, name="boss", changes=changes, at=MORNING, actor="test")
    assert client.get("/api/v1/me", headers=bearer(issued.secret)).status_code == 401


def narrowed(client: Client, role: str, **fields: object) -> dict[str, str]:
    """Return the header of a token of somebody with ``role`` that manages nothing."""
    return bearer(str(issue(client, f"{role}-1", **fields)["secret"]))


MANAGING = (
    ("POST", "/api/v1/users", {"name": "wu", "role": "engineer"}),
    ("PATCH", "/api/v1/users/analyst-1", {"role": "engineer"}),
    ("POST", "/api/v1/users/analyst-1/tokens", {"name": "x", "days": 80}),
    ("POST", "/api/v1/users/admin-1/tokens", {"name": "x", "days": 80, "manages": True}),
)


@pytest.mark.parametrize(("method", "path", "body"), MANAGING)
def test_only_a_token_that_was_issued_for_it_gives_out_others(
    client: Client, method: str, path: str, body: dict[str, object] | None
) -> None:
    assert client.request(method, path, json=body).status_code == 401
    headers = narrowed(client, "admin")
    answer = client.request(method, path, json=body, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["detail"].endswith("not managed with this token.")
    # What stops a leak needs no such token
    assert client.delete("/api/v1/users/engineer-1", headers=headers).status_code == 204
    assert client.request(method, path, json=body, headers=client.as_("admin")).status_code < 300


PAGES = (
    ("/account/tokens", {"name": "x"}),
    ("/account/password", {"new": "staple of another kind", "again": "staple of another kind"}),
    ("/users", {"name": "wu", "role": "admin"}),
    ("/users/analyst-1", {"role": "admin"}),
    ("/users/analyst-1/restore", {}),
    ("/users/analyst-1/invitation", {}),
    ("/users/analyst-1/unlock", {}),
    ("/users/analyst-1/tokens", {"name": "x"}),
)


@pytest.mark.parametrize(("path", "form"), PAGES)
@pytest.mark.parametrize("cookie", ["", "anything"])
def test_no_page_gives_a_narrow_token_more_than_it_has(
    client: Client, engine: Engine, path: str, form: dict[str, str], cookie: str
) -> None:
    headers = narrowed(client, "admin")
    if cookie:  # of whatever kind: it does not make a login of a token
        client.cookies.set("forestall_session", cookie)
    answer = client.post(path, data=form, headers=OWN | headers)
    assert answer.status_code in {303, 403}
    assert answer.headers.get("location", "/login") == "/login"
    client.cookies.clear()
    # A login with the token does no more than the token
    secret = headers["Authorization"].removeprefix("Bearer ")
    assert client.post("/login", data={"token": secret}, headers=OWN).status_code == 303
    assert client.post(path, data=form, headers=OWN).status_code == 403
    assert audited(engine, "token-issued") == [("admin-1", "admin-1")]
    assert audited(engine, "password-changed") == audited(engine, "user-reset") == []


def test_what_a_token_gives_out_ends_with_it(client: Client) -> None:
    first = issue(client, "admin-1", days=20, manages=True)
    headers = bearer(str(first["secret"]))
    path = "/api/v1/users/admin-1/tokens"
    new = {"name": "y", "days": 21}
    longer = client.post(path, json=new, headers=headers).json()
    assert longer["expires_at"] == first["expires_at"] == "2026-07-25T09:00:00+08:00"
    second = client.post(path, json=new | {"days": 19, "manages": True}, headers=headers).json()
    deeper = bearer(second["secret"])
    third = client.post(path, json=new | {"days": 18}, headers=deeper).json()
    added = client.post(
        "/api/v1/users", json={"name": "wu", "role": "analyst"}, headers=deeper
    ).json()
    descendants = [deeper, bearer(third["secret"]), bearer(added["token"])]
    assert [client.get("/api/v1/me", headers=one).status_code for one in descendants] == [200] * 3
    client.post("/login", data={"token": second["secret"]}, headers=OWN)
    assert client.get("/account").status_code == 200
    client.delete(f"/api/v1/tokens/{first['id']}", headers=client.as_("admin"))
    assert [client.get("/api/v1/me", headers=one).status_code for one in descendants] == [401] * 3
    assert client.get("/account").headers["location"] == "/login"


def shut_out(engine: Engine, name: str) -> None:
    with write_transaction(engine) as session:
        disable_user(session, name=name, at=MORNING, actor="test")


def reset(engine: Engine, name: str) -> None:
    with write_transaction(engine) as session:
        lifetime = timedelta(hours=1)
        invite_user(session, name=name, lifetime=lifetime, at=MORNING, actor="test")


def choose_anew(engine: Engine, name: str) -> None:
    change_password(
        engine,
        settings=ServingSettings(database_url=str(engine.url)),
        name=name,
        current=None,
        new="staple of another kind",
        address="",
        at=MORNING,
    )


@pytest.mark.parametrize("end", [shut_out, reset, choose_anew])
def test_all_that_came_of_a_token_ends_with_it_whoever_holds_it(
    client: Client, engine: Engine, end: Callable[[Engine, str], None]
) -> None:
    new = {"name": "x", "days": 9, "manages": True}
    for name in ("boss-1", "boss-2"):
        with write_transaction(engine) as session:
            add_user(session, name=name, role="admin", at=MORNING, actor="test")
    line = [bearer(str(issue(client, "boss-1", manages=True)["secret"]))]
    for name in ("boss-2", "boss-2", "analyst-1"):
        path = f"/api/v1/users/{name}/tokens"
        line.append(bearer(client.post(path, json=new, headers=line[-1]).json()["secret"]))
    apart = bearer(str(issue(client, "boss-2")["secret"]))
    assert [client.get("/api/v1/me", headers=one).status_code for one in line] == [200] * 4
    end(engine, "boss-1")
    assert [client.get("/api/v1/me", headers=one).status_code for one in line] == [401] * 4
    listed = client.get("/api/v1/tokens", headers=client.as_("admin")).json()["items"]
    assert [token["name"] for token in listed if token["name"]] == ["gateway"]
    assert client.get("/api/v1/me", headers=apart).status_code == 200


def test_a_token_whose_ancestor_far_above_ended_is_no_good(client: Client, engine: Engine) -> None:
    """So it is whatever the tokens between say, as in a database of before."""
    first = issue(client, "admin-1", manages=True)
    line = [bearer(str(first["secret"]))]
    for _ in range(3):
        path, new = "/api/v1/users/admin-1/tokens", {"name": "x", "days": 9, "manages": True}
        line.append(bearer(client.post(path, json=new, headers=line[-1]).json()["secret"]))
    for change in ("revoked_at = :at", "revoked_at = NULL, expires_at = :at"):
        with engine.begin() as connection:
            connection.execute(
                text(f"UPDATE tokens SET {change} WHERE id = :id"),
                {"at": "2026-07-05 00:00:00+00:00", "id": first["id"]},
            )
        assert [client.get("/api/v1/me", headers=one).status_code for one in line] == [401] * 4


OUTLIVING = (
    ("POST", "/api/v1/users", {"name": "evil", "role": "admin"}),
    ("PATCH", "/api/v1/users/analyst-1", {"role": "admin"}),
    ("PATCH", "/api/v1/users/boss", {"disabled": False}),
    ("POST", "/api/v1/users/analyst-1/invitation", None),
    ("POST", "/api/v1/users/admin-1/invitation", None),
)
OUTLIVING_PAGES = (
    ("/users", {"name": "evil", "role": "analyst"}),
    ("/users/analyst-1", {"role": "admin"}),
    ("/users/boss/restore", {}),
    ("/users/analyst-1/invitation", {}),
    ("/users/analyst-1/factor/remove", {}),
    ("/account/password", {"new": "staple of another kind", "again": "staple of another kind"}),
    ("/account/factor", {}),
    ("/account/factor/confirm", {"code": "123456"}),
    ("/account/factor/remove", {"code": "123456"}),
)


@pytest.fixture
def boss(engine: Engine, client: Client) -> str:
    """Give an administrator who is shut out."""
    assert client.tokens
    with write_transaction(engine) as session:
        add_user(session, name="boss", role="admin", at=MORNING, actor="test")
        disable_user(session, name="boss", at=MORNING, actor="test")
    return "boss"


@pytest.mark.usefixtures("boss")
@pytest.mark.parametrize(("method", "path", "body"), OUTLIVING)
def test_a_managing_token_makes_nothing_that_outlives_it(
    client: Client, method: str, path: str, body: dict[str, object] | None
) -> None:
    assert client.request(method, path, json=body).status_code == 401
    answer = client.request(method, path, json=body, headers=client.as_("admin"))
    assert answer.status_code == 403
    assert answer.json()["detail"].endswith("not managed with a token.")
    # What ends with it, it does make
    new = {"name": "wu", "role": "analyst"}
    added = client.post("/api/v1/users", json=new, headers=client.as_("admin"))
    assert added.status_code == 201
    changed = client.patch(
        "/api/v1/users/wu", json={"role": "engineer"}, headers=client.as_("admin")
    )
    assert changed.json()["role"] == "engineer"


@pytest.mark.usefixtures("boss")
@pytest.mark.parametrize(("path", "form"), OUTLIVING_PAGES)
def test_a_login_with_a_managing_token_makes_nothing_that_outlives_it(
    client: Client, engine: Engine, path: str, form: dict[str, str]
) -> None:
    assert client.post(path, data=form).headers["location"] == "/login"
    client.post("/login", data={"token": client.tokens["admin"]}, headers=OWN)
    assert client.get("/users").status_code == 200
    assert client.post(path, data=form, headers=OWN).status_code == 403
    assert audited(engine, "user-changed") == audited(engine, "password-changed") == []
    assert client.get("/api/v1/users/evil", headers=client.as_("admin")).status_code == 404


def test_who_has_logged_in_makes_an_administrator(client: Client, engine: Engine) -> None:
    log_in_by_link(client, engine, "admin-1")
    answer = client.post("/api/v1/users", json={"name": "wu", "role": "admin"}, headers=OWN)
    assert answer.status_code == 201
    assert client.post("/api/v1/users/wu/invitation", headers=OWN).status_code == 201


@pytest.mark.parametrize("path", ["/account", "/users/analyst-1"])
def test_a_token_that_was_used_is_shown_where_it_is_revoked(client: Client, path: str) -> None:
    assert client.get(path).headers["location"] == "/login"
    role = "analyst" if path == "/account" else "admin"
    secret = str(issue(client, "analyst-1", name="leaked")["secret"])
    assert client.get("/api/v1/me", headers=bearer(secret)).status_code == 200
    client.post("/login", data={"token": client.tokens[role]}, headers=OWN)
    page = client.get(path)
    assert page.status_code == 200
    assert "leaked" in page.text
    assert "7月5日 09:00" in page.text


def test_the_page_of_the_account_shows_a_new_token_once(client: Client) -> None:
    client.post("/login", data={"token": client.tokens["analyst"]}, headers=OWN)
    page = client.post(
        "/account/tokens", data={"name": "短信网关", "days": 30, "read_only": "true"}, headers=OWN
    ).text
    assert page.count("fst_") == 1
    page = client.get("/account").text
    assert "短信网关" in page
    assert "只读" in page
    assert "fst_" not in page
    (token_id,) = {part.split("/")[0] for part in page.split("/account/tokens/")[1:2]}
    assert client.post(f"/account/tokens/{token_id}/revoke", headers=OWN).status_code == 303
    assert "短信网关" not in client.get("/account").text


def test_a_token_that_was_not_issued_for_it_adds_no_receiver(client: Client) -> None:
    receiver = {"url": "https://push.example.com/forestall"}
    assert client.post("/api/v1/webhooks", json=receiver).status_code == 401
    plain = bearer(issue(client, "admin-1", name="plain")["secret"])
    assert client.post("/api/v1/webhooks", json=receiver, headers=plain).status_code == 403
