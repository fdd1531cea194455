"""The pages on which an administrator manages users."""

import html
import re

import pytest
from sqlalchemy import Engine

from tests.serving.conftest import Client, log_in_by_link, use_link

OWN = {"Sec-Fetch-Site": "same-origin"}
GOOD = "correct horse battery"


@pytest.fixture
def admin(client: Client, engine: Engine) -> Client:
    """Give the browser of an administrator."""
    return log_in_by_link(client, engine, "admin-1")


def link_on(page: str) -> str:
    (link,) = re.findall(r"http://testserver(/login\?token=fst_[\w-]+)", html.unescape(page))
    return str(link)


def state_of(client: Client, name: str) -> tuple[str, list[str], bool]:
    user = client.get(f"/api/v1/users/{name}", headers=client.as_("admin")).json()
    return user["role"], user["communities"], user["disabled_at"] is not None


def test_others_are_led_away_or_refused(client: Client) -> None:
    assert client.get("/users").headers["location"] == "/login"
    assert (
        client.post("/users", data={"name": "x", "role": "admin"}).headers["location"] == "/login"
    )
    client.post("/login", data={"token": client.tokens["analyst"]}, headers=OWN)
    assert client.get("/users").status_code == 403
    assert (
        client.post("/users", data={"name": "x", "role": "admin"}, headers=OWN).status_code == 403
    )


def test_a_new_user_gets_a_link_and_chooses_a_password(admin: Client) -> None:
    form = {"name": "wu.min", "role": "officer", "communities": "C02， C01 C02"}
    page = admin.post("/users", data=form, headers=OWN)
    assert page.status_code == 200
    assert state_of(admin, "wu.min") == ("officer", ["C01", "C02"], False)
    assert "fst_" not in admin.get("/users/wu.min").text  # shown once
    admin.cookies.clear()
    assert use_link(admin, link_on(page.text)).headers["location"] == "/account"
    assert (
        admin.post("/account/password", data={"new": GOOD, "again": GOOD}, headers=OWN).status_code
        == 303
    )
    assert "C01 C02" in admin.get("/account").text


def test_a_link_takes_the_old_password_and_ends_the_link_before(admin: Client) -> None:
    first = link_on(admin.post("/users/analyst-1/invitation", headers=OWN).text)
    second = link_on(admin.post("/users/analyst-1/invitation", headers=OWN).text)
    admin.cookies.clear()
    assert use_link(admin, first).status_code == 401
    assert use_link(admin, second).status_code == 303


def test_role_and_communities_are_changed_at_once(admin: Client) -> None:
    assert "C02" not in admin.get("/api/v1/alerts", headers=admin.as_("officer")).text
    form = {"role": "officer", "communities": "C02"}
    assert admin.post("/users/officer-1", data=form, headers=OWN).status_code == 303
    seen = admin.get("/api/v1/alerts", headers=admin.as_("officer")).json()["items"]
    assert {alert["community_id"] for alert in seen} == {"C02"}
    admin.post("/users/officer-1", data={"role": "analyst", "communities": "C02"}, headers=OWN)
    assert state_of(admin, "officer-1") == ("analyst", [], False)


def test_a_user_is_disabled_and_let_in_again(admin: Client) -> None:
    assert admin.post("/users/analyst-1/disable", headers=OWN).status_code == 303
    assert "已停用" in admin.get("/users").text
    assert admin.get("/api/v1/me", headers=admin.as_("analyst")).status_code == 401
    assert admin.post("/users/analyst-1/invitation", headers=OWN).status_code == 409
    assert admin.post("/users/analyst-1/restore", headers=OWN).status_code == 303
    assert state_of(admin, "analyst-1") == ("analyst", [], False)
    # Tokens of before stay dead
    assert admin.get("/api/v1/me", headers=admin.as_("analyst")).status_code == 401


def test_the_last_administrator_stays(admin: Client) -> None:
    assert admin.post("/users/admin-1/disable", headers=OWN).status_code == 409
    answer = admin.post("/users/admin-1", data={"role": "analyst"}, headers=OWN)
    assert answer.status_code == 409
    assert "没有人能管理用户" in answer.text
    assert state_of(admin, "admin-1") == ("admin", [], False)
    admin.post("/users", data={"name": "boss", "role": "admin"}, headers=OWN)
    assert admin.post("/users/admin-1", data={"role": "analyst"}, headers=OWN).status_code == 303
    assert admin.get("/users").status_code == 403


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"name": "analyst-1", "role": "analyst"}, 409),
        ({"name": "wu", "role": "officer", "communities": " , "}, 422),
        ({"name": "wu", "role": "officer", "communities": "C" * 61}, 422),
        ({"name": "w u", "role": "analyst"}, 422),
        ({"name": "wu", "role": "chief"}, 422),
    ],
)
def test_a_user_that_cannot_be_is_not_added(
    admin: Client, form: dict[str, str], status: int
) -> None:
    assert admin.post("/users", data=form, headers=OWN).status_code == status
    assert len(admin.get("/api/v1/users", headers=admin.as_("admin")).json()["items"]) == 4


def test_a_machines_token_is_issued_and_revoked_on_its_users_page(admin: Client) -> None:
    page = admin.post(
        "/users/analyst-1/tokens", data={"name": "短信网关", "days": 30}, headers=OWN
    ).text
    (secret,) = re.findall(r"fst_[\w-]+", page)
    assert (
        admin.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"}).json()["name"]
        == "analyst-1"
    )
    (token_id, *_) = re.findall(r"/users/analyst-1/tokens/(\d+)/revoke", page)
    assert admin.post(f"/users/officer-1/tokens/{token_id}/revoke", headers=OWN).status_code == 404
    assert admin.post(f"/users/analyst-1/tokens/{token_id}/revoke", headers=OWN).status_code == 303
    assert admin.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
