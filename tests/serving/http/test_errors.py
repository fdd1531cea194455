"""Every error is a problem document that names what to do and repeats nothing that was sent."""

import logging

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from serving.app import create_app
from serving.context.ports import Rescore
from serving.context.settings import ServingSettings
from tests.serving.conftest import Client, a_client
from tests.serving.published import ID_A, MORNING

SECRET = "13800138000"


def assert_problem(document: dict[str, object], status: int) -> None:
    assert document["status"] == status
    assert document["type"].startswith("urn:forestall:problem:")  # type: ignore[attr-defined]
    assert document["title"]
    assert document["detail"]
    assert document["remedy"]
    assert document["instance"]


@pytest.mark.parametrize(
    ("method", "path", "role", "status"),
    [
        ("GET", "/api/v1/nothing", "analyst", 404),
        ("PUT", "/api/v1/alerts", "analyst", 405),
        ("GET", "/api/v1/alerts?limit=0", "analyst", 422),
        ("GET", "/api/v1/users", "analyst", 403),
        ("GET", "/api/v1/alerts/al_00000000000000000000", "analyst", 404),
    ],
)
def test_problems_have_one_shape(
    client: Client, method: str, path: str, role: str, status: int
) -> None:
    answer = client.request(method, path, headers=client.as_(role))
    assert answer.headers["content-type"] == "application/problem+json"
    assert_problem(answer.json(), status)


def test_anonymous_is_told_how_to_come_in(client: Client) -> None:
    answer = client.get("/api/v1/alerts")
    assert_problem(answer.json(), 401)
    assert answer.json()["remedy"] == "Send a valid bearer token, or log in at /login."


def test_a_wrong_field_is_named_and_not_repeated(client: Client) -> None:
    answer = client.get(f"/api/v1/alerts?level={SECRET}", headers=client.as_("analyst"))
    assert_problem(answer.json(), 422)
    assert answer.json()["errors"] == [
        {"field": "query.level", "message": "Input should be 'red', 'orange', 'yellow' or 'blue'"}
    ]
    assert SECRET not in answer.text


NUL = "\x00"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/v1/alerts?scam_type=%00", None),
        ("GET", "/api/v1/outreach/%00", None),
        ("DELETE", "/api/v1/users/%00", None),
        ("POST", "/api/v1/users", {"name": "wu", "role": "officer", "communities": [NUL]}),
        ("POST", f"/api/v1/alerts/{ID_A}/dispositions", {"result": "lawful", "note": NUL}),
        ("POST", f"/api/v1/alerts/{ID_A}/dispositions", {"result": "lawful", "paid_cny": 2**70}),
        ("POST", "/api/v1/people/p1_%00/rescore", None),
    ],
)
def test_what_no_database_can_hold_is_a_wrong_field(
    client: Client, method: str, path: str, body: dict[str, object] | None
) -> None:
    answer = client.request(method, path, json=body, headers=client.as_("admin"))
    assert answer.status_code in {409, 422}
    assert_problem(answer.json(), answer.status_code)


def test_a_large_request_is_refused(client: Client) -> None:
    url = "/api/v1/users"
    whole = client.post(url, content=b"x" * 70_000, headers=client.as_("admin"))
    assert_problem(whole.json(), 413)
    pieces = client.post(url, content=iter([b"x" * 40_000] * 2), headers=client.as_("admin"))
    assert_problem(pieces.json(), 413)


def test_what_nobody_expected_leaks_nothing(
    settings: ServingSettings, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_person: str, /) -> Rescore | None:
        raise RuntimeError(f"cannot score {SECRET}")

    caplog.set_level(logging.DEBUG)
    client = a_client(create_app(settings=settings, rescorer=broken, clock=lambda: MORNING), engine)
    answer = client.post("/api/v1/people/p1_a/rescore", headers=client.as_("analyst"))
    assert_problem(answer.json(), 500)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "RuntimeError" in caplog.text
    assert SECRET not in answer.text + caplog.text


def test_the_log_keeps_patterns_not_paths(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="serving.access")
    client.get("/login?token=fst_secret")
    client.post("/api/v1/people/p1_a/rescore", headers=client.as_("analyst"))
    lines = [record.getMessage() for record in caplog.records if record.name == "serving.access"]
    assert [line.rsplit(" ", 2)[0] for line in lines] == [
        "GET /login 200",
        "POST /api/v1/people/{person}/rescore 200",
    ]


def test_a_page_shows_its_error_as_a_page(client: Client) -> None:
    answer = client.get("/alerts/al_00000000000000000000", headers=client.as_("analyst"))
    assert answer.status_code == 404
    assert "您负责的社区里没有这条预警。" in answer.text


def test_every_answer_carries_the_security_headers(client: Client) -> None:
    for path in ("/login", "/api/v1/alerts", "/static/app.css", "/nothing"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
        assert headers["cache-control"] == "no-store"
        assert headers["x-frame-options"] == "DENY"


def test_the_api_describes_itself_with_examples(app: FastAPI) -> None:
    document = app.openapi()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            assert operation["description"], path
            assert "application/problem+json" in operation["responses"]["422"]["content"], path
    for name in (
        "Alert",
        "AlertDetail",
        "Watchlist",
        "OutreachRow",
        "Disposition",
        "NewDisposition",
        "Rescore",
    ):
        fields = document["components"]["schemas"][name]["properties"]
        assert any("examples" in field for field in fields.values()), name
    assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
