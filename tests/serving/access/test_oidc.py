"""Logging in through an OpenID Connect provider, against a real one on the loopback."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlalchemy import Engine

from serving.access.users.oidc import CALLBACK
from serving.access.users.service import add_user
from serving.app import create_app
from serving.context.settings import ServingSettings
from serving.database.engine import read_transaction, write_transaction
from serving.database.tables import UserRow
from tests.serving.access.oidc_provider import CLIENT_SECRET, Provider, a_key, serving
from tests.serving.conftest import Client, a_client, audited, log_in_by_link
from tests.serving.published import MORNING

OWN = {"Sec-Fetch-Site": "same-origin"}
AWAY = {"Sec-Fetch-Site": "cross-site"}


@pytest.fixture
def provider() -> Iterator[Provider]:
    """Give a provider at whose desk wang.fang, an analyst, has just logged in."""
    with serving(Provider(clock=lambda: MORNING)) as provider:
        yield provider


@pytest.fixture
def client(url: str, staff: Mapping[str, str], provider: Provider) -> Client:
    """Give a browser of an application that trusts the provider."""
    settings = ServingSettings(
        database_url=url,
        oidc_issuer=provider.address,
        oidc_client_secret=CLIENT_SECRET,  # type: ignore[arg-type]
        public_url="http://testserver/",
    )
    return a_client(create_app(settings=settings, clock=lambda: MORNING), staff)


def leave(client: Client) -> str:
    """Go to the provider and return where it sends the browser back to."""
    away = client.get("/login/provider")
    assert away.status_code == 303
    back = requests.get(away.headers["location"], allow_redirects=False, timeout=5)
    return back.headers["location"]


def come_in(client: Client) -> Any:
    return client.get(leave(client), headers=AWAY)


def user(engine: Engine, name: str) -> UserRow | None:
    with read_transaction(engine) as session:
        return session.query(UserRow).filter(UserRow.name == name).one_or_none()


def test_the_login_page_leads_to_the_provider(client: Client) -> None:
    assert 'href="/login/provider"' in client.get("/login").text
    away = client.get("/login/provider")
    asked = {
        name: values[0]
        for name, values in parse_qs(urlsplit(away.headers["location"]).query).items()
    }
    assert asked["redirect_uri"] == f"http://testserver{CALLBACK}"
    assert (asked["response_type"], asked["scope"]) == ("code", "openid profile")
    assert asked["code_challenge_method"] == "S256"
    cookie = away.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert asked["code_challenge"] not in cookie


def test_a_first_login_adds_the_user(client: Client, engine: Engine) -> None:
    answer = come_in(client)
    assert answer.status_code == 200
    assert 'content="0;url=/"' in answer.text
    assert client.get("/account").status_code == 200
    added = user(engine, "wang.fang")
    assert added is not None
    assert (added.role, added.password_hash) == ("analyst", None)
    assert ("identity provider", "wang.fang") in audited(engine, "user-added")
    assert audited(engine, "login") == [("wang.fang", "wang.fang")]


def test_claims_give_role_and_communities_at_every_login(
    client: Client, engine: Engine, provider: Provider
) -> None:
    come_in(client)
    provider.claims |= {
        "roles": "forestall-officer other",
        "communities": ["C02", "C01"],
        "preferred_username": "w.f",
    }
    come_in(client)
    changed = user(engine, "wang.fang")  # the name of the first login stays: it stands in the trail
    assert changed is not None
    assert (changed.role, sorted(item.community_id for item in changed.communities)) == (
        "officer",
        ["C01", "C02"],
    )
    assert user(engine, "w.f") is None
    assert audited(engine, "user-changed") == [("identity provider", "wang.fang")]
    come_in(client)
    assert len(audited(engine, "user-changed")) == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"roles": []},
        {"roles": ["somebody"]},
        {"roles": ["forestall-officer"]},
        {"preferred_username": ""},
    ],
)
def test_an_account_without_a_role_here_does_not_come_in(
    client: Client, engine: Engine, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.claims |= claims
    answer = come_in(client)
    assert answer.status_code == 403
    assert "没有角色" in answer.text
    assert audited(engine, "login-failed") == [("?", "?")]
    assert client.get("/account").status_code == 303
    assert user(engine, "wang.fang") is None


def test_a_local_users_name_is_not_taken_over(client: Client, engine: Engine) -> None:
    with write_transaction(engine) as session:
        add_user(session, name="wang.fang", role="admin", at=MORNING, actor="test")
    assert come_in(client).status_code == 403
    local = user(engine, "wang.fang")
    assert local is not None
    assert (local.role, local.subject) == ("admin", None)


def test_a_disabled_user_stays_out_and_has_no_password(client: Client, engine: Engine) -> None:
    come_in(client)
    page = client.post("/account/password", data={"new": "x" * 20, "again": "x" * 20}, headers=OWN)
    assert page.status_code == 409
    client.cookies.clear()
    log_in_by_link(client, engine, "admin-1")
    assert client.post("/api/v1/users/wang.fang/invitation", headers=OWN).status_code == 409
    client.cookies.clear()
    client.delete("/api/v1/users/wang.fang", headers=client.as_("admin"))
    assert client.get("/account").status_code == 303
    assert come_in(client).status_code == 403


@pytest.mark.parametrize(
    "bent",
    [
        {"nonce": "another"},
        {"iss": "http://evil.example"},
        {"aud": "another client"},
        {"aud": ["forestall", "another"], "azp": "another"},
        {"exp": int((MORNING - timedelta(minutes=2)).timestamp())},
    ],
)
def test_a_token_for_something_else_is_not_believed(
    client: Client, provider: Provider, bent: dict[str, Any]
) -> None:
    provider.bent = bent
    answer = come_in(client)
    assert answer.status_code == 401
    assert "无法确认" in answer.text
    assert client.get("/account").status_code == 303


def test_a_token_of_another_key_is_not_believed(client: Client, provider: Provider) -> None:
    provider.key = a_key("somebody else")
    assert come_in(client).status_code == 401


def test_a_login_is_finished_only_by_the_browser_that_began_it(client: Client) -> None:
    back = leave(client)
    client.cookies.clear()
    assert client.get(back).status_code == 401
    mine = leave(client)
    assert mine != back
    assert client.get(back).status_code == 401  # another login's code in this browser
    assert client.get(f"{CALLBACK}?state=x&code=y").status_code == 401
    assert client.get(f"{CALLBACK}?error=access_denied").status_code == 401


def test_a_code_works_once(client: Client) -> None:
    back = leave(client)
    begun = client.cookies["forestall_begun"]
    assert client.get(back, headers=AWAY).status_code == 200
    client.cookies.set("forestall_begun", begun)
    assert client.get(back).status_code == 401


def test_a_provider_that_does_not_answer_is_said_so(url: str, engine: Engine) -> None:
    settings = ServingSettings(
        database_url=url, oidc_issuer="http://127.0.0.1:9", public_url="http://testserver"
    )
    client = a_client(create_app(settings=settings, clock=lambda: MORNING), engine)
    assert client.get("/login/provider").status_code == 503
    assert client.get("/login").status_code == 200


def test_a_provider_that_calls_itself_otherwise_is_not_trusted(
    url: str, engine: Engine, provider: Provider
) -> None:
    issuer = provider.address.replace("127.0.0.1", "localhost")
    settings = ServingSettings(database_url=url, oidc_issuer=issuer, public_url="http://testserver")
    client = a_client(create_app(settings=settings, clock=lambda: MORNING), engine)
    assert client.get("/login/provider").status_code == 503


def test_without_a_provider_there_is_no_such_door(url: str, engine: Engine) -> None:
    client = a_client(
        create_app(settings=ServingSettings(database_url=url), clock=lambda: MORNING), engine
    )
    assert client.get("/login/provider").status_code == 404
    assert "/login/provider" not in client.get("/login").text
