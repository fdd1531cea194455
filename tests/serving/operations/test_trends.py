"""The map and the trends: counted on a hand-drawn week, within one's own communities."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from serving.database.engine import write_transaction
from serving.database.tables import DispositionRow
from serving.operations.trends.charts import busiest_communities
from serving.operations.trends.schemas import Cell
from serving.operations.trends.service import count_cells, stretch_of
from serving.publishing import Alert, alert_id_of, publish_suspects, publish_watchlist
from tests.serving.conftest import SUSPECTS, Client
from tests.serving.published import MIDNIGHT, a_watchlist, an_alert

DAY = timedelta(days=1)


def at_hour(alert: Alert, hour: int, *, days_ago: int = 0) -> Alert:
    return replace(alert, issued_at=MIDNIGHT - days_ago * DAY + timedelta(hours=hour))


def found(alert: Alert, result: str, **changes: object) -> DispositionRow:
    """Return the last word on an alert of its own list."""
    return DispositionRow(
        alert_id=alert_id_of(at=alert.issued_at, kind="intraday", person=alert.person),
        version=1,
        person=alert.person,
        result=result,
        note="",
        decided_at=alert.issued_at + timedelta(hours=1),
        decided_by="analyst-1",
        **changes,
    )


WEEK = {
    "stopped": at_hour(an_alert("p1_a", 1, at_stake_cny=30_000.0), 9),
    "noted": at_hour(an_alert("p1_b", 1, at_stake_cny=30_000.0, level="orange"), 9, days_ago=1),
    "lawful": at_hour(
        an_alert("p1_c", 1, community_id="C02", scam_type="brushing"), 15, days_ago=1
    ),
    "paid": at_hour(an_alert("p1_d", 1, level="yellow"), 23, days_ago=6),
    "open": at_hour(an_alert("p1_e", 1, community_id="C02"), 0, days_ago=6),
    "again": at_hour(an_alert("p1_a", 1, realert=True), 16),
    "before": at_hour(an_alert("p1_f", 1), 23, days_ago=7),
}


def the_last_words() -> list[DispositionRow]:
    """Return what was found, new each time: a row belongs to one database."""
    return [
        found(WEEK["stopped"], "stopped"),
        found(WEEK["noted"], "stopped", prevented_cny=12_500.0),
        found(WEEK["lawful"], "lawful"),
        found(WEEK["paid"], "already_paid", paid_cny=8_000.0),
        found(WEEK["before"], "stopped", prevented_cny=99_000.0),
    ]


@pytest.fixture
def week(empty: Client, engine: Engine) -> Client:
    """Give a client of an application that has published a week of alerts, one a list."""
    for alert in WEEK.values():
        publish_watchlist(engine, a_watchlist(alert, at=alert.issued_at, kind="intraday"))
    with write_transaction(engine) as session:
        session.add_all(the_last_words())
    return empty


def read(client: Client, role: str = "analyst", days: int = 7) -> dict[str, object]:
    answer = client.get(f"/api/v1/trends?days={days}", headers=client.as_(role))
    assert answer.status_code == 200
    return answer.json()  # type: ignore[no-any-return]


@pytest.mark.parametrize("path", ["/trends", "/api/v1/trends"])
def test_whoever_is_logged_in_reads_it(week: Client, path: str) -> None:
    anonymous = week.get(path)
    assert anonymous.status_code == 401 or anonymous.headers["location"] == "/login"
    for role in ("analyst", "officer", "engineer", "admin"):
        assert week.get(path, headers=week.as_(role)).status_code == 200
    assert week.get(f"{path}?days=8", headers=week.as_("analyst")).status_code == 422


def test_first_alerts_of_the_week_are_counted(week: Client) -> None:
    told = read(week)
    assert (told["alerts"], told["communities"]) == (5, 2)
    assert told["start"] == (MIDNIGHT - 6 * DAY).isoformat()
    assert told["end"] == (MIDNIGHT + DAY).isoformat()
    assert told["by_hour"] == [
        {"community_id": "C01", "of": "23", "alerts": 1},
        {"community_id": "C01", "of": "9", "alerts": 2},
        {"community_id": "C02", "of": "0", "alerts": 1},
        {"community_id": "C02", "of": "15", "alerts": 1},
    ]
    assert told["by_type"] == [
        {"community_id": "C01", "of": "police", "alerts": 3},
        {"community_id": "C02", "of": "brushing", "alerts": 1},
        {"community_id": "C02", "of": "police", "alerts": 1},
    ]


def test_days_without_alerts_are_there_too(week: Client) -> None:
    volume = read(week)["volume"]
    assert isinstance(volume, list)
    assert [sum(step["by_level"].values()) for step in volume] == [2, 0, 0, 0, 0, 2, 1]
    assert volume[0]["by_level"] == {"red": 1, "orange": 0, "yellow": 1, "blue": 0}
    assert volume[0]["day"] == (MIDNIGHT - 6 * DAY).date().isoformat()


def test_precision_is_that_of_the_judged(week: Client) -> None:
    precision = read(week)["precision"]
    assert isinstance(precision, list)
    assert [(one["alerts"], one["judged"], one["right"]) for one in precision if one["alerts"]] == [
        (2, 1, 1),
        (2, 2, 1),
        (1, 1, 1),
    ]
    weeks = read(week, days=28)["precision"]
    assert isinstance(weeks, list)
    assert [(one["days"], one["alerts"], one["judged"], one["right"]) for one in weeks] == [
        (7, 0, 0, 0),
        (7, 0, 0, 0),
        (7, 1, 1, 1),
        (7, 5, 4, 3),
    ]


def test_prevented_loss_tells_the_noted_from_the_typical(week: Client) -> None:
    assert read(week)["prevented"] == {
        "stopped": 2,
        "noted": 1,
        "noted_cny": 12_500.0,
        "typical": 1,
        "typical_cny": 30_000.0,
        "lost": 1,
        "lost_cny": 8_000.0,
    }
    assert read(week, days=28)["prevented"]["noted_cny"] == 111_500.0  # type: ignore[index]


def test_an_officer_counts_the_own_communities_only(week: Client) -> None:
    told = read(week, role="officer")
    assert (told["alerts"], told["communities"]) == (3, 1)
    assert "C02" not in week.get("/trends", headers=week.as_("officer")).text


def test_a_newer_revision_takes_the_place_of_the_old(week: Client, engine: Engine) -> None:
    alert = WEEK["stopped"]
    publish_watchlist(
        engine, a_watchlist(replace(alert, community_id="C03"), at=alert.issued_at, kind="intraday")
    )
    assert {cell["community_id"] for cell in read(week)["by_hour"]} == {"C01", "C02", "C03"}  # type: ignore[attr-defined]
    assert read(week)["alerts"] == 5


def test_the_page_draws_it_and_tells_it_in_tables(week: Client, engine: Engine) -> None:
    publish_suspects(engine, at=MIDNIGHT, suspects=SUSPECTS)
    page = week.get("/trends?days=7&lang=zh", headers=week.as_("analyst")).text
    assert page.count("<svg") == 4
    for text in (
        "分布与态势",
        "5 条首次预警",
        "¥12,500",
        "¥30,000",
        "刷单返利",
        "7月5日",
        "50.0%",
        "/suspects/n1_cc",
    ):
        assert text in page, text
    english = week.get("/trends?days=84&lang=en", headers=week.as_("engineer")).text
    for text in (
        "Map and trends",
        "6 first alerts",
        "12 weeks" if "12 weeks" in english else "84 days",
        "Prevented loss",
    ):
        assert text in english, text
    assert "/suspects/n1_cc" not in week.get("/trends", headers=week.as_("officer")).text


def test_nothing_published_is_no_error(empty: Client) -> None:
    page = empty.get("/trends?lang=en", headers=empty.as_("analyst"))
    assert (page.status_code, "No alert in these days." in page.text) == (200, True)
    assert read(empty, days=84)["alerts"] == 0


@given(st.lists(st.tuples(st.sampled_from(["C1", "C2"]), st.sampled_from(["0", "23"]))))
def test_every_alert_stands_in_one_cell(places: list[tuple[str, str]]) -> None:
    assert sum(cell.alerts for cell in count_cells(places)) == len(places)


@given(st.integers(0, 27), st.integers(0, 86_399), st.sampled_from([1, 7]))
def test_every_moment_lies_in_one_stretch(days: int, seconds: int, step: int) -> None:
    assert (
        stretch_of(MIDNIGHT + timedelta(days=days, seconds=seconds), MIDNIGHT, step) == days // step
    )


def test_the_busiest_communities_come_first() -> None:
    found = [Cell(community_id=f"C{n:02}", of="9", alerts=n % 25) for n in range(60)]
    assert len(busiest_communities(found)) == 20
    assert busiest_communities(found)[:4] == ["C24", "C49", "C23", "C48"]
