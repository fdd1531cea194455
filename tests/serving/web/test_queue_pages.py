"""The pages of the queue and of one alert, as an analyst uses them."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from serving.access.users.service import add_user
from serving.app import create_app
from serving.context.settings import ServingSettings
from serving.database.engine import write_transaction
from serving.publishing import publish_suspects, publish_watchlist
from serving.vocabulary.alerts import TimelineEvent, TouchedResident
from serving.vocabulary.roles import Role
from tests.serving.alerts.test_search import find
from tests.serving.casework.test_dispositions import decide
from tests.serving.conftest import SUSPECTS, Client, OpenVault, a_client, audited
from tests.serving.published import (
    ID_A,
    ID_B,
    ID_C,
    MIDNIGHT,
    MORNING,
    NIGHTLY,
    a_watchlist,
    an_alert,
)

OWN = {"Origin": "http://testserver"}


def log_in(client: Client, role: str = "analyst") -> None:
    client.cookies.clear()
    assert (
        client.post("/login", data={"token": client.tokens[role]}, headers=OWN).status_code == 303
    )


def post(client: Client, path: str, **form: str) -> str:
    """Send a form and return where it leads."""
    answer = client.post(path, data=form, headers=OWN)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


@pytest.mark.parametrize(
    "path", ["/queue/next", f"/alerts/{ID_A}/claim", f"/alerts/{ID_A}/release", "/search"]
)
def test_strangers_are_led_to_the_login_and_engineers_refused(client: Client, path: str) -> None:
    assert client.post(path, data={"value": "13800000001"}).headers["location"] == "/login"
    log_in(client, "engineer")
    assert client.post(path, data={"value": "13800000001"}, headers=OWN).status_code == 403


def test_taking_the_next_one(client: Client) -> None:
    log_in(client)
    assert post(client, "/queue/next") == f"/alerts/{ID_A}"
    page = client.get(f"/alerts/{ID_A}").text
    assert "此预警由您处理，至 09:30。" in page
    assert "由您处理" in client.get("/").text
    assert post(client, "/queue/next") == f"/alerts/{ID_B}"
    for _ in range(2):
        post(client, "/queue/next")
    assert post(client, "/queue/next") == "/?nothing=true"
    assert "没有待领取的预警。" in client.get("/?nothing=true").text


def test_the_second_analyst_is_told_who_has_it(client: Client) -> None:
    log_in(client)
    post(client, f"/alerts/{ID_A}/claim")
    log_in(client, "admin")
    assert post(client, f"/alerts/{ID_A}/claim") == f"/alerts/{ID_A}"
    page = client.get(f"/alerts/{ID_A}").text
    assert "analyst-1 正在处理此预警，至 09:30。" in page
    assert "由 analyst-1 处理" in client.get("/").text


def test_giving_back_and_passing_on(client: Client, engine: Engine) -> None:
    with write_transaction(engine) as session:
        add_user(
            session, name="zhao.min", role=Role.ANALYST, communities=[], at=MIDNIGHT, actor="test"
        )
    log_in(client)
    post(client, f"/alerts/{ID_A}/claim")
    assert "<option>zhao.min</option>" in client.get(f"/alerts/{ID_A}").text
    assert post(client, f"/alerts/{ID_A}/release") == "/"
    assert "此预警尚无人领取。" in client.get(f"/alerts/{ID_A}").text
    assert post(client, f"/alerts/{ID_A}/assign", to="zhao.min") == f"/alerts/{ID_A}"
    assert "zhao.min 正在处理此预警，至 21:00。" in client.get(f"/alerts/{ID_A}").text
    assert (
        client.post(f"/alerts/{ID_B}/assign", data={"to": "nobody"}, headers=OWN).status_code == 422
    )


def test_looking_at_ones_own_alert_keeps_the_claim(url: str, engine: Engine) -> None:
    now = MORNING
    app = create_app(settings=ServingSettings(database_url=url), clock=lambda: now)
    publish_watchlist(engine, NIGHTLY)
    client = a_client(app, engine)
    log_in(client)
    post(client, f"/alerts/{ID_A}/claim")
    now = MORNING + timedelta(minutes=10)
    assert "至 09:30。" in client.get(f"/alerts/{ID_A}").text
    now = MORNING + timedelta(minutes=20)
    assert "至 09:50。" in client.get(f"/alerts/{ID_A}").text


def test_filters_keep_their_place_in_the_form(client: Client) -> None:
    log_in(client)
    page = client.get("/?level=orange&scam_type=&status=&assignee=&page=1&lang=zh").text
    assert page.count("data-row") == 1
    assert '<option value="orange" selected>' in page
    assert client.get("/?level=green").status_code == 422
    assert "没有符合筛选条件的预警。" in client.get("/?level=blue&scam_type=brushing").text


def test_the_clock_and_the_lead_are_told_in_words(client: Client) -> None:
    log_in(client)
    page = client.get("/").text
    assert "已超时9小时" in page
    assert "还剩15小时" in page
    assert "自预警发出" in page
    english = client.get("/?lang=en").text
    assert "overdue by 9 hr" in english
    assert "since the alert" in english


TOLD = a_watchlist(
    an_alert(
        "p1_a",
        1,
        first_contact_at=MIDNIGHT - timedelta(minutes=90),
        timeline=(
            TimelineEvent(
                at=MIDNIGHT - timedelta(minutes=90),
                channel="call",
                direction="in",
                peer="n1_aa",
                peer_kind="virtual",
                reached=41,
                duration_s=5040,
                is_stranger=True,
                first_seen=True,
                reputation=0.93,
            ),
            TimelineEvent(
                at=MIDNIGHT - timedelta(minutes=3),
                channel="transfer",
                direction="out",
                peer="a1_bb",
                peer_kind="outside",
                reached=3,
                amount_cny=52_000.0,
                is_stranger=True,
                first_seen=True,
            ),
        ),
        touched=(
            TouchedResident(
                key="n1_aa", person="p1_b", community_id="C01", channel="call", last_at=MIDNIGHT
            ),
            TouchedResident(
                key="n1_aa", person="p1_x", community_id="C02", channel="text", last_at=MIDNIGHT
            ),
        ),
    ),
    an_alert("p1_b", 2),
    scores={"p1_a": 0.8},
)


def test_the_alert_page_tells_what_happened(empty: Client, engine: Engine) -> None:
    publish_watchlist(engine, TOLD)
    log_in(empty)
    page = empty.get(f"/alerts/{ID_A}").text
    for text in (
        "7月4日 22:30",
        "84.0 分钟",
        "虚拟运营商 · 接触过 41 名居民",
        "陌生号码",
        "首次往来的账户",
        "区外账户",
    ):
        assert text in page
    assert page.index("¥52,000</b>") < page.index("84.0 分钟")  # the newest first
    assert "可疑 93.0%" in page
    assert f'<a class="key" href="/alerts/{ID_B}">p1_b</a>' in page
    assert "p1_x" in page
    assert "风险变化，共 1 个分数，最近为 80.0%" in page
    english = empty.get(f"/alerts/{ID_A}?lang=en").text
    assert not set(re.findall("[一-鿿]", english)) - set("中文")


def test_whose_money_has_gone_is_shown_what_to_do_about_it(empty: Client, engine: Engine) -> None:
    label = "可能已付款 · 协助止付"
    publish_watchlist(engine, TOLD)
    log_in(empty)
    for path in ("/", f"/alerts/{ID_A}"):
        assert label not in empty.get(path).text
    first, second = TOLD.alerts
    publish_watchlist(
        engine, replace(TOLD, alerts=(replace(first, already_paid_cny=52_000.0), second))
    )
    assert empty.get("/").text.count(label) == 1
    page = empty.get(f"/alerts/{ID_A}").text
    card = page.partition('<section class="card paid"')[2].partition("</section>")[0]
    for text in (
        label,
        "7 天内已向区外新账户转出 ¥52,000",
        "7月4日 23:57",
        "a1_bb",
        "紧急止付",
        "96110",
    ):
        assert text in card
    assert "84.0 分钟" not in card  # the payments only
    assert "马上打 110 报案，再打银行客服请求止付" in page
    assert "安全账户" not in page
    english = empty.get(f"/alerts/{ID_A}?lang=en").text
    assert "Probably paid: help to freeze" in english
    assert not set(re.findall("[一-鿿]", english)) - set("中文")
    decide(empty, ID_A, "lawful", 0)
    log_in(empty)
    assert "card paid" not in empty.get(f"/alerts/{ID_A}").text  # settled: nothing to freeze


def test_the_payments_may_be_older_than_the_timeline(empty: Client, engine: Engine) -> None:
    publish_watchlist(engine, a_watchlist(an_alert("p1_a", 1, already_paid_cny=36_000.0)))
    log_in(empty)
    assert "¥36,000" in empty.get(f"/alerts/{ID_A}").text


def test_an_officer_sees_only_the_own_residents_among_those_reached(
    empty: Client, engine: Engine
) -> None:
    publish_watchlist(engine, TOLD)
    log_in(empty, "officer")
    page = empty.get(f"/alerts/{ID_A}").text
    assert "p1_b" in page
    assert "p1_x" not in page


@pytest.mark.parametrize("picture", ["chart", "timeline", "scores"])
def test_the_pictures(empty: Client, engine: Engine, picture: str) -> None:
    publish_watchlist(engine, TOLD)
    path = f"/api/v1/alerts/{ID_A}/{picture}.svg"
    assert empty.get(path).status_code == 401
    answer = empty.get(path, params={"lang": "en"}, headers=empty.as_("engineer"))
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.text.startswith("<svg")


def test_the_scores_and_the_earlier_alerts_of_a_person(client: Client, engine: Engine) -> None:
    at = MIDNIGHT + timedelta(hours=2)
    publish_watchlist(
        engine,
        a_watchlist(
            an_alert("p1_a", 1, issued_at=at), at=at, kind="intraday", scores={"p1_a": 0.91}
        ),
    )
    scores = client.get(f"/api/v1/alerts/{ID_A}/scores", headers=client.as_("analyst")).json()
    assert scores == [{"at": "2026-07-05T02:00:00+08:00", "score": 0.91}]
    log_in(client)
    assert "7月5日 02:00" in client.get(f"/alerts/{ID_A}").text


def test_who_it_is_is_shown_once_and_written_down(client: Client, engine: Engine) -> None:
    log_in(client)
    assert "张三" not in client.get(f"/alerts/{ID_A}").text
    assert (
        client.post(f"/alerts/{ID_A}/reveal", data={"reason": ""}, headers=OWN).status_code == 422
    )
    shown = client.post(f"/alerts/{ID_A}/reveal", data={"reason": "拨打劝阻电话"}, headers=OWN).text
    assert "张三" in shown
    assert "13800000001" in shown
    assert f'href="/alerts/{ID_A}?lang=en"' in shown  # the other language does not ask for it again
    assert "张三" not in client.get(f"/alerts/{ID_A}").text
    assert audited(engine, "reveal") == [("analyst-1", "p1_a")]
    log_in(client, "engineer")
    assert "姓名和号码" not in client.get(f"/alerts/{ID_A}").text
    assert (
        client.post(
            f"/alerts/{ID_A}/reveal", data={"reason": "拨打劝阻电话"}, headers=OWN
        ).status_code
        == 403
    )
    log_in(client, "officer")
    assert (
        client.post(
            f"/alerts/{ID_C}/reveal", data={"reason": "拨打劝阻电话"}, headers=OWN
        ).status_code
        == 404
    )


def test_search_leads_to_the_alert_and_keeps_nothing(
    settings: ServingSettings, engine: Engine
) -> None:
    app: FastAPI = create_app(
        settings=settings, vault=OpenVault(), finder=find, clock=lambda: MORNING
    )
    publish_watchlist(engine, NIGHTLY)
    publish_suspects(engine, at=MIDNIGHT, suspects=SUSPECTS)
    client = a_client(app, engine)
    log_in(client)
    assert 'action="/search"' in client.get("/").text
    found = client.post("/search", data={"value": "13800000001"}, headers=OWN)
    assert f'href="/alerts/{ID_A}"' in found.text
    assert "13800000001" not in found.text
    assert (
        'href="/suspects/n1_aa"'
        in client.post("/search", data={"value": "17000000001"}, headers=OWN).text
    )
    assert "没有此号码" in client.post("/search", data={"value": "99999999"}, headers=OWN).text
    log_in(client, "engineer")
    assert 'action="/search"' not in client.get("/").text


def test_scripts_are_our_own_and_few(client: Client) -> None:
    log_in(client)
    for path in ("/", f"/alerts/{ID_A}"):
        answer = client.get(path)
        scripts = re.findall(r"<script[^>]*>(.*?)</script>", answer.text, re.DOTALL)
        assert scripts
        assert not any(scripts)
        assert not re.search(r"\son\w+=|\sstyle=", answer.text)
        assert "script-src 'self'; connect-src 'self'" in answer.headers["content-security-policy"]
