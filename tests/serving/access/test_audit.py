"""Reading the audit trail, on its page and through the API."""

from datetime import timedelta
from typing import get_args

import pytest
from sqlalchemy import Engine

from serving.access.audit.wording import ACTIONS, describe_details
from serving.database.audit_chain import Action, record_action
from serving.database.engine import write_transaction
from serving.presentation.translations import get_translator
from tests.serving.conftest import Client
from tests.serving.published import MIDNIGHT, MORNING

OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def trail(client: Client, engine: Engine) -> Client:
    """Give a client whose trail holds, beside five added users, a reveal a day ago and four of
    today.
    """
    with write_transaction(engine) as session:
        for number in range(5):
            at = MORNING - timedelta(days=1) if number == 0 else MORNING + timedelta(minutes=number)
            actor = "li" if number % 2 else "wu"
            record_action(
                session,
                at=at,
                actor=actor,
                action="reveal",
                subject=f"n1_{number}",
                reason="回访 <b>",
            )
    return client


def subjects(client: Client, **query: object) -> list[str]:
    answer = client.get("/api/v1/audit", params=query, headers=client.as_("admin"))  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return [entry["subject"] for entry in answer.json()["items"]]


def test_only_administrators_read_the_trail(client: Client) -> None:
    assert client.get("/api/v1/audit").status_code == 401
    assert client.get("/audit").headers["location"] == "/login"
    for role in ("analyst", "officer", "engineer"):
        assert client.get("/api/v1/audit", headers=client.as_(role)).status_code == 403
        assert client.get("/audit", headers=client.as_(role)).status_code == 403


def test_the_newest_entries_come_first_page_by_page(trail: Client) -> None:
    first = trail.get("/api/v1/audit?limit=2", headers=trail.as_("admin")).json()
    assert [entry["subject"] for entry in first["items"]] == ["n1_4", "n1_3"]
    second = trail.get(
        f"/api/v1/audit?limit=8&cursor={first['next_cursor']}", headers=trail.as_("admin")
    ).json()
    assert [entry["subject"] for entry in second["items"]][:3] == ["n1_2", "n1_1", "n1_0"]
    assert second["next_cursor"] is None
    assert first["items"][1]["previous_digest"] == second["items"][0]["digest"]


def test_entries_are_found_by_who_what_whom_and_day(trail: Client) -> None:
    assert subjects(trail, actor="li") == ["n1_3", "n1_1"]
    assert subjects(trail, action="reveal", day="2026-07-04") == ["n1_0"]
    assert subjects(trail, action="reveal", day="2026-07-05") == ["n1_4", "n1_3", "n1_2", "n1_1"]
    assert subjects(trail, subject="n1_2", actor="wu") == ["n1_2"]
    assert subjects(trail, subject="n1_2", actor="li") == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"action": "dance"}, 422),
        ({"cursor": "x"}, 400),
        ({"day": "today"}, 422),
        ({"who": "li"}, 422),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(
    trail: Client, query: dict[str, str], status: int
) -> None:
    answer = trail.get("/api/v1/audit", params=query, headers=trail.as_("admin"))
    assert answer.status_code == status


def test_the_page_filters_and_escapes(trail: Client) -> None:
    trail.post("/login", data={"token": trail.tokens["admin"]}, headers=OWN)
    page = trail.get("/audit", params={"actor": "li", "action": "", "subject": "", "day": ""}).text
    assert "n1_3" in page
    assert "n1_4" not in page
    assert "理由</span> 回访 &lt;b&gt;" in page
    assert "查看明文" in page
    assert "没有符合条件的记录" in trail.get("/audit?day=2020-01-01").text
    assert trail.get("/audit?day=today").status_code == 422


def test_the_page_leads_to_older_entries(trail: Client, engine: Engine) -> None:
    with write_transaction(engine) as session:
        for _ in range(60):
            record_action(session, at=MIDNIGHT, actor="li", action="claim", subject="al_1")
    trail.post("/login", data={"token": trail.tokens["admin"]}, headers=OWN)
    page = trail.get("/audit?action=claim").text
    assert page.count(">al_1<") == 50
    older = page.split('href="/audit?')[1].split('"')[0].replace("&amp;", "&")
    assert "action=claim" in older
    assert trail.get(f"/audit?{older}").text.count(">al_1<") == 10


def test_every_action_has_words() -> None:
    assert ACTIONS.keys() == set(get_args(Action))


def test_details_are_said_in_both_languages() -> None:
    details = {
        "by": "invitation",
        "communities": ["C01", "C02"],
        "read_only": False,
        "level": "red",
        "other": 3,
    }
    assert dict(describe_details(details, get_translator("zh"))) == {
        "方式": "设置密码的链接",
        "社区": "C01 C02",
        "级别": "红色·紧急",
        "other": "3",
    }
    assert dict(describe_details(details, get_translator("en")))["by"] == "link for a password"
