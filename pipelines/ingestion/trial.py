"""Trying one file before it is delivered: what of it is understood, what would be rejected and why.
Nothing is written, and identifiers are masked unless somebody asks for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from data_contracts.contract import Contract, dataset_names, load_contract
from data_contracts.errors import SettingsError
from data_contracts.files.trial import TrialReading
from data_contracts.mappings.shipped_formats import load_formats
from data_contracts.suites import check_rows
from pipelines.ingestion.outcomes.findings import Finding, count_findings
from pipelines.ingestion.parsing.parser_process import Parser, lend_parser
from pipelines.settings import Settings

__all__ = ["Trial", "try_file"]

SHOWN_ROWS = 10


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What one file is as it is read with a mapping.

    ``rows`` = ``accepted`` + ``rejected`` + ``skipped``, if the file can be read; else ``problem``
    and ``remedy`` say why not. ``shown`` are its first rows as they are understood. ``layout`` says
    how the file is laid out, ``filled_by`` what fills each column, ``guess`` is a mapping to start
    from.
    """

    file: str
    dataset: str
    source: str
    layout: Mapping[str, Any]
    headings: tuple[str, ...]
    rows: int
    accepted: int = 0
    rejected: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    shown: tuple[Mapping[str, Any], ...] = ()
    reasons: tuple[Finding, ...] = ()
    row_warnings: tuple[Finding, ...] = ()
    warnings: tuple[str, ...] = ()
    filled_by: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    format: str | None = None
    format_title: str = ""
    problem: str = ""
    remedy: str = ""
    guess: str = ""


def try_file(
    file: Path,
    *,
    settings: Settings,
    received_at: datetime,
    dataset: str | None = None,
    source: str | None = None,
    mapping: str | None = None,
    reveal: bool = False,
    parser: Parser | None = None,
) -> Trial:
    """Read ``file`` in the parsing process and say what would become of its rows.

    ``dataset`` and ``source`` follow from the path, as in a landing folder, or from the headings,
    unless they are given. ``mapping`` is the YAML of a mapping to try instead of the source's own.
    Raises ``DeliveryError`` if there is no table in the file, ``SettingsError`` if the mapping
    cannot be used.
    """
    if not file.is_file():
        raise SettingsError(f"There is no file {file}.", remedy="Name a file that exists.")
    source = source or file.name.split(".")[0].split("-")[0]
    with lend_parser(parser, settings=settings) as reader:
        seen = reader.try_file(
            file, dataset=dataset or _dataset_of(file), source=source, mapping=mapping
        )
    trial = Trial(
        file=file.name,
        dataset=seen.dataset,
        source=source,
        layout=seen.layout.model_dump(exclude_defaults=True),
        headings=seen.headings,
        rows=seen.rows,
        filled_by=seen.filled_by,
        ignored=seen.ignored,
        format=seen.format,
        format_title=load_formats()[seen.format].title.en if seen.format else "",
        problem=seen.problem,
        remedy=seen.remedy,
        guess=seen.guess,
    )
    return trial if seen.reading is None else _judged(trial, seen, received_at, file, reveal=reveal)


def _dataset_of(file: Path) -> str | None:
    """The dataset by the file's place in a landing folder."""
    if file.stem in dataset_names():
        return file.stem
    return next((part for part in file.parts if part in ("calls", "transfers")), None)


def _judged(
    trial: Trial, seen: TrialReading, received_at: datetime, file: Path, *, reveal: bool
) -> Trial:
    """The trial with what the contract says of the rows."""
    from dataclasses import replace

    reading = seen.reading
    if reading is None:
        return trial
    contract = load_contract(seen.dataset)
    marked = reading.rows.with_columns(
        pl.lit(file.name).alias("_file"), pl.lit(_day_of(file), dtype=pl.Date).alias("_file_day")
    )
    failures = check_rows(marked, contract=contract, received_at=received_at).failures
    reasons = failures.select("_row", "reasons")
    warned = reading.rows.select("_row", pl.col("_warnings").alias("reasons"))
    return replace(
        trial,
        rows=reading.rows.height + sum(reading.skipped.values()),
        accepted=reading.rows.height - failures.height,
        rejected=failures.height,
        skipped=dict(reading.skipped),
        shown=_shown(reading.rows, contract=contract, reveal=reveal),
        reasons=count_findings(reasons, dataset=seen.dataset),
        row_warnings=count_findings(warned, dataset=seen.dataset),
        warnings=reading.warnings,
    )


def _day_of(file: Path) -> date | None:
    try:
        return date.fromisoformat(file.parent.name)
    except ValueError:
        return None


def _shown(
    rows: pl.DataFrame, *, contract: Contract, reveal: bool
) -> tuple[Mapping[str, Any], ...]:
    """The first rows, with what identifies somebody masked."""
    hidden = set() if reveal else {c.name for c in contract.columns if c.privacy == "identifier"}
    first = rows.head(SHOWN_ROWS).select("_row", *contract.schema.names())
    return tuple(
        {name: _masked(value) if name in hidden else _plain(value) for name, value in row.items()}
        for row in first.to_dicts()
    )


def _masked(value: object) -> object:
    if value is None:
        return None
    if isinstance(value, list):
        return [_masked(item) for item in value]
    text = str(value)
    return f"{text[:3]}****{text[-2:]}" if len(text) > 8 else f"{text[:1]}****"


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return value if isinstance(value, str | int | list | None) else str(value)
