"""The rules of calls and transfers once more, row by row in plain Python: slow and obvious."""

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
EARLIEST = datetime(2000, 1, 1, tzinfo=SHANGHAI)
NUMBER = r"(00[1-9][0-9]{5,16}|0[1-9][0-9]{8,11}|[1-9][0-9]{2,19})"


def broken_rules_of_a_call(row: dict, *, file_day: date | None, received_at: datetime) -> list[str]:
    broken = [f"{column}.missing" for column, value in row.items() if value is None]
    if row["msisdn"] is not None and not re.fullmatch(r"1[3-9][0-9]{9}", row["msisdn"]):
        broken.append("msisdn.malformed")
    if row["peer_number"] is not None and not re.fullmatch(NUMBER, row["peer_number"]):
        broken.append("peer_number.malformed")
    if row["direction"] not in (None, "in", "out"):
        broken.append("direction.unknown_value")
    if row["service"] not in (None, "voice", "sms"):
        broken.append("service.unknown_value")
    if row["duration_s"] is not None and row["duration_s"] < 0:
        broken.append("duration_s.negative")
    if row["duration_s"] is not None and row["duration_s"] > 86400:
        broken.append("duration_s.over_a_day")
    broken += _broken_rules_of_a_moment(
        "started_at", row["started_at"], file_day=file_day, received_at=received_at
    )
    return sorted(broken)


def _broken_rules_of_a_moment(
    column: str, moment: datetime | None, *, file_day: date | None, received_at: datetime
) -> list[str]:
    if moment is None:
        return []
    broken = []
    if moment < EARLIEST:
        broken.append(f"{column}.too_old")
    if moment > received_at + timedelta(days=1):
        broken.append(f"{column}.in_future")
    day = moment.astimezone(SHANGHAI).date()
    if file_day is not None and day > file_day + timedelta(days=1):
        broken.append(f"{column}.after_file_day")
    if file_day is not None and day < file_day - timedelta(days=31):
        broken.append(f"{column}.long_before_file_day")
    return broken
