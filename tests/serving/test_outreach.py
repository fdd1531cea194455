"""Outreach lists: who, how, in which form, for whom, and always audited."""

import csv
import io

import pytest
from openpyxl import load_workbook
from sqlalchemy import Engine

from serving.app import create_app
from serving.settings import ServingSettings

from .conftest import ID_A, ID_B, ID_D, MORNING, Client, a_client, audited

URL = "/api/v1/outreach/C01"


def test_anonymous_reads_no_names(client: Client, engine: Engine) -> None:
    assert client.get(URL).status_code == 401
    assert audited(engine, "export") == []


def test_the_list_says_whom_to_reach_and_how(client: Client, engine: Engine) -> None:
    outreach = client.get(URL, headers=client.as_("officer")).json()
    assert (outreach["community_id"], outreach["day"]) == ("C01", "2026-07-05")
    assert [(row["alert_id"], row["name"], row["channel"], row["act_by"][11:16]) for row in outreach["rows"]] == [
        (ID_A, "张三", "visit", "00:05"),  # over 60 and urgent
        (ID_B, "=HYPERLINK(1)", "call", "00:15"),
        (ID_D, "赵六", "text", "00:00"),
    ]
    first = outreach["rows"][0]
    assert first["numbers"] == ["13800000001", "13900000001"]
    assert first["reasons"] == ["陌生来电最长 84 分钟"]
    assert first["what_to_say"].startswith("您好，我是社区民警，可回拨 96110")
    assert "安全账户" in first["what_to_say"]
    assert "id_number" not in first
    assert audited(engine, "export") == [("officer-1", "C01")]


def test_somebody_without_a_number_is_visited(client: Client) -> None:
    (row,) = client.get("/api/v1/outreach/C02", headers=client.as_("analyst")).json()["rows"]
    assert (row["name"], row["numbers"], row["channel"]) == ("王五", [], "visit")


def test_another_community_is_refused(client: Client, engine: Engine) -> None:
    answer = client.get("/api/v1/outreach/C02", headers=client.as_("officer"))
    assert answer.status_code == 403
    assert answer.json()["detail"] == "This community is not one of yours."
    assert audited(engine, "export") == []


def test_csv_opens_in_excel_and_computes_nothing(client: Client) -> None:
    answer = client.get(f"{URL}?format=csv", headers=client.as_("officer"))
    assert answer.headers["content-disposition"] == 'attachment; filename="outreach-2026-07-05.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    table = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert table[0][:6] == ["级别", "最迟处置时间", "方式", "姓名", "电话", "住址"]
    assert table[1][:5] == ["红色·紧急", "2026-07-05 00:05", "上门", "张三", "13800000001 13900000001"]
    assert table[2][3:6] == ["'=HYPERLINK(1)", "13800000002", "'+86 路 2 号"]
    assert len(table) == 4


def test_xlsx_keeps_everything_as_text(client: Client) -> None:
    answer = client.get(
        URL,
        headers=client.as_("officer") | {"Accept": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    )
    sheet = load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    rows = list(sheet.iter_rows(min_row=2))
    assert [row[3].value for row in rows] == ["张三", "=HYPERLINK(1)", "赵六"]
    assert {cell.data_type for row in rows for cell in row} == {"s"}


@pytest.mark.parametrize(("accept", "kind"), [("text/csv", "text/csv"), ("*/*", "application/json")])
def test_the_accept_header_chooses(client: Client, accept: str, kind: str) -> None:
    answer = client.get(URL, headers=client.as_("officer") | {"Accept": accept})
    assert answer.headers["content-type"].startswith(kind)


def test_who_is_settled_is_not_called_again(client: Client) -> None:
    for alert, result in ((ID_A, "stopped"), (ID_B, "refused")):
        client.post(
            f"/api/v1/alerts/{alert}/dispositions", json={"result": result, "version": 0}, headers=client.as_("officer")
        )
    rows = client.get(URL, headers=client.as_("officer")).json()["rows"]
    assert [(row["alert_id"], row["status"]) for row in rows] == [(ID_B, "refused"), (ID_D, "open")]


def test_another_day_is_empty(client: Client) -> None:
    assert client.get(f"{URL}?day=2026-07-06", headers=client.as_("officer")).json()["rows"] == []


def test_english_on_request(client: Client) -> None:
    table = client.get(f"{URL}?format=csv&lang=en", headers=client.as_("officer")).content.decode("utf-8-sig")
    assert table.startswith("Level,Act by,Channel,Name")
    assert "A stranger spoke for 84 min" in table


def test_without_the_vault_there_are_no_names(settings: ServingSettings, engine: Engine) -> None:
    client = a_client(create_app(settings=settings, clock=lambda: MORNING), engine)
    answer = client.get(f"{URL}?day=2026-07-05", headers=client.as_("officer"))
    assert answer.status_code == 503
    assert answer.json()["remedy"] == "Start it with the vault's key."
