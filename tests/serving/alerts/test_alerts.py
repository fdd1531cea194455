"""Reading alerts: filters, order, pages, explanation, communities."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, update

from serving.alerts.contribution_chart import Bar, bars_of
from serving.alerts.timeline_chart import close_up
from serving.database.engine import write_transaction
from serving.database.tables import AlertRow
from serving.presentation.translations import get_translator
from serving.presentation.wording import format_number
from serving.publishing import publish_watchlist
from serving.vocabulary.alerts import Contribution
from tests.serving.conftest import Client
from tests.serving.published import (
    ID_A,
    ID_B,
    ID_C,
    ID_D,
    MIDNIGHT,
    NIGHTLY,
    a_tick,
    a_watchlist,
    an_alert,
)

URL = "/api/v1/alerts"


def test_anonymous_reads_nothing(client: Client) -> None:
    for path in (URL, f"{URL}/{ID_A}", f"{URL}/{ID_A}/chart.svg"):
        assert client.get(path).status_code == 401


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("sort=rank", [ID_A, ID_B, ID_C, ID_D]),
        ("sort=score", [ID_A, ID_B, ID_C, ID_D]),
        ("level=orange", [ID_B]),
        ("scam_type=brushing", [ID_B]),
        ("community_id=C02", [ID_C]),
        ("status=open&sort=rank", [ID_A, ID_B, ID_C, ID_D]),
        ("status=stopped", []),
        ("since=2026-07-05T00:00:00%2B08:00&sort=rank", [ID_A, ID_B, ID_C, ID_D]),
        ("since=2026-07-05T00:00:01%2B08:00", []),
    ],
)
def test_filters_and_order(client: Client, query: str, ids: list[str]) -> None:
    page = client.get(f"{URL}?{query}", headers=client.as_("analyst")).json()
    assert [alert["id"] for alert in page["items"]] == ids
    assert page["next_cursor"] is None


@pytest.mark.parametrize("sort", ["rank", "score", "saving_cny", "issued_at"])
def test_pages_show_every_alert_once(client: Client, engine: Engine, sort: str) -> None:
    # Ties in all
    publish_watchlist(
        engine, a_tick(an_alert("p1_e", 1, saving_cny=0.0), an_alert("p1_f", 2), minutes=15)
    )
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"sort": sort, "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = client.get(URL, params=query, headers=client.as_("analyst")).json()
        seen += [alert["person"] for alert in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == 6
    assert set(seen) == {"p1_a", "p1_b", "p1_c", "p1_d", "p1_e", "p1_f"}


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        "W10",
        "WyJpc3N1ZWRfYXQiLCIyMDI2LTA3LTA1VDAwOjAwOjAwKzA4OjAwIiwgMWUzMF0",
        "WyJyYW5rIiwiMSIsMV0",
        "é",
    ],
)
def test_a_cursor_of_somebody_else_is_refused(client: Client, cursor: str) -> None:
    answer = client.get(
        URL, params={"sort": "issued_at", "cursor": cursor}, headers=client.as_("analyst")
    )
    assert answer.status_code == 400
    assert answer.json()["remedy"] == "Start again without a cursor."


def test_a_timeline_that_an_earlier_version_published_is_read(
    empty: Client, engine: Engine
) -> None:
    event = {
        "at": "2026-07-04T22:30:00+08:00",
        "channel": "call",
        "direction": "in",
        "peer": "n1_aa",
        "peer_kind": "virtual",
        "reached": 41,
        "duration_s": 5040,
        "amount_cny": None,
        "is_stranger": True,
        "first_seen": True,
        "suspect_score": 0.93,
    }
    publish_watchlist(engine, a_watchlist(an_alert("p1_a", 1)))
    with write_transaction(engine) as session:
        session.execute(update(AlertRow).values(timeline=[event]))
    shown = empty.get(f"{URL}/{ID_A}", headers=empty.as_("analyst")).json()["timeline"]
    assert [one["reputation"] for one in shown] == [0.93]
    assert "suspect_score" not in shown[0]
    assert empty.get(f"{URL}/{ID_A}/timeline.svg", headers=empty.as_("analyst")).status_code == 200


def test_only_who_signs_in_reads_what_was_already_paid(client: Client, engine: Engine) -> None:
    paid = an_alert("p1_a", 1, already_paid_cny=36_000.0)
    publish_watchlist(engine, a_watchlist(paid, *NIGHTLY.alerts[1:]))
    for path in (f"{URL}/{ID_A}", f"{URL}?sort=rank"):
        assert client.get(path).status_code == 401
    detail = client.get(f"{URL}/{ID_A}", headers=client.as_("officer")).json()
    assert detail["already_paid_cny"] == 36_000.0
    page = client.get(f"{URL}?sort=rank", headers=client.as_("analyst")).json()["items"]
    # It keeps its place: money may still follow
    assert [(alert["id"], alert["already_paid_cny"]) for alert in page] == [
        (ID_A, 36_000.0),
        (ID_B, None),
        (ID_C, None),
        (ID_D, None),
    ]


def test_an_alert_explains_itself(client: Client) -> None:
    alert = client.get(f"{URL}/{ID_A}", headers=client.as_("analyst")).json()
    assert alert["person"] == "p1_a"
    assert alert["score"] == 0.8
    assert alert["reasons"][0]["zh"] == "陌生来电最长 84 分钟"
    assert [item["contribution"] for item in alert["contributions"]] == [1.9, -0.2]
    assert alert["contributions"][1]["value"] is None
    assert (alert["base_value"], alert["missing"], alert["age_band"]) == (
        -4.0,
        ["transfers"],
        "60+",
    )
    assert alert["saving_cny"] is None
    assert (alert["suspect_numbers"], alert["suspect_accounts"]) == (["n1_aa"], ["a1_bb"])
    assert (alert["status"], alert["version"], alert["withdrawn"]) == ("open", 0, False)
    assert (alert["at"], alert["model_version"]) == ("2026-07-05T00:00:00+08:00", "3")


def test_an_alert_says_what_a_warning_can_save(client: Client, engine: Engine) -> None:
    number = publish_watchlist(engine, a_tick(an_alert("p1_e", 1, saving_cny=21_000.5), minutes=15))
    latest = client.get(f"/api/v1/watchlists/{number}", headers=client.as_("analyst")).json()
    assert latest["alerts"][0]["saving_cny"] == 21_000.5


def test_within_a_level_the_largest_saving_stands_first(client: Client, engine: Engine) -> None:
    tick = a_tick(
        an_alert("p1_e", 1, saving_cny=100.0, score=0.99),
        an_alert("p1_f", 2, saving_cny=900.0, score=0.5),
        an_alert("p1_g", 3, saving_cny=5000.0, level="orange"),
        minutes=15,
    )
    publish_watchlist(engine, tick)
    day = client.get("/api/v1/watchlists/latest", headers=client.as_("analyst")).json()["alerts"]
    assert [alert["person"] for alert in day] == [
        "p1_f",
        "p1_e",
        "p1_a",
        "p1_g",
        "p1_b",
        "p1_c",
        "p1_d",
    ]
    page = client.get(f"{URL}?sort=saving_cny&limit=3", headers=client.as_("analyst")).json()[
        "items"
    ]
    assert [alert["person"] for alert in page] == ["p1_g", "p1_f", "p1_e"]


def test_an_officer_sees_the_own_communities_only(client: Client) -> None:
    officer = client.as_("officer")
    page = client.get(f"{URL}?sort=rank", headers=officer).json()
    assert [alert["id"] for alert in page["items"]] == [ID_A, ID_B, ID_D]
    assert client.get(f"{URL}?community_id=C02", headers=officer).json()["items"] == []
    for path in (
        f"{URL}/{ID_C}",
        f"{URL}/{ID_C}/chart.svg",
        f"{URL}/{ID_C}/dispositions",
        f"/alerts/{ID_C}",
    ):
        assert client.get(path, headers=officer).status_code == 404


def test_an_alert_that_a_revision_left_out_is_withdrawn_but_still_there(
    client: Client, engine: Engine
) -> None:
    publish_watchlist(engine, a_watchlist(*NIGHTLY.alerts[1:]))
    assert client.get(f"{URL}/{ID_A}", headers=client.as_("analyst")).json()["withdrawn"] is True
    page = client.get(f"{URL}?sort=rank", headers=client.as_("analyst")).json()
    assert [alert["id"] for alert in page["items"]] == [ID_B, ID_C, ID_D]


def test_the_chart_names_its_features_in_the_readers_language(client: Client) -> None:
    chinese = client.get(f"{URL}/{ID_A}/chart.svg", headers=client.as_("analyst"))
    assert chinese.headers["content-type"] == "image/svg+xml"
    assert ">1. 最长陌生通话 84 分钟</text>" in chinese.text
    assert ">2. 开户时长：未知</text>" in chinese.text
    english = client.get(f"{URL}/{ID_A}/chart.svg?lang=en", headers=client.as_("analyst")).text
    assert ">1. Longest stranger call 84 minutes</text>" in english
    assert "<script" not in english
    assert "style=" not in english  # the content policy would drop it


def test_the_waterfall_starts_at_the_average_and_ends_at_the_person() -> None:
    bars = bars_of(-4.0, NIGHTLY.alerts[0].contributions, get_translator("en"))
    assert bars == [
        Bar("Start: everybody's average", 0.0, -4.0, "-4.00", "#7f8c8d"),
        Bar("1. Longest stranger call 84 minutes", -4.0, -2.1, "+1.90", "#c0392b"),
        Bar("2. Account tenure: unknown", -2.1, pytest.approx(-2.3), "-0.20", "#2471a3"),
        Bar("This person", 0.0, pytest.approx(-2.3), "-2.30", "#7f8c8d"),
    ]


@given(st.lists(st.floats(-3, 3), max_size=40), st.floats(-6, 0))
def test_the_bars_add_up(contributions: list[float], base_value: float) -> None:
    items = [
        Contribution(feature="f", value=1.0, contribution=value, zh="", en="")
        for value in contributions
    ]
    bars = bars_of(base_value, items, get_translator("zh"))
    assert bars[-1].end == pytest.approx(base_value + sum(contributions))
    assert len(bars) <= 15
    assert all(later.start == earlier.end for earlier, later in pairwise(bars[:-1]))


def test_what_is_not_listed_by_itself_stands_last() -> None:
    items = [
        Contribution(
            feature="other", value=None, contribution=3.0, zh="其余各项", en="Everything else"
        ),
        Contribution(feature="a", value=1.0, contribution=0.5, zh="甲", en="A"),
    ]
    assert [bar.label for bar in bars_of(-4.0, items, get_translator("en"))] == [
        "Start: everybody's average",
        "1. A",
        "Everything else",
        "This person",
    ]


def test_figures_are_readable() -> None:
    assert [format_number(value) for value in (126_000.4, 5040.0, 999.96, 0.12345, 3.0)] == [
        "126,000",
        "5,040",
        "1000",
        "0.1235",
        "3",
    ]


def test_issued_at_keeps_its_zone(client: Client) -> None:
    page = client.get(f"{URL}?limit=1", headers=client.as_("analyst")).json()
    assert page["items"][0]["issued_at"] == MIDNIGHT.isoformat()


def test_the_close_up_begins_before_the_first_contact() -> None:
    assert close_up(MIDNIGHT - timedelta(hours=10), MIDNIGHT) == MIDNIGHT - timedelta(hours=11)
    assert close_up(MIDNIGHT - timedelta(minutes=40), MIDNIGHT) == MIDNIGHT - timedelta(hours=6)
    assert close_up(MIDNIGHT - timedelta(days=9), MIDNIGHT) == MIDNIGHT - timedelta(days=3)
    assert close_up(None, MIDNIGHT) == MIDNIGHT - timedelta(hours=25)
