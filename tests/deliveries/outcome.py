"""What became of a delivery, in the words in which a kind says how it must end."""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.ingestion.outcomes.quarantine import read_quarantine
from pipelines.ingestion.outcomes.reports import FileReport
from pipelines.ingestion.pseudonymisation import load_pseudonymiser
from pipelines.settings import Settings
from pipelines.storage.lake import Lake
from pipelines.storage.lake_schemas import TABLES
from tests.deliveries.kind import FileEnd, LakeQuestion

__all__ = ["answer_of", "comparable", "count_reasons_of", "find_faults"]

COUNTS = ("accepted", "quarantined", "duplicates", "skipped", "held")
FIGURES = ("status", *COUNTS)
LEFT_OUT = re.compile(r"^(\d+) rows? left out: (.*)$", re.MULTILINE)
IDENTIFIER = re.compile(r"\{(number|account|person):([^}]+)\}")
NEW_SOURCE = "new source"  # every source is new in a home that is


def find_faults(report: FileReport, *, end: FileEnd, reasons: Mapping[str, int]) -> list[str]:
    """Every way in which a file ended otherwise than it must, in a sentence each."""
    found = {name: getattr(report, name) for name in FIGURES}
    left_out = {reason: int(rows) for rows, reason in LEFT_OUT.findall("\n".join(report.warnings))}
    wanted = {name: getattr(end, name) for name in FIGURES if name != "skipped"}
    wanted["skipped"] = sum(end.skipped.values())
    faults = [
        f"{name} is {found[name]}, not {wanted[name]}"
        for name in FIGURES
        if found[name] != wanted[name]
    ]
    accounted = sum(found[name] for name in COUNTS)
    if report.rows != accounted:
        faults.append(f"{report.rows} rows came, {accounted} are accounted for")
    if left_out != dict(end.skipped):
        faults.append(f"left out are {left_out}, not {dict(end.skipped)}")
    if dict(reasons) != dict(end.reasons):
        faults.append(f"reasons are {dict(reasons)}, not {dict(end.reasons)}")
    said = f"{report.reason}. {report.remedy}"
    missing = [part for part in end.says if part not in said]
    faults += [f"the reason lacks {part!r}: {said}" for part in missing]
    return faults + _warning_faults(report, end=end)


def _warning_faults(report: FileReport, *, end: FileEnd) -> list[str]:
    said = [text for text in report.warnings if not LEFT_OUT.match(text)]
    missing = [part for part in end.warnings if not any(part in text for text in said)]
    expected = (*end.warnings, NEW_SOURCE)
    unasked = [text for text in said if not any(part in text for part in expected)]
    return [f"no warning says {part!r}: {said}" for part in missing] + [
        f"unexpected warning: {text}" for text in unasked
    ]


def count_reasons_of(settings: Settings, *, received_at: datetime) -> Mapping[str, Counter[str]]:
    """How many rows of each file went to quarantine at a moment, by reason code."""
    counts: dict[str, Counter[str]] = {}
    rows = read_quarantine(settings).filter(
        pl.col("row").is_not_null(), pl.col("received_at") == received_at
    )
    for path, codes in rows.select("path", "reasons").iter_rows():
        counts.setdefault(path, Counter()).update(codes)
    return counts


def answer_of(question: LakeQuestion, *, settings: Settings) -> Any:
    """What the lake answers: a value for one row of one column, else rows."""
    pseudonymiser = load_pseudonymiser(settings)
    keys = {
        "number": pseudonymiser.numbers,
        "account": pseudonymiser.accounts,
        "person": pseudonymiser.persons,
    }
    sql = IDENTIFIER.sub(
        lambda found: f"'{keys[found[1]](pl.Series([found[2]]))[0]}'", question.sql
    )
    lake = Lake(settings.lake_folder)
    tables = {
        dataset: lake.scan(dataset) for dataset in TABLES if re.search(rf"\b{dataset}\b", sql)
    }
    rows = pl.SQLContext(tables).execute(sql, eager=True).rows()
    if len(rows) == 1 and len(rows[0]) == 1:
        return comparable(rows[0][0])
    return comparable([row[0] if len(row) == 1 else list(row) for row in rows])


def comparable(value: Any) -> Any:
    """Numbers by value, moments as text in Asia/Shanghai: YAML and the lake differ in both."""
    match value:
        case list() | tuple() | pl.Series():
            return [comparable(item) for item in value]
        case datetime():
            return value.replace(tzinfo=None).isoformat(" ")
        case date():
            return value.isoformat()
        case bool() | int() | float() | Decimal():
            return Decimal(str(value + 0)).normalize()
        case _:
            return value
