"""Small files in the form of real deliveries, clean unless a test spoils them."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

SHANGHAI = ZoneInfo("Asia/Shanghai")

CALLS = "record_id,msisdn,peer_number,direction,service,started_at,duration_s"
CALL_ROWS = (
    "C1,13812345678,01065551234,in,voice,2026-08-01 09:30:15,84",
    "C2,13812345678,0085291234567,out,voice,2026-08-01 10:00:00,0",
    "C3,13987654321,106901234567,in,sms,2026-08-01 23:59:59,0",
)
CHINESE_CALLS = "记录号,本机号码,对方号码,呼叫方向,业务类型,开始时间,通话时长"
CHINESE_CALL_ROWS = (
    "C1,13812345678,01065551234,被叫,语音,2026-08-01 09:30:15,84",
    "C2,13812345678,0085291234567,主叫,语音,2026-08-01 10:00:00,0",
    "C3,13987654321,106901234567,被叫,短信,2026-08-01 23:59:59,0",
)
CHINESE_TRANSFERS = "流水号,账号,对方账号,借贷标志,金额,交易时间,渠道,对方银行"
CHINESE_TRANSFER_ROWS = (
    'T1,6222020012345678,M0000021,借,"1,234.56",2026-08-01 09:30:15,手机银行,工行',
    "T2,6222020012345678,6217000011112222,贷,100,2026-08-01 10:00:00,ATM,建行",
)
READ_CALLS = [
    (
        "C1",
        "13812345678",
        "01065551234",
        "in",
        "voice",
        datetime(2026, 8, 1, 9, 30, 15, tzinfo=SHANGHAI),
        84,
    ),
    (
        "C2",
        "13812345678",
        "0085291234567",
        "out",
        "voice",
        datetime(2026, 8, 1, 10, tzinfo=SHANGHAI),
        0,
    ),
    (
        "C3",
        "13987654321",
        "106901234567",
        "in",
        "sms",
        datetime(2026, 8, 1, 23, 59, 59, tzinfo=SHANGHAI),
        0,
    ),
]


def csv_file(
    folder: Path, *lines: str, name: str = "cmcc.csv", encoding: str = "utf-8", newline: str = "\n"
) -> Path:
    """Write a CSV file of these lines, each ended."""
    path = folder / name
    path.write_bytes("".join(line + newline for line in lines).encode(encoding))
    return path


def call_table() -> pl.DataFrame:
    """The three calls as an operator's Parquet table."""
    columns = CALLS.split(",")
    return pl.DataFrame(READ_CALLS, schema=columns, orient="row")
