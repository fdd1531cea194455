"""Outreach lists: who, how, in which form, for whom, and always audited."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import Engine, text

from serving.app import create_app
from serving.context.settings import ServingSettings
from serving.feedback import all_dispositions
from serving.outreach.channels import channel_of, is_old, voice_first
from serving.publishing import alert_id_of, publish_watchlist
from serving.vocabulary.alerts import Reason
from tests.serving.casework.test_dispositions import decide
from tests.serving.conftest import Client, a_client, audited
from tests.serving.published import (
    ID_A,
    ID_B,
    ID_D,
    MIDNIGHT,
    MORNING,
    NIGHTLY,
    a_tick,
    a_watchlist,
    an_alert,
)

URL = "/api/v1/outreach/C01"
LISTS = "/api/v1/outreach-lists"
QUARTER = timedelta(minutes=15)


def listed(engine: Engine) -> list[str]:
    """Return the ids of the lists that the audit names, oldest first."""
    with engine.connect() as connection:
        found = connection.execute(
            text("SELECT details FROM audit WHERE action IN ('export', 'print') ORDER BY id")
        )
        details = [json.loads(row) if isinstance(row, str) else row for (row,) in found]
    return [one["list_id"] for one in details if one["list_id"]]


def test_anonymous_reads_no_names(client: Client, engine: Engine) -> None:
    assert client.get(URL).status_code == 401
    assert audited(engine, "export") == []


def test_the_list_says_whom_to_reach_and_how(client: Client, engine: Engine) -> None:
    outreach = client.get(URL, headers=client.as_("officer")).json()
    assert (outreach["community_id"], outreach["day"]) == ("C01", "2026-07-05")
    assert [
        (row["alert_id"], row["name"], row["channel"], row["act_by"][11:16])
        for row in outreach["rows"]
    ] == [
        (ID_A, "张三", "visit", "00:05"),  # over 60 and urgent
        (ID_B, "=HYPERLINK(1)", "call", "00:15"),
        (ID_D, "赵六", "text", "00:00"),
    ]
    first = outreach["rows"][0]
    assert first["numbers"] == ["13800000001", "13900000001"]
    assert first["reasons"] == ["陌生来电最长 84 分钟"]
    assert first["what_to_say"].startswith("您好，我是社区民警，可回拨 96110")
    assert "安全账户" in first["what_to_say"]
    assert first["already_paid"] is False
    assert "id_number" not in first
    assert audited(engine, "export") == [("officer-1", "C01")]


def test_reasons_are_told_in_everyday_words(client: Client, engine: Engine) -> None:
    told = [
        Reason(code=code, zh=f"{code} 3,687 元", en=f"{code} CNY 3,687", contribution=1.0)
        for code in ("call_then_pay", "escalation", "call_then_pay", "lures", "new_payee_payments")
    ]
    publish_watchlist(
        engine, a_watchlist(an_alert("p1_a", 1, reasons=tuple(told)), *NIGHTLY.alerts[1:])
    )
    zh, en = (
        client.get(f"{URL}?lang={lang}", headers=client.as_("officer")).json()["rows"][0]
        for lang in ("zh", "en")
    )
    assert zh["reasons"] == [
        "和陌生人联系后就转了钱",
        "给同一个新账户的转账越来越大",
        "付了小钱很快收到返利，可能是诱饵",
    ]
    assert en["reasons"][0] == "Paid soon after contact with a stranger"


@pytest.mark.parametrize("code", ["outlays", "new_payee_payments"])
def test_a_reason_that_was_stored_under_a_former_code_has_the_same_words(
    client: Client, engine: Engine, code: str
) -> None:
    told = Reason(code=code, zh="共 3 笔", en="3 payments", contribution=1.0)
    publish_watchlist(
        engine, a_watchlist(an_alert("p1_a", 1, reasons=(told,)), *NIGHTLY.alerts[1:])
    )
    first = client.get(f"{URL}?lang=zh", headers=client.as_("officer")).json()["rows"][0]
    assert first["reasons"] == ["接连给外地的新账户转钱"]
    detail = client.get(f"/api/v1/alerts/{ID_A}", headers=client.as_("officer")).json()
    assert [reason["code"] for reason in detail["reasons"]] == ["new_payee_payments"]


def test_whose_money_has_gone_is_helped_to_freeze_it(client: Client, engine: Engine) -> None:
    paid = [
        an_alert("p1_a", 1, already_paid_cny=36_000.0),
        an_alert("p1_d", 4, score=0.1, level="blue", age_band="18-29", already_paid_cny=900.0),
    ]
    publish_watchlist(engine, a_watchlist(*paid))
    assert client.get(f"{URL}?format=csv").status_code == 401
    first, second = client.get(URL, headers=client.as_("officer")).json()["rows"]
    assert (first["alert_id"], first["already_paid"], first["channel"]) == (ID_A, True, "visit")
    assert (second["alert_id"], second["already_paid"], second["channel"]) == (ID_D, True, "call")
    for row in (first, second):
        assert "马上打 110 报案，再打银行客服请求止付" in row["what_to_say"]
        assert "安全账户" not in row["what_to_say"]
    table = client.get(f"{URL}?format=csv", headers=client.as_("officer")).content.decode(
        "utf-8-sig"
    )
    lines = list(csv.DictReader(io.StringIO(table)))
    assert [line["首要事项"] for line in lines] == ["可能已付款 · 协助止付"] * 2
    assert "36,000" not in table


def test_somebody_without_a_number_is_visited(client: Client) -> None:
    (row,) = client.get("/api/v1/outreach/C02", headers=client.as_("analyst")).json()["rows"]
    assert (row["name"], row["numbers"], row["channel"]) == ("王五", [], "visit")


def test_another_community_is_refused(client: Client, engine: Engine) -> None:
    answer = client.get("/api/v1/outreach/C02", headers=client.as_("officer"))
    assert answer.status_code == 403
    assert answer.json()["detail"] == "This community is not one of yours."
    assert audited(engine, "export") == []


def test_csv_opens_in_excel_and_computes_nothing(client: Client, engine: Engine) -> None:
    answer = client.get(f"{URL}?format=csv", headers=client.as_("officer"))
    list_id = listed(engine)[0]
    assert (
        answer.headers["content-disposition"]
        == f'attachment; filename="outreach-2026-07-05-{list_id}.csv"'
    )
    assert answer.content.startswith(b"\xef\xbb\xbf")
    table = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert table[0][:6] == ["级别", "最迟处置时间", "方式", "姓名", "电话", "住址"]
    assert table[1][:5] == [
        "红色·紧急",
        "2026-07-05 00:05",
        "上门",
        "张三",
        "13800000001 13900000001",
    ]
    assert table[2][3:6] == ["'=HYPERLINK(1)", "13800000002", "'+86 路 2 号"]
    assert table[1][7] == "提醒劝阻，防止付款"
    assert table[1][-2:] == [list_id, "2026-07-06 09:00"]
    assert len(table) == 4


def test_xlsx_keeps_everything_as_text(client: Client) -> None:
    answer = client.get(
        URL,
        headers=client.as_("officer")
        | {"Accept": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    )
    sheet = load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    rows = list(sheet.iter_rows(min_row=2))
    assert [row[3].value for row in rows] == ["张三", "=HYPERLINK(1)", "赵六"]
    assert {cell.data_type for row in rows for cell in row} == {"s"}


@pytest.mark.parametrize(
    ("accept", "kind"), [("text/csv", "text/csv"), ("*/*", "application/json")]
)
def test_the_accept_header_chooses(client: Client, accept: str, kind: str) -> None:
    answer = client.get(URL, headers=client.as_("officer") | {"Accept": accept})
    assert answer.headers["content-type"].startswith(kind)


def test_who_is_settled_is_not_called_again(client: Client) -> None:
    decide(client, ID_A, "stopped", 0)
    decide(client, ID_B, "refused", 0)
    rows = client.get(URL, headers=client.as_("officer")).json()["rows"]
    assert [(row["alert_id"], row["status"], row["channel"]) for row in rows] == [
        (ID_B, "refused", "family"),
        (ID_D, "open", "text"),
    ]


def test_who_was_not_reached_stays_for_two_days(client: Client) -> None:
    def reached_on(day: str) -> list[str]:
        rows = client.get(f"{URL}?day=2026-07-{day}", headers=client.as_("officer")).json()["rows"]
        return [row["alert_id"] for row in rows]

    assert reached_on("04") == []
    assert reached_on("06") == reached_on("07") == [ID_A, ID_B, ID_D]
    assert reached_on("08") == []


def test_the_newest_alert_of_a_person_decides(client: Client, engine: Engine) -> None:
    publish_watchlist(
        engine, a_tick(an_alert("p1_a", 1, realert=True), an_alert("p1_b", 2), minutes=15)
    )
    again, settled = (
        alert_id_of(at=MIDNIGHT + QUARTER, kind="intraday", person=person)
        for person in ("p1_a", "p1_b")
    )
    decide(client, settled, "lawful", 0)
    rows = client.get(URL, headers=client.as_("officer")).json()["rows"]
    assert [row["alert_id"] for row in rows] == [again, ID_D]
    decide(client, again, "duplicate", 0, merged_into=ID_A)
    rows = client.get(URL, headers=client.as_("officer")).json()["rows"]
    assert [row["alert_id"] for row in rows] == [ID_A, ID_D]


def test_a_suppressed_person_is_not_called(client: Client) -> None:
    suppressed = {"alert_id": ID_A, "reason": "购房", "expires_at": "2026-07-20T00:00:00+08:00"}
    assert (
        client.post(
            "/api/v1/suppressions", json=suppressed, headers=client.as_("analyst")
        ).status_code
        == 201
    )
    rows = client.get(URL, headers=client.as_("officer")).json()["rows"]
    assert [row["alert_id"] for row in rows] == [ID_B, ID_D]


def test_a_raised_level_counts(client: Client) -> None:
    decide(
        client,
        ID_D,
        "in_progress",
        0,
        escalate={"to": "officer-1", "why": "正在转账", "level": "red"},
    )
    rows = client.get(URL, headers=client.as_("officer")).json()["rows"]
    assert [
        (row["alert_id"], row["level"], row["channel"], row["act_by"][11:16]) for row in rows
    ] == [
        (ID_A, "red", "visit", "00:05"),
        (ID_D, "red", "call", "00:05"),
        (ID_B, "orange", "call", "00:15"),
    ]


@pytest.mark.parametrize(
    ("level", "old", "numbers", "status", "channel"),
    [
        ("blue", False, ["13800000001"], "open", "text"),
        ("blue", True, ["13800000001"], "open", "call"),
        ("blue", False, ["073182345678"], "open", "call"),  # no mobile number: no text reaches it
        ("red", False, ["073182345678"], "open", "visit"),
        ("red", False, ["+8613800000001"], "open", "call"),
        ("orange", True, ["13800000001"], "open", "visit"),
        ("yellow", True, ["13800000001"], "in_progress", "call"),
        ("yellow", False, [], "open", "visit"),
        ("blue", False, ["13800000001"], "not_found_yet", "visit"),
        ("red", True, ["13800000001"], "refused", "family"),
    ],
)
def test_the_channel_fits_the_person(
    level: str, old: Any, numbers: list[str], status: str, channel: str
) -> None:
    assert channel_of(level=level, old=old, numbers=numbers, status=status) == channel


def test_old_people_are_called_on_the_landline_first() -> None:
    numbers = ("13800000001", "073182345678")
    assert voice_first(numbers, old=True) == ("073182345678", "13800000001")
    assert voice_first(numbers, old=False) == numbers


@pytest.mark.parametrize(
    ("from_age", "old", "not_old"),
    [
        (45, ["45-59", "60-64", "75+"], ["30-44", "0-17"]),
        (60, ["60-64", "65-74", "75+"], ["45-59", "18-29"]),
        (65, ["65-74", "75+"], ["60-64", "45-59"]),
        (70, ["65-74", "75+"], ["60-64"]),  # the band of 65 to 74 may hold somebody of 70
        (75, ["75+"], ["65-74"]),
        (80, ["75+"], ["65-74"]),
    ],
)
def test_who_is_old_follows_the_setting_at_every_age(
    from_age: int, old: list[str], not_old: list[str]
) -> None:
    assert all(is_old(band, from_age=from_age) for band in old)
    assert not any(is_old(band, from_age=from_age) for band in not_old)
    assert not is_old(None, from_age=from_age)


def test_alerts_of_an_earlier_scale_of_ages_still_find_old_people() -> None:
    assert is_old("60+", from_age=60)
    assert is_old("60+", from_age=65)
    assert not is_old("30-39", from_age=60)


def test_english_on_request(client: Client) -> None:
    table = client.get(f"{URL}?format=csv&lang=en", headers=client.as_("officer")).content.decode(
        "utf-8-sig"
    )
    assert table.startswith("Level,Act by,Channel,Name")
    assert "A stranger spoke for 84 min" in table


def test_without_the_vault_there_are_no_names(settings: ServingSettings, engine: Engine) -> None:
    client = a_client(create_app(settings=settings, clock=lambda: MORNING), engine)
    answer = client.get(f"{URL}?day=2026-07-05", headers=client.as_("officer"))
    assert answer.status_code == 503
    assert answer.json()["remedy"] == "Start it with the vault's key."


@pytest.fixture
def list_id(client: Client, engine: Engine) -> str:
    """Give the id of a list of C01: p1_a, p1_b, p1_d."""
    return client.get(URL, headers=client.as_("officer")).json()["list_id"]


def entry(position: int, result: str, version: int = 0, **more: Any) -> dict[str, Any]:
    found = {
        "found_at": "2026-07-05T08:15:00+08:00",
        "met_by": "王警官",
        "channel": "visit",
        "note": "已见面",
    }
    return {"position": position, "version": version, "result": result} | found | more


def test_nobody_else_reads_or_fills_a_list(client: Client, list_id: str, engine: Engine) -> None:
    url, results = f"{LISTS}/{list_id}", {"entries": [entry(1, "stopped")]}
    for path in (LISTS, url):
        assert client.get(path).status_code == 401
        assert client.get(path, headers=client.as_("engineer")).status_code == 403
    assert client.post(f"{url}/results", json=results).status_code == 401
    assert (
        client.post(f"{url}/results", json=results, headers=client.as_("engineer")).status_code
        == 403
    )
    other = client.get("/api/v1/outreach/C02", headers=client.as_("analyst")).json()["list_id"]
    assert client.get(f"{LISTS}/{other}", headers=client.as_("officer")).status_code == 404
    filled = client.post(f"{LISTS}/{other}/results", json=results, headers=client.as_("officer"))
    assert filled.status_code == 404
    mine = client.get(LISTS, headers=client.as_("officer")).json()["items"]
    assert [(one["list_id"], one["community_id"]) for one in mine] == [(list_id, "C01")]
    assert all_dispositions(engine) == []


def test_every_list_has_an_id_that_the_audit_names(client: Client, engine: Engine) -> None:
    made = client.get(URL, headers=client.as_("officer")).json()
    assert (made["issued_by"], made["form"]) == ("officer-1", "json")
    assert (made["issued_at"], made["expires_at"]) == (
        "2026-07-05T09:00:00+08:00",
        "2026-07-06T09:00:00+08:00",
    )
    client.get(f"{URL}?format=csv", headers=client.as_("officer"))
    assert len(set(listed(engine))) == 2
    assert listed(engine)[0] == made["list_id"]
    page = client.get(f"{LISTS}?limit=1", headers=client.as_("analyst")).json()
    assert [one["form"] for one in page["items"]] == ["csv"]
    rest = client.get(f"{LISTS}?cursor={page['next_cursor']}", headers=client.as_("analyst")).json()
    assert ([one["form"] for one in rest["items"]], rest["next_cursor"]) == (["json"], None)


def test_results_from_paper_keep_when_and_by_whom(
    client: Client, list_id: str, engine: Engine
) -> None:
    entries = [entry(1, "stopped", prevented_cny=8000.0), entry(3, "not_found_yet", note="")]
    answer = client.post(
        f"{LISTS}/{list_id.lower()}/results",
        json={"entries": entries},
        headers=client.as_("officer"),
    )
    assert answer.json() == {"recorded": [1, 3], "refused": []}
    (word,) = client.get(
        f"/api/v1/alerts/{ID_A}/dispositions", headers=client.as_("analyst")
    ).json()
    assert (word["source"], word["list_id"], word["decided_by"]) == ("paper", list_id, "officer-1")
    assert (word["found_at"], word["met_by"], word["channel"]) == (
        "2026-07-05T08:15:00+08:00",
        "王警官",
        "visit",
    )
    assert (word["decided_at"], word["prevented_cny"]) == ("2026-07-05T09:00:00+08:00", 8000.0)
    assert [one.found_at.hour for one in all_dispositions(engine)] == [8, 8]
    after = client.get(f"{LISTS}/{list_id}", headers=client.as_("officer")).json()
    assert [
        (one["position"], one["status"], one["version"], one["found_since"])
        for one in after["items"]
    ] == [
        (1, "stopped", 1, True),
        (2, "open", 0, False),
        (3, "not_found_yet", 1, True),
    ]
    assert not after["expired"]


def test_paper_never_overwrites_what_somebody_has_found_since(
    client: Client, list_id: str, engine: Engine
) -> None:
    decide(client, ID_A, "already_paid", 0, note="已报案")
    entries = {"entries": [entry(1, "stopped"), entry(2, "lawful")]}
    answer = client.post(
        f"{LISTS}/{list_id}/results", json=entries, headers=client.as_("officer")
    ).json()
    assert answer["recorded"] == [2]
    (refused,) = answer["refused"]
    assert (refused["position"], refused["current"]["result"], refused["current"]["note"]) == (
        1,
        "already_paid",
        "已报案",
    )
    assert [(one.alert_id, one.result) for one in all_dispositions(engine)] == [
        (ID_A, "already_paid"),
        (ID_B, "lawful"),
    ]
    knowingly = {"entries": [entry(1, "stopped", version=1)]}
    again = client.post(
        f"{LISTS}/{list_id}/results", json=knowingly, headers=client.as_("officer")
    ).json()
    assert (again["recorded"], again["refused"]) == ([1], [])


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [entry(4, "stopped")],
        [entry(1, "stopped"), entry(1, "lawful")],
        [entry(1, "arrested")],
        [entry(1, "stopped", note="手机 13800000001")],
        [{"position": 1, "version": 0, "result": "stopped"}],
    ],
)
def test_what_cannot_be_entered_is_refused(
    client: Client, list_id: str, engine: Engine, entries: list[dict[str, Any]]
) -> None:
    answer = client.post(
        f"{LISTS}/{list_id}/results", json={"entries": entries}, headers=client.as_("officer")
    )
    assert answer.status_code == 422
    assert all_dispositions(engine) == []


def test_an_expired_list_says_so(
    settings: ServingSettings, engine: Engine, client: Client, list_id: str
) -> None:
    later = create_app(settings=settings, clock=lambda: MORNING + timedelta(hours=24))
    tomorrow = Client(later, base_url="http://testserver")
    tomorrow.tokens = client.tokens
    assert tomorrow.get(f"{LISTS}/{list_id}", headers=client.as_("officer")).json()["expired"]
