"""Builds small landing folders in the form of a real delivery, clean unless a test spoils them."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
from stdnum.cn import ric

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 8, 1)
RECEIVED_AT = datetime(2026, 8, 5, 8, tzinfo=SHANGHAI)

CALL_HEADINGS = ("记录号", "本机号码", "对方号码", "呼叫方向", "业务类型", "开始时间", "通话时长")
TRANSFER_HEADINGS = (
    "流水号",
    "账号",
    "对方账号",
    "借贷标志",
    "金额",
    "交易时间",
    "渠道",
    "对方银行",
)


def msisdn(index: int) -> str:
    return f"138{index:08d}"


def account(index: int) -> str:
    return f"62020000{index:08d}"


def id_number(index: int) -> str:
    first = f"110101{1950 + index % 50}0307{index:03d}"
    return first + ric.calc_check_digit(first + "X")  # the last place is not looked at


def calls(number: int = 40, *, day: date = DAY, first: int = 0, first_line: int = 0) -> list[dict]:
    """As many calls of ten lines, one every ten minutes from 8 o'clock, none of them spoiled."""
    start = datetime(day.year, day.month, day.day, 8, tzinfo=SHANGHAI)
    return [
        {
            "record_id": f"C{first + index:06d}",
            "msisdn": msisdn(first_line + index % 10),
            "peer_number": f"139{index:08d}",
            "direction": "in",
            "service": "voice",
            "started_at": start + timedelta(minutes=10 * index),
            "duration_s": 60,
        }
        for index in range(number)
    ]


def transfers(number: int = 40, *, day: date = DAY) -> list[dict]:
    start = datetime(day.year, day.month, day.day, 8, tzinfo=SHANGHAI)
    return [
        {
            "record_id": f"T{index:06d}",
            "account_id": account(index % 10),
            "peer_account": account(1000 + index),
            "direction": "debit",
            "amount": Decimal("100.50"),
            "occurred_at": start + timedelta(minutes=10 * index),
            "channel": "mobile",
            "peer_bank": "icbc",
        }
        for index in range(number)
    ]


def residents(number: int = 40) -> list[dict]:
    return [
        {
            "id_number": id_number(index),
            "name": f"居民{index}号",
            "sex": "FM"[index % 2],
            "birth_date": date(1950 + index % 50, 3, 7),
            "residency": "local",
            "community_id": "C000",
            "grid_id": "G0001",
            "address": f"幸福路{index}号院",
        }
        for index in range(number)
    ]


def subscribers(number: int = 40) -> list[dict]:
    return [
        {
            "msisdn": msisdn(index),
            "id_number": id_number(index),
            "operator": "cmcc",
            "activated_on": date(2020, 1, 1),
        }
        for index in range(number)
    ]


def accounts(number: int = 40) -> list[dict]:
    return [
        {
            "account_id": account(index),
            "id_number": id_number(index),
            "bank": "icbc",
            "opened_on": date(2020, 1, 1),
        }
        for index in range(number)
    ]


def cases(number: int = 3) -> list[dict]:
    """One case a day from the first of August, reported at noon."""
    noon = datetime(2026, 8, 1, 12, tzinfo=SHANGHAI)
    return [
        {
            "case_id": f"A{index}",
            "id_number": id_number(index),
            "scam_type": "police",
            "outcome": "loss",
            "first_transfer_at": noon - timedelta(hours=3),
            "last_transfer_at": noon - timedelta(hours=2),
            "reported_at": noon + timedelta(days=index),
            "loss_amount": Decimal("31000.00"),
            "suspect_numbers": f"139{index:08d};00852{index:08d}",
            "suspect_accounts": account(1000 + index),
        }
        for index in range(number)
    ]


def number_tags() -> list[dict]:
    return [{"number": "13900000001", "tag": "courier"}, {"number": "95588", "tag": "bank"}]


def put(landing: Path, path: str, rows: list[dict]) -> Path:
    """Write rows as Parquet, or as plain CSV where the name says so."""
    place = landing / path
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.suffix == ".csv":
        return put_text(landing, path, lines(rows))
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(place)
    return place


def lines(rows: list[dict], *, headings: tuple[str, ...] | None = None, end: str = "\n") -> str:
    """CSV text with the columns' names, or other headings in the same order."""
    table = [headings or tuple(rows[0]), *(tuple(map(_plain, row.values())) for row in rows)]
    return "".join(",".join(row) + end for row in table)


def put_text(landing: Path, path: str, text: str, *, encoding: str = "utf-8") -> Path:
    place = landing / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text.encode(encoding))
    return place


def put_district(landing: Path, *, days: int = 2) -> Path:
    """A whole clean delivery of a few days."""
    for name, rows in {
        "residents": residents(),
        "subscribers": subscribers(),
        "accounts": accounts(),
        "number_tags": number_tags(),
        "cases": cases(),
    }.items():
        put(landing, f"{name}.parquet", rows)
    for offset in range(days):
        day = DAY + timedelta(days=offset)
        put(landing, f"calls/{day}/cmcc.parquet", calls(day=day))
        put(landing, f"calls/{day}/ctcc.parquet", calls(20, day=day, first_line=10))
        put(landing, f"transfers/{day}/icbc.parquet", transfers(day=day))
    return landing


def _plain(value: object) -> str:
    if value is None:
        return ""
    return value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else str(value)
