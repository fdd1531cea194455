"""Who may do what, for every route there is. A route that is not listed here fails."""

import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy import Engine

from .conftest import ID_A, Client, audited

EVERYBODY = {"analyst", "officer", "engineer", "admin"}
DECIDERS = {"analyst", "officer", "admin"}
ANYONE = {"anonymous"} | EVERYBODY

API: dict[tuple[str, str], set[str]] = {
    ("GET", "/api/v1/watchlists"): EVERYBODY,
    ("GET", "/api/v1/watchlists/latest"): EVERYBODY,
    ("GET", "/api/v1/watchlists/{watchlist_id}"): EVERYBODY,
    ("GET", "/api/v1/alerts"): EVERYBODY,
    ("GET", "/api/v1/alerts/{alert_id}"): EVERYBODY,
    ("GET", "/api/v1/alerts/{alert_id}/chart.svg"): EVERYBODY,
    ("GET", "/api/v1/alerts/{alert_id}/dispositions"): DECIDERS,
    ("POST", "/api/v1/alerts/{alert_id}/dispositions"): DECIDERS,
    ("GET", "/api/v1/talks/{scam_type}"): EVERYBODY,
    ("GET", "/api/v1/suspects"): {"analyst", "engineer", "admin"},
    ("GET", "/api/v1/suspects/{key}"): {"analyst", "engineer", "admin"},
    ("POST", "/api/v1/suspects/{key}/reveal"): {"analyst", "admin"},
    ("POST", "/api/v1/people/{person}/rescore"): {"analyst", "engineer", "admin"},
    ("GET", "/api/v1/outreach/{community_id}"): DECIDERS,
    ("GET", "/api/v1/me"): EVERYBODY,
    ("GET", "/api/v1/users"): {"admin"},
    ("POST", "/api/v1/users"): {"admin"},
    ("DELETE", "/api/v1/users/{name}"): {"admin"},
    ("GET", "/health/live"): ANYONE,
    ("GET", "/health/ready"): ANYONE,
    ("GET", "/metrics"): {"engineer", "admin"},
}
PAGES: dict[tuple[str, str], set[str]] = {
    ("GET", "/"): EVERYBODY,
    ("GET", "/alerts/{alert_id}"): EVERYBODY,
    ("POST", "/alerts/{alert_id}/dispositions"): DECIDERS,
    ("GET", "/suspects"): {"analyst", "engineer", "admin"},
    ("GET", "/suspects/{key}"): {"analyst", "engineer", "admin"},
    ("POST", "/suspects/{key}"): {"analyst", "admin"},
    ("GET", "/login"): ANYONE,
    ("POST", "/login"): ANYONE,
    ("POST", "/logout"): EVERYBODY,
}
VALUES = {
    "watchlist_id": "1",
    "alert_id": ID_A,
    "person": "p1_a",
    "community_id": "C01",
    "name": "analyst-1",
    "scam_type": "police",
    "key": "n1_aa",
}


def test_every_route_is_listed(app: FastAPI) -> None:
    routes = {
        (method, route.path)
        for route in iter_route_contexts(app.routes)
        if isinstance(route.original_route, APIRoute)
        for method in route.methods or ()
    }
    assert routes == API.keys() | PAGES.keys()


@pytest.mark.parametrize("role", sorted(ANYONE))
def test_each_role_is_let_in_or_kept_out(client: Client, role: str) -> None:
    headers = {} if role == "anonymous" else client.as_(role)
    for (method, path), permitted in (API | PAGES).items():
        status = client.request(method, path.format(**VALUES), headers=headers).status_code
        if role in permitted:
            assert status not in {401, 403}, (method, path)
        elif role == "anonymous":
            assert status == (401 if (method, path) in API else 303), (method, path)
        else:
            assert status == 403, (method, path)


@pytest.mark.parametrize("token", ["fst_unknown", "", "x" * 5000])
def test_a_token_that_is_no_good_opens_nothing(client: Client, token: str) -> None:
    answer = client.get("/api/v1/alerts", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="forestall"'


def test_a_revoked_user_is_shut_out_at_once(client: Client, engine: Engine) -> None:
    assert client.delete("/api/v1/users/analyst-1", headers=client.as_("admin")).status_code == 204
    assert client.get("/api/v1/alerts", headers=client.as_("analyst")).status_code == 401
    assert audited(engine, "user-revoked") == [("admin-1", "analyst-1")]


def test_the_documentation_lists_every_route_of_the_api() -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    assert set(re.findall(r"^\| `([A-Z]+)` \| `(/[^`]+)` \|", page, re.MULTILINE)) == API.keys()
