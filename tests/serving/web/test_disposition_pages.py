"""The pages of dispositions, follow-ups, suppressions and outreach: what is typed is kept, what is
shown is due.
"""

import csv
import io
import re
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from serving.app import create_app
from serving.context.settings import ServingSettings
from serving.feedback import all_dispositions
from tests.serving.casework.test_dispositions import decide
from tests.serving.casework.test_follow_ups import client_of
from tests.serving.conftest import Client, OpenVault, audited
from tests.serving.outreach.test_outreach import listed
from tests.serving.published import ID_A, ID_B, ID_C, ID_D, MORNING
from tests.serving.web.test_pages import OWN, log_in

FORM = f"/alerts/{ID_A}/dispositions"
PAGES = ("/outreach", "/follow-ups", "/suppressions")


def test_anonymous_is_led_to_the_login_and_engineers_are_refused(client: Client) -> None:
    for path in PAGES:
        assert client.get(path).status_code == 303
    log_in(client, "engineer")
    for path in PAGES:
        assert client.get(path).status_code == 403
    for path in (
        FORM,
        f"/alerts/{ID_A}/suppression",
        "/outreach/lists",
        "/follow-ups/1/done",
        "/suppressions/1/lift",
    ):
        form = {
            "version": 0,
            "days": 1,
            "community": "C01",
            "day": "2026-07-05",
            "form": "csv",
            "outcome": "safe",
        }
        assert client.post(path, data=form, headers=OWN).status_code == 403


def test_an_officer_suppresses_nobody(client: Client) -> None:
    log_in(client, "officer")
    assert f'action="/alerts/{ID_A}/suppression"' not in client.get(f"/alerts/{ID_A}").text
    form = {"reason": "购房", "days": 7}
    assert client.post(f"/alerts/{ID_A}/suppression", data=form, headers=OWN).status_code == 403


def test_the_form_records_all_that_was_found(client: Client, engine: Engine) -> None:
    log_in(client)
    form = {
        "version": 0,
        "result": "stopped",
        "note": "已劝阻",
        "paid_cny": "",
        "prevented_cny": "8000.50",
        "found_at": "2026-07-05T08:30",
        "met_by": "王警官",
        "channel": "visit",
        "follow_up": "own",
        "days": "2，5",
        "escalate_to": "officer-1",
        "escalate_why": "家里还有人在通话",
    }
    assert client.post(FORM, data=form, headers=OWN).status_code == 303
    (word,) = client.get(f"/api/v1{FORM}", headers=client.as_("analyst")).json()
    assert (word["source"], word["prevented_cny"], word["paid_cny"]) == ("screen", 8000.5, None)
    assert (word["found_at"], word["escalated_to"]) == ("2026-07-05T08:30:00+08:00", "officer-1")
    page = client.get(f"/alerts/{ID_A}").text
    for text in ("拦下金额", "¥8,000", "已上报 officer-1：家里还有人在通话", "7月7日", "7月10日"):
        assert text in page


def test_what_the_other_one_wrote_is_shown_and_nothing_typed_is_lost(
    client: Client, engine: Engine
) -> None:
    decide(client, ID_A, "already_paid", 0, note="已报案")
    log_in(client)
    late = client.post(
        FORM,
        data={"version": 0, "result": "lawful", "note": "房款", "prevented_cny": "5"},
        headers=OWN,
    )
    assert late.status_code == 412
    for text in (
        "他人刚刚作了修改",
        "已报案",
        ">房款</textarea>",
        'value="5"',
        'name="version" value="1"',
    ):
        assert text in late.text
    assert '<option value="lawful" selected>' in late.text
    assert [one.result for one in all_dispositions(engine)] == ["already_paid"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"note": "找 13800000001"}, "文字里似乎有电话"),
        ({"result": ""}, "表单中有内容无法使用"),
        ({"follow_up": "own", "days": "soon"}, "表单中有内容无法使用"),
        ({"paid_cny": "lots"}, "表单中有内容无法使用"),
        ({"found_at": "yesterday"}, "表单中有内容无法使用"),
        ({"escalate_to": "officer-1", "escalate_why": ""}, "表单中有内容无法使用"),
        ({"escalate_to": "nobody", "escalate_why": "急"}, "没有这个姓名的人可以接手"),
        ({"found_at": "2026-07-05T10:00"}, "处置时间不能晚于现在"),
        ({"merged_into": ID_B, "result": "duplicate"}, "只能并入同一人更早的预警"),
    ],
)
def test_what_cannot_be_recorded_is_said_beside_what_was_typed(
    client: Client, engine: Engine, wrong: dict[str, str], said: str
) -> None:
    log_in(client)
    answer = client.post(
        FORM, data={"version": "0", "result": "stopped", "met_by": "王警官"} | wrong, headers=OWN
    )
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="王警官"' in answer.text
    assert all_dispositions(engine) == []


def test_a_suppression_is_made_seen_and_lifted(client: Client) -> None:
    log_in(client)
    made = client.post(
        f"/alerts/{ID_A}/suppression", data={"reason": "购房首付", "days": 30}, headers=OWN
    )
    assert made.status_code == 303
    assert (
        "8月4日 23:59前不再预警：购房首付（负责人 analyst-1）" in client.get(f"/alerts/{ID_A}").text
    )
    page = client.get("/suppressions").text
    assert "购房首付" in page
    number = re.search(r'action="/suppressions/(\d+)/lift"', page)
    assert number is not None
    lift = f"/suppressions/{number.group(1)}/lift"
    assert client.post(lift, data={"reason": ""}, headers=OWN).status_code == 422
    assert client.post(lift, data={"reason": "又有接触"}, headers=OWN).status_code == 303
    assert "没有暂停预警的人员" in client.get("/suppressions").text


def test_follow_ups_of_today_are_done_or_moved(client: Client, settings: ServingSettings) -> None:
    decide(client, ID_A, "stopped", 0)
    app = create_app(
        settings=settings, vault=OpenVault(), clock=lambda: MORNING + timedelta(days=3)
    )
    later = client_of(app, client)
    log_in(later, "officer")
    page = later.get("/follow-ups").text
    assert "已逾期 2 天" in page
    first, second = re.findall(r'action="/follow-ups/(\d+)/done"', page)
    moved = later.post(
        f"/follow-ups/{first}/move", data={"version": 1, "due_on": "2026-07-20"}, headers=OWN
    )
    assert moved.status_code == 303
    assert (
        later.post(
            f"/follow-ups/{first}/move", data={"version": 1, "due_on": "2026-07-21"}, headers=OWN
        ).status_code
        == 412
    )
    paid = later.post(
        f"/follow-ups/{second}/done", data={"version": 1, "outcome": "paid"}, headers=OWN
    )
    assert paid.headers["location"] == f"/alerts/{ID_A}"  # there a new result is recorded
    assert "没有需要回访的人" in later.get("/follow-ups").text


def test_an_officer_sees_the_own_community_with_names_and_that_is_written_down(
    client: Client, engine: Engine
) -> None:
    log_in(client, "officer")
    page = client.get("/outreach").text
    for text in ("张三", "13800000001", "幸福路 1 号", "上门", "陌生来电最长 84 分钟", "安全账户"):
        assert text in page
    assert "王五" not in page
    assert client.get("/outreach?community=C02").status_code == 403
    assert audited(engine, "export") == [("officer-1", "C01")]


def test_a_day_without_a_watchlist_is_no_all_clear(client: Client) -> None:
    """Somebody whose alerts were all settled is told so; of a day unpublished nobody can tell."""
    for alert in (ID_A, ID_B, ID_D):
        decide(client, alert, "stopped", 0)
    log_in(client, "officer")
    nobody, unknown = "没有需要联系的人", "没有发布预警名单"
    settled, later = client.get("/outreach").text, client.get("/outreach?day=2026-07-20").text
    assert (nobody in settled, unknown in settled) == (True, False)
    assert (nobody in later, unknown in later) == (False, True)
    form = {"community": "C01", "form": "print"}
    printed = [
        client.get(client.post("/outreach/lists", data=form | {"day": day}, headers=OWN)
                   .headers["location"]).text
        for day in ("2026-07-05", "2026-07-20")
    ]  # fmt: skip
    assert [(nobody in sheet, unknown in sheet) for sheet in printed] == [
        (True, False), (False, True),
    ]  # fmt: skip


def test_the_list_says_who_is_to_be_asked_again(client: Client) -> None:
    decide(client, ID_A, "stopped", 0)
    decide(client, ID_C, "stopped", 0)  # in another community
    log_in(client, "officer")
    assert "次回访" not in client.get("/outreach").text
    assert "到这一天有 2 次回访" in client.get("/outreach?day=2026-07-08").text


def test_an_analyst_chooses_a_community_first(client: Client, engine: Engine) -> None:
    log_in(client)
    page = client.get("/outreach").text
    assert "张三" not in page
    assert "<option>C02</option>" in page
    assert audited(engine, "export") == []
    assert "王五" in client.get("/outreach?community=C02").text


def test_a_list_is_printed_under_its_number(
    client: Client, engine: Engine, settings: ServingSettings
) -> None:
    log_in(client, "officer")
    form = {"community": "C01", "day": "2026-07-05", "form": "print"}
    answer = client.post("/outreach/lists", data=form, headers=OWN)
    place = answer.headers["location"]
    number = listed(engine)[0]
    assert place == f"/outreach/lists/{number}/print"
    page = client.get(place).text
    for text in (
        number,
        "张三",
        "officer-1 打印于 7月5日 09:00",
        "有效期至 7月6日 09:00",
        "☐ 劝阻成功",
    ):
        assert text in page
    assert "11010119800101001X" not in page
    assert audited(engine, "print") == [("officer-1", "C01")] * 2  # made, shown
    app = create_app(
        settings=settings, vault=OpenVault(), clock=lambda: MORNING + timedelta(hours=24)
    )
    tomorrow = client_of(app, client)
    tomorrow.cookies = client.cookies
    log_in(tomorrow, "officer")
    expired = tomorrow.get(place).text
    assert "名单已过期" in expired
    assert "张三" not in expired


def test_files_are_taken_away(client: Client, engine: Engine) -> None:
    log_in(client, "officer")
    form = {"community": "C01", "day": "2026-07-05", "form": "csv"}
    answer = client.post("/outreach/lists", data=form, headers=OWN)
    table = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert (len(table), table[1][3]) == (4, "张三")
    sheet = client.post("/outreach/lists", data=form | {"form": "xlsx"}, headers=OWN)
    assert sheet.content.startswith(b"PK")
    assert (
        client.post("/outreach/lists", data=form | {"community": "C02"}, headers=OWN).status_code
        == 403
    )


def lines(*filled: tuple[str, str, str]) -> dict[str, list[str]]:
    """Return the columns of a list of three from (result, time, note) by position."""
    columns = {
        name: [""] * 3 for name in ("result", "at", "channel", "note", "paid_cny", "prevented_cny")
    }
    for place, (result, at, note) in enumerate(filled):
        columns["result"][place], columns["at"][place], columns["note"][place] = result, at, note
    return columns | {"position": ["1", "2", "3"], "version": ["0", "0", "0"]}


def test_results_come_back_from_paper(client: Client, engine: Engine) -> None:
    log_in(client, "officer")
    client.post(
        "/outreach/lists",
        data={"community": "C01", "day": "2026-07-05", "form": "print"},
        headers=OWN,
    )
    number = listed(engine)[0]
    found = client.get(f"/outreach/lists?number={number.lower()}")
    assert found.headers["location"] == f"/outreach/lists/{number}"
    assert "张三" in client.get(f"/outreach/lists/{number}").text
    decide(client, ID_B, "lawful", 0, note="房款")
    typed = lines(("stopped", "08:20", ""), ("refused", "08:30", "门口"), ("not_found_yet", "", ""))
    answer = client.post(
        f"/outreach/lists/{number}",
        data=typed | {"day": "2026-07-05", "met_by": "王警官"},
        headers=OWN,
    )
    assert answer.status_code == 200
    for text in (
        "已登记 1 条结果",
        "2 条未登记",
        "他人刚刚作了修改",
        "正常交易 · analyst-1",
        'value="门口"',
        "请填写走访时间",
    ):
        assert text in answer.text
    (word,) = client.get(f"/api/v1{FORM}", headers=client.as_("analyst")).json()
    assert (word["source"], word["list_id"], word["met_by"]) == ("paper", number, "王警官")
    assert word["found_at"] == "2026-07-05T08:20:00+08:00"
    assert sorted(one.result for one in all_dispositions(engine)) == ["lawful", "stopped"]


def test_a_form_of_another_shape_is_refused(client: Client, engine: Engine) -> None:
    log_in(client, "officer")
    client.post(
        "/outreach/lists",
        data={"community": "C01", "day": "2026-07-05", "form": "print"},
        headers=OWN,
    )
    place = f"/outreach/lists/{listed(engine)[0]}"
    short = lines(("stopped", "08:20", "")) | {"version": ["0", "0"]}
    assert client.post(place, data=short | {"day": "2026-07-05"}, headers=OWN).status_code == 422
    assert client.get("/outreach/lists/LAAAAAAA").status_code == 404
    assert all_dispositions(engine) == []


def test_an_officer_decides_in_the_own_communities_only(client: Client) -> None:
    log_in(client, "officer")
    assert (
        client.post(
            f"/alerts/{ID_C}/dispositions", data={"version": 0, "result": "lawful"}, headers=OWN
        ).status_code
        == 404
    )
