"""How often names and numbers are shown to somebody, for which reasons, and when that is news."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from serving.app import create_app
from serving.context.settings import ServingSettings
from serving.publishing import Watchlist
from tests.serving.conftest import Client, OpenVault, a_client, audited
from tests.serving.published import ID_A, MORNING

PATH = f"/api/v1/alerts/{ID_A}/reveal"
WHY = {"reason": "拨打劝阻电话"}


class Hours:
    """A clock that tests set."""

    at = MORNING

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
def sparing(url: str, staff: Mapping[str, str], nightly: Watchlist, hours: Hours) -> Client:
    """Give a client of an application that reveals four an hour, and tells of three."""
    settings = ServingSettings(database_url=url, reveals_per_hour=4, unusual_reveals_per_hour=3)
    return a_client(create_app(settings=settings, vault=OpenVault(), clock=hours), staff)


def test_anonymous_uses_up_nobodys_number(sparing: Client, engine: Engine) -> None:
    assert [sparing.post(PATH, json=WHY).status_code for _ in range(6)] == [401] * 6
    assert sparing.post(PATH, json=WHY, headers=sparing.as_("analyst")).status_code == 200
    assert audited(engine, "reveal") == [("analyst-1", "p1_a")]


def test_an_hours_number_is_used_up_and_comes_back(
    sparing: Client, engine: Engine, hours: Hours
) -> None:
    headers = sparing.as_("analyst")
    statuses = []
    for _ in range(5):
        statuses.append(sparing.post(PATH, json=WHY, headers=headers).status_code)
        hours.at += timedelta(minutes=1)
    assert statuses == [200] * 4 + [429]
    refused = sparing.post(PATH, json=WHY, headers=headers)
    assert refused.headers["retry-after"] == str(55 * 60)
    assert sparing.post(PATH, json=WHY, headers=sparing.as_("admin")).status_code == 200
    hours.at = MORNING + timedelta(minutes=60)
    assert sparing.post(PATH, json=WHY, headers=headers).status_code == 200
    assert len(audited(engine, "reveal")) == 6


def test_unusually_many_are_told_to_the_administrators_once_an_hour(
    sparing: Client, engine: Engine
) -> None:
    headers = sparing.as_("officer")
    for _ in range(2):
        sparing.post(PATH, json=WHY, headers=headers)
    assert audited(engine, "reveals-unusual") == []
    for _ in range(2):
        sparing.post(PATH, json=WHY, headers=headers)
    assert audited(engine, "reveals-unusual") == [("officer-1", "officer-1")]
    page = sparing.get("/operations?lang=en", headers=sparing.as_("admin")).text
    assert "officer-1 had unusually much revealed by" in page
    issues = sparing.get("/api/v1/operations", headers=sparing.as_("admin")).json()["health_issues"]
    assert [one["area"] for one in issues if "officer-1" in one["text"]] == ["access"]


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("xx", 422),
        ("call", 422),
        ("call call call", 422),
        ("xx yy", 422),
        ("1234 5678", 422),
        ("。。。。。。", 422),
        ("核实", 422),
        ("核实核实核实", 422),
        ("核实身份", 200),
        ("回访 call", 200),
        ("call her", 200),
        ("visit tomorrow", 200),
    ],
)
def test_a_reason_says_something(sparing: Client, engine: Engine, reason: str, status: int) -> None:
    answer = sparing.post(PATH, json={"reason": reason}, headers=sparing.as_("analyst"))
    assert answer.status_code == status
    assert len(audited(engine, "reveal")) == (1 if status == 200 else 0)


def test_people_on_lists_count_towards_what_is_unusual_each_once_an_hour(
    url: str, staff: Mapping[str, str], nightly: Watchlist, hours: Hours, engine: Engine
) -> None:
    settings = ServingSettings(database_url=url, unusual_reveals_per_hour=4)
    app = create_app(settings=settings, vault=OpenVault(), clock=hours)
    client = a_client(app, staff)
    headers = client.as_("officer") | {"Accept": "text/csv"}
    for _ in range(3):  # the same three people
        assert client.get("/api/v1/outreach/C01", headers=headers).status_code == 200
    assert audited(engine, "export") == [("officer-1", "C01")] * 3
    assert audited(engine, "reveals-unusual") == []
    assert client.post(PATH, json=WHY, headers=client.as_("officer")).status_code == 200
    assert audited(engine, "reveals-unusual") == [("officer-1", "officer-1")]
    assert client.get("/api/v1/outreach/C01", headers=headers).status_code == 200
    assert len(audited(engine, "reveals-unusual")) == 1
    hours.at += timedelta(minutes=61)
    for _ in range(4):
        assert client.get("/api/v1/outreach/C01", headers=headers).status_code == 200
    assert len(audited(engine, "reveals-unusual")) == 1
