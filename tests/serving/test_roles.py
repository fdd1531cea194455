"""Who may do what, for every route there is, by real requests.

The page docs/endpoints.md says who may use each endpoint of the API; `forestall docs` writes it,
and a change of it is read before it is committed. Pages are listed here: method, path, and who may
use it, a letter each: **a**nalyst, **o**fficer, **e**ngineer, a**d**min; ``-`` stands for nobody
logged in. A route that is listed nowhere fails.
"""

import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy import Engine

from serving.app import api_document
from serving.http.endpoint_page import endpoint_page
from tests.serving.conftest import Client, log_in_by_link
from tests.serving.published import ID_A

ENDPOINTS = Path(__file__).parents[2] / "docs" / "endpoints.md"
ROW = re.compile(r"^\| `([A-Z]+)` \| `(/[^`]+)` \| ([a-z, ]+) \|", re.MULTILINE)

LETTERS = {"a": "analyst", "o": "officer", "e": "engineer", "d": "admin", "-": "anonymous"}

STREAMS = """
    GET     /api/v1/live                                aoed
"""  # in no description of the API: it never ends, as far as a client can tell

PAGES = """
    GET     /                                           aoed
    GET     /alerts/{alert_id}                          aoed
    POST    /queue/next                                 ao d
    POST    /alerts/{alert_id}/claim                    ao d
    POST    /alerts/{alert_id}/release                  ao d
    POST    /alerts/{alert_id}/assign                   ao d
    POST    /alerts/{alert_id}/reveal                   ao d
    POST    /search                                     ao d
    POST    /alerts/{alert_id}/dispositions             ao d
    POST    /alerts/{alert_id}/suppression              a  d
    GET     /follow-ups                                 ao d
    POST    /follow-ups/{follow_up_id}/done             ao d
    POST    /follow-ups/{follow_up_id}/move             ao d
    GET     /suppressions                               ao d
    POST    /suppressions/{suppression_id}/lift         a  d
    GET     /outreach                                   ao d
    POST    /outreach/lists                             ao d
    GET     /outreach/lists                             ao d
    GET     /outreach/lists/{list_id}                   ao d
    POST    /outreach/lists/{list_id}                   ao d
    GET     /outreach/lists/{list_id}/print             ao d
    GET     /suspects                                   a ed
    GET     /suspects/{key}                             a ed
    POST    /suspects/{key}                             a  d
    GET     /login                                     -aoed
    POST    /login                                     -aoed
    GET     /login/code                                -aoed
    POST    /login/code                                -aoed
    GET     /login/provider                            -aoed
    GET     /login/provider/back                       -aoed
    POST    /logout                                     aoed
    GET     /account                                    aoed
    POST    /account/password                           aoed
    POST    /account/factor                             aoed
    POST    /account/factor/confirm                     aoed
    POST    /account/factor/remove                      aoed
    POST    /account/sessions                           aoed
    POST    /account/tokens                             aoed
    POST    /account/tokens/{token_id}/revoke           aoed
    GET     /users                                         d
    POST    /users                                         d
    GET     /users/{name}                                  d
    POST    /users/{name}                                  d
    POST    /users/{name}/disable                          d
    POST    /users/{name}/restore                          d
    POST    /users/{name}/invitation                       d
    POST    /users/{name}/unlock                           d
    POST    /users/{name}/factor/remove                    d
    POST    /users/{name}/tokens                           d
    POST    /users/{name}/tokens/{token_id}/revoke         d
    GET     /audit                                         d
    GET     /trends                                     aoed
    GET     /operations                                   ed
    GET     /operations/deliveries/{code}                 ed
    GET     /operations/trial                             ed
    POST    /operations/trial                             ed
    POST    /operations/trial/mapping                     ed
    POST    /operations/promote                           ed
    POST    /operations/roll-back                         ed
"""

VALUES = {
    "watchlist_id": "1",
    "alert_id": ID_A,
    "person": "p1_a",
    "community_id": "C01",
    "name": "nobody",
    "token_id": "999",
    "webhook_id": "999",
    "delivery_id": "999",
    "list_id": "LAAAAAAA",
    "follow_up_id": "999",
    "suppression_id": "999",
    "scam_type": "police",
    "key": "n1_aa",
    "code": "file.unreadable",
}
OWN = {"Sec-Fetch-Site": "same-origin"}


def permitted(table: str) -> dict[tuple[str, str], set[str]]:
    """Return who may use each route of ``table``."""
    rows = (line.split(maxsplit=2) for line in table.strip().splitlines())
    return {
        (method, path): {LETTERS[letter] for letter in who.replace(" ", "")}
        for method, path, who in rows
    }


def permitted_by_api() -> dict[tuple[str, str], set[str]]:
    """Return who may use each endpoint, as the page of endpoints says, and each stream."""
    return permitted(STREAMS) | {
        (method, path): set(LETTERS.values()) if who == "anybody" else set(who.split(", "))
        for method, path, who in ROW.findall(ENDPOINTS.read_text(encoding="utf-8"))
    }


def test_every_route_is_listed(app: FastAPI) -> None:
    routes = {
        (method, route.path)
        for route in iter_route_contexts(app.routes)
        if isinstance(route.original_route, APIRoute)
        for method in route.methods or ()
    }
    listed = permitted_by_api().keys() | permitted(PAGES).keys()
    assert routes - listed == set(), "routes that nobody has said who may use"
    assert listed - routes == set(), "routes that are gone"


@pytest.mark.parametrize("role", sorted(LETTERS.values()))
def test_each_role_is_let_in_or_kept_out_of_the_api(
    client: Client, engine: Engine, role: str
) -> None:
    if role != "anonymous":
        log_in_by_link(client, engine, f"{role}-1")
    wrong = []
    for (method, path), roles in permitted_by_api().items():
        status = client.request(method, path.format(**VALUES), headers=OWN).status_code
        expected = 401 if role == "anonymous" else 403
        if (
            (status == expected) is (role in roles)
            or status >= 500
            or (status == 401 and role != "anonymous")
        ):
            wrong.append((method, path, status))
    assert wrong == []


@pytest.mark.parametrize("role", sorted(LETTERS.values()))
def test_each_role_is_let_in_or_kept_out_of_the_pages(
    client: Client, engine: Engine, role: str
) -> None:
    def come_in() -> None:
        client.cookies.clear()
        if role != "anonymous":
            log_in_by_link(client, engine, f"{role}-1")

    come_in()
    wrong = []
    for (method, path), roles in permitted(PAGES).items():
        answer = client.request(method, path.format(**VALUES), headers=OWN)
        led_away = answer.headers.get("location") == "/login" and path != "/logout"
        refused = answer.status_code == 403 or (
            led_away if path != "/logout" else role == "anonymous"
        )
        # This application has no key to keep the secret of a second factor with
        is_broken = answer.status_code >= 500 and path != "/account/factor"
        if refused is (role in roles) or is_broken:
            wrong.append((method, path, answer.status_code))
        if path in {"/login", "/logout"}:
            come_in()
    assert wrong == []


def test_the_page_of_endpoints_is_the_one_that_the_description_gives() -> None:
    assert ENDPOINTS.read_text(encoding="utf-8") == endpoint_page(api_document()), (
        "write it anew with `forestall docs` and read who may use what"
    )
