"""The plain pages: login, the ranked alerts, one alert and its form."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from serving.access.auth import COOKIE
from serving.access.users.service import issue_token
from serving.database.engine import write_transaction
from serving.feedback import all_dispositions
from serving.presentation import templating
from serving.publishing import publish_suspects, publish_watchlist
from tests.serving.conftest import Client, audited, use_link
from tests.serving.published import (
    ID_A,
    ID_B,
    MORNING,
    NIGHTLY,
    a_suspect,
    a_tick,
    a_watchlist,
    an_alert,
)

OWN = {"Origin": "http://testserver"}


def log_in(client: Client, role: str = "analyst") -> None:
    answer = client.post("/login", data={"token": client.tokens[role]}, headers=OWN)
    home = "/outreach" if role == "officer" else "/"
    assert (answer.status_code, answer.headers["location"]) == (303, home)


def test_anonymous_is_led_to_the_login(client: Client) -> None:
    for path in ("/", f"/alerts/{ID_A}", "/suspects", "/suspects/n1_aa"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert (
        client.post(
            f"/alerts/{ID_A}/dispositions", data={"result": "lawful", "version": 0}
        ).status_code
        == 303
    )
    assert client.post("/suspects/n1_aa").status_code == 303
    assert "访问令牌" in client.get("/login").text


def test_the_cookie_is_out_of_reach(client: Client) -> None:
    answer = client.post("/login", data={"token": client.tokens["analyst"]}, headers=OWN)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.tokens["analyst"] not in answer.headers["set-cookie"]


def test_a_login_link_works_once(client: Client, engine: Engine) -> None:
    with write_transaction(engine) as session:
        token = issue_token(
            session, name="analyst-1", kind="login", at=MORNING - timedelta(minutes=1)
        )
    first = use_link(client, f"/login?token={token}")
    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert client.get("/").status_code == 200
    second = use_link(client, f"/login?token={token}")
    assert second.status_code == 401
    assert "令牌无效、已使用或已过期" in second.text
    assert audited(engine, "login") == [("analyst-1", "analyst-1")]


def test_a_bearer_token_in_an_address_opens_nothing(client: Client) -> None:
    assert use_link(client, f"/login?token={client.tokens['analyst']}").status_code == 401


def test_logging_out_ends_the_session(client: Client, engine: Engine) -> None:
    log_in(client)
    cookie = client.cookies[COOKIE]
    assert client.post("/logout", headers=OWN).headers["location"] == "/login"
    client.cookies.set(COOKIE, cookie)
    assert client.get("/").status_code == 303
    assert audited(engine, "logout") == [("analyst-1", "analyst-1")]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "null"},
        {"Origin": "https://a]"},
        {},
    ],
)
def test_a_form_on_somebody_elses_page_changes_nothing(
    client: Client, engine: Engine, headers: dict[str, str]
) -> None:
    log_in(client)
    form = {"result": "lawful", "version": 0}
    assert (
        client.post(f"/alerts/{ID_A}/dispositions", data=form, headers=headers).status_code == 403
    )
    assert (
        client.post(f"/api/v1/alerts/{ID_A}/dispositions", json=form, headers=headers).status_code
        == 403
    )
    assert (
        client.post("/login", data={"token": client.tokens["admin"]}, headers=headers).status_code
        == 403
    )
    assert all_dispositions(engine) == []


def test_the_queue_shows_the_day_in_order(client: Client, engine: Engine) -> None:
    publish_watchlist(
        engine, a_tick(an_alert("p1_0123456789abcdef", 1, score=0.95, realert=True), minutes=15)
    )
    log_in(client)
    page = client.get("/").text
    rows = page.partition("<tbody>")[2]
    assert re.findall(r'class="level (\w+)"', rows) == ["red", "red", "orange", "yellow", "blue"]
    assert rows.index("p1_012345…") < rows.index("p1_a<") < rows.index("p1_b<")
    assert "p1_0123456789abcdef" not in page
    for text in (
        "红色·紧急",
        "冒充公检法",
        "陌生来电最长 84 分钟",
        "80.0%",
        "¥52,000",
        "待处理",
        "再次",
        "1,500",
    ):
        assert text in page


def test_the_queue_before_the_first_list(empty: Client) -> None:
    log_in(empty)
    page = empty.get("/").text
    assert "还没有发布任何名单" in page
    assert "forestall score" not in page  # an analyst has no terminal
    log_in(empty, "admin")
    assert "forestall score" in empty.get("/").text


def test_an_officers_queue_holds_the_own_communities(client: Client) -> None:
    log_in(client, "officer")
    page = client.get("/").text
    assert "p1_a" in page
    assert "p1_c" not in page


def test_the_alert_page_answers_why_and_what_to_do(client: Client) -> None:
    log_in(client)
    page = client.get(f"/alerts/{ID_A}").text
    for text in (
        "陌生来电最长 84 分钟",
        "安全账户",
        "n1_aa",
        "a1_bb",
        "没有转账记录",
        "7月5日 00:05",
        f"/api/v1/alerts/{ID_A}/chart.svg?lang=zh",
        "最长陌生通话 84 分钟",
    ):
        assert text in page


def test_the_alert_page_holds_the_whole_talk(client: Client) -> None:
    log_in(client)
    page = client.get(f"/alerts/{ID_A}").text
    for text in (
        "您现在在哪里？身边有谁？",
        "不问验证码、密码、卡号",
        "一个人躲在宾馆",
        "1 · 3 · 7",
    ):
        assert text in page


def test_what_a_warning_can_save_stands_beside_the_stake(client: Client, engine: Engine) -> None:
    log_in(client)
    for path in ("/", f"/alerts/{ID_A}"):
        assert "可挽回" not in client.get(path).text
    publish_watchlist(
        engine, a_watchlist(an_alert("p1_a", 1, saving_cny=21_000.0), *NIGHTLY.alerts[1:])
    )
    for path in ("/", f"/alerts/{ID_A}"):
        page = client.get(path).text
        assert "可挽回" in page
        assert "¥21,000" in page


def test_a_missing_source_is_named_with_its_day(client: Client, engine: Engine) -> None:
    missing = ("transfers:icbc:2026-07-03", "calls:cmcc", "transfers")
    publish_watchlist(
        engine, a_watchlist(an_alert("p1_a", 1, missing=missing), *NIGHTLY.alerts[1:])
    )
    log_in(client)
    page = client.get(f"/alerts/{ID_A}").text
    for text in ("工商银行的转账记录自 7 月 3 日起缺失", "中国移动的通话记录缺失", "没有转账记录"):
        assert text in page
    assert (
        "Transfers of ICBC are missing since July 3" in client.get(f"/alerts/{ID_A}?lang=en").text
    )


def test_the_form_records_a_result(client: Client, engine: Engine) -> None:
    log_in(client)
    form = {"result": "lawful", "note": "<b>房款</b>", "version": 0, "snooze_days": 7}
    answer = client.post(f"/alerts/{ID_A}/dispositions", data=form, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/alerts/{ID_A}")
    page = client.get(f"/alerts/{ID_A}").text
    assert "&lt;b&gt;房款&lt;/b&gt;" in page
    assert "7月12日 09:00" in page
    assert 'name="version" value="1"' in page
    assert "正常交易" in client.get("/").text
    late = client.post(f"/alerts/{ID_A}/dispositions", data=form, headers=OWN)
    assert late.status_code == 412
    assert "他人刚刚作了修改" in late.text
    assert len(all_dispositions(engine)) == 1


def test_an_engineer_reads_without_a_form(client: Client) -> None:
    log_in(client, "engineer")
    assert "<textarea" not in client.get(f"/alerts/{ID_B}").text


def test_suspects_are_listed_masked_and_revealed_one_by_one(wary: Client, engine: Engine) -> None:
    publish_suspects(
        engine,
        at=MORNING,
        suspects=[a_suspect("n1_0123456789abcdef"), a_suspect("n1_aa", score=0.5)],
    )
    log_in(wary)
    page = wary.get("/suspects").text
    assert page.index("n1_012345…") < page.index("n1_aa<")
    for text in ("虚拟运营商", "90.0%", "接通率：31%", "平均通话：2.5 分钟", "2026-07-05 09:00"):
        assert text in page
    one = wary.get("/suspects/n1_aa").text
    assert f"/alerts/{ID_A}" in one
    assert "17000000001" not in one
    assert audited(engine, "reveal") == []
    assert wary.post("/suspects/n1_aa", headers=OWN).status_code == 422
    assert (
        "17000000001"
        in wary.post("/suspects/n1_aa", data={"reason": "核实可疑号码"}, headers=OWN).text
    )
    assert audited(engine, "reveal") == [("analyst-1", "n1_aa")]


def test_the_accounts_stand_on_their_own_tab(wary: Client) -> None:
    log_in(wary, "engineer")
    page = wary.get("/suspects?kind=account&lang=en").text
    assert "a1_bb" in page
    assert "Received in 14 days: ¥52,000" in page
    assert 'href="?kind=account&amp;lang=zh"' in page
    assert not set(re.findall("[一-鿿]", page)) - set("中文")
    one = wary.get("/suspects/a1_bb").text
    assert "<button>Show it" not in one
    assert "Only analysts can have it shown." in one


def test_suspects_are_paged(wary: Client, engine: Engine) -> None:
    publish_suspects(engine, at=MORNING, suspects=[a_suspect(f"n1_{n:02}") for n in range(51)])
    log_in(wary)
    cursor = re.findall(r'href="(\?kind=number&amp;cursor=[^"]+)"', wary.get("/suspects").text)
    page = wary.get("/suspects" + cursor[0].replace("&amp;", "&")).text
    assert "n1_50" in page
    assert "n1_49" not in page
    assert "回到第一页" in page


def test_officers_see_neither_the_suspects_nor_a_way_there(wary: Client) -> None:
    log_in(wary, "officer")
    assert wary.get("/suspects").status_code == 403
    assert wary.post("/suspects/n1_aa", headers=OWN).status_code == 403
    page = wary.get(f"/alerts/{ID_A}").text
    assert "n1_aa" in page
    assert "/suspects" not in page


def test_an_alert_leads_to_its_published_suspects(wary: Client) -> None:
    log_in(wary)
    assert 'href="/suspects/n1_aa"' in wary.get(f"/alerts/{ID_A}").text


def test_text_from_outside_is_shown_as_text(client: Client, engine: Engine) -> None:
    publish_watchlist(
        engine,
        a_watchlist(
            an_alert("p1_a", 1, scam_type="<script>", community_id='"><i>'), *NIGHTLY.alerts[1:]
        ),
    )
    log_in(client)
    for path in ("/", f"/alerts/{ID_A}"):
        page = client.get(path).text
        assert "<script>" not in page
        assert '"><i>' not in page


def test_english_is_complete_and_remembered(client: Client) -> None:
    log_in(client)
    english = client.get("/?lang=en").text
    for text in (
        "Alerts that wait",
        "Red · urgent",
        "Fake police",
        "A stranger spoke for 84 min",
        "Open",
    ):
        assert text in english
    assert not set(re.findall("[一-鿿]", english)) - set("中文")
    assert "What to say" in client.get(f"/alerts/{ID_A}").text
    client.cookies.delete("forestall_lang")
    assert (
        "What to say"
        in client.get(f"/alerts/{ID_A}", headers={"Accept-Language": "en-GB,en;q=0.9"}).text
    )
    assert (
        "怎么说"
        in client.get(f"/alerts/{ID_A}", headers={"Accept-Language": "zh-CN,en;q=0.9"}).text
    )


def test_nothing_comes_from_outside() -> None:
    web = Path(templating.__file__).parent
    for path in [*web.glob("templates/*"), *web.glob("static/*")]:
        assert not re.findall(
            r"(?:src|href|url|@import)[=( ]*[\"']?(?:https?:)?//", path.read_text()
        ), path.name


@pytest.mark.parametrize(
    ("path", "tab"),
    [("/", "/"), (f"/alerts/{ID_A}", "/"), ("/suspects", "/suspects"), ("/account", None)],
)
def test_the_bar_marks_the_page_that_is_open(client: Client, path: str, tab: str | None) -> None:
    log_in(client)
    page = client.get(path).text
    marked = re.findall(r'<a href="([^"]*)" aria-current="page">', page)
    assert marked == ([tab] if tab else [])
    assert page.index('href="#main"') < page.index("<nav>") < page.index('<main id="main"')
