"""Tokens and cookies: what opens nothing, what ends, and who is disabled."""

from datetime import datetime, timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from serving.access.auth import COOKIE
from serving.access.users.service import invite_user
from serving.app import create_app
from serving.context.settings import ServingSettings
from serving.database.engine import write_transaction
from tests.serving.conftest import Client, a_client, audited, use_link
from tests.serving.published import ID_A, MORNING

OWN = {"Sec-Fetch-Site": "same-origin"}


class Hours:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.at = MORNING

    def __call__(self) -> datetime:
        """Return the time it was set to."""
        return self.at

    def pass_(self, **span: float) -> None:
        """Let time go by."""
        self.at += timedelta(**span)


@pytest.fixture
def hours() -> Hours:
    """Give a clock at nine in the morning."""
    return Hours()


@pytest.fixture
def later(settings: ServingSettings, engine: Engine, hours: Hours) -> Client:
    """Give a client of an application whose clock can be set."""
    return a_client(create_app(settings=settings, clock=hours), engine)


@pytest.mark.parametrize("token", ["fst_unknown", "", "x" * 5000])
def test_a_token_that_is_no_good_opens_nothing(client: Client, token: str) -> None:
    answer = client.get("/api/v1/alerts", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="forestall"'


def test_a_disabled_user_is_out_at_once(client: Client, engine: Engine) -> None:
    client.post("/login", data={"token": client.tokens["analyst"]}, headers=OWN)
    assert client.delete("/api/v1/users/analyst-1", headers=client.as_("admin")).status_code == 204
    assert client.get("/api/v1/alerts", headers=client.as_("analyst")).status_code == 401
    assert client.get("/").headers["location"] == "/login"
    assert audited(engine, "user-revoked") == [("admin-1", "analyst-1")]


def test_a_session_ends_when_nobody_uses_it(later: Client, hours: Hours) -> None:
    later.post("/login", data={"token": later.tokens["analyst"]}, headers=OWN)
    for _ in range(3):
        hours.pass_(minutes=59)
        assert later.get("/account").status_code == 200
    hours.pass_(minutes=60)
    assert later.get("/account").headers["location"] == "/login"


def test_a_page_that_listens_does_not_keep_a_session_alive(later: Client, hours: Hours) -> None:
    later.post("/login", data={"token": later.tokens["analyst"]}, headers=OWN)
    for _ in range(4):
        hours.pass_(minutes=14)
        assert later.get("/api/v1/me", headers={"Accept": "text/event-stream"}).status_code == 200
    hours.pass_(minutes=4)
    assert later.get("/account").status_code == 303


def test_a_session_ends_at_its_age_however_busy(later: Client, hours: Hours) -> None:
    later.post("/login", data={"token": later.tokens["analyst"]}, headers=OWN)
    for _ in range(23):
        hours.pass_(minutes=30)
        assert later.get("/account").status_code == 200
    hours.pass_(minutes=30)
    assert later.get("/account").status_code == 303


def test_a_machines_token_does_not_end_for_lying_idle(later: Client, hours: Hours) -> None:
    hours.pass_(days=89)
    assert later.get("/api/v1/me", headers=later.as_("analyst")).status_code == 200
    hours.pass_(days=1)
    assert later.get("/api/v1/me", headers=later.as_("analyst")).status_code == 401


def test_an_invitation_opens_the_choice_of_a_password_and_nothing_else(
    client: Client, engine: Engine
) -> None:
    with write_transaction(engine) as session:
        link = invite_user(
            session, name="analyst-1", lifetime=timedelta(hours=1), at=MORNING, actor="test"
        ).path
    answer = use_link(client, link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    page = client.get("/account")
    assert page.status_code == 200
    assert "请先设置密码" in page.text
    for path in ("/", f"/alerts/{ID_A}", "/api/v1/me", "/api/v1/alerts"):
        assert client.get(path).status_code in {303, 401}
    assert (
        client.post("/account/tokens", data={"name": "x"}, headers=OWN).headers["location"]
        == "/login"
    )
    cookie = client.cookies[COOKIE]
    assert (
        client.get("/api/v1/me", headers={"Authorization": f"Bearer {cookie}"}).status_code == 401
    )


def test_who_only_looks_at_a_link_uses_nothing_up_and_leaves_no_trace(
    client: Client, engine: Engine
) -> None:
    with write_transaction(engine) as session:
        link = invite_user(
            session, name="analyst-1", lifetime=timedelta(hours=1), at=MORNING, actor="test"
        ).path
    for _ in range(3):
        for way in ("GET", "HEAD"):
            answer = client.request(way, link, headers={"Sec-Fetch-Site": "cross-site"})
            assert "set-cookie" not in answer.headers
        client.get("/login?token=fst_made_up")
    assert audited(engine, "login") == audited(engine, "login-failed") == []
    assert use_link(client, link).headers["location"] == "/account"
    assert use_link(client, link).status_code == 401  # and then it is used up
    form = {"link": link.partition("token=")[2]}
    other = client.post("/login", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert other.status_code == 403


def test_made_up_tokens_lock_their_address_and_fill_no_trail(
    client: Client, engine: Engine
) -> None:
    statuses = [
        client.post("/login", data={"token": f"fst_{number}"}, headers=OWN).status_code
        for number in range(33)
    ]
    assert statuses == [401] * 30 + [429] * 3
    assert len(audited(engine, "login-failed")) == 30


def test_a_session_is_no_bearer_token_and_a_bearer_token_no_session(client: Client) -> None:
    client.post("/login", data={"token": client.tokens["analyst"]}, headers=OWN)
    cookie = client.cookies[COOKIE]
    assert (
        client.get("/api/v1/me", headers={"Authorization": f"Bearer {cookie}"}).status_code == 401
    )
    client.cookies.clear()
    client.cookies.set(COOKIE, client.tokens["analyst"])
    assert client.get("/api/v1/me").status_code == 401


def test_the_cookie_goes_over_tls_only_where_that_is_set(url: str, engine: Engine) -> None:
    app: FastAPI = create_app(
        settings=ServingSettings(database_url=url, secure_cookies=True), clock=lambda: MORNING
    )
    client = a_client(app, engine)
    answer = client.post("/login", data={"token": client.tokens["analyst"]}, headers=OWN)
    assert "; Secure" in answer.headers["set-cookie"]
