"""Trying uploaded files and keeping mappings, for the page of the engineers."""

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from data_contracts.errors import DeliveryError, SettingsError
from data_contracts.mappings.mapping import find_mapping_file
from data_contracts.mappings.shipped_formats import load_formats
from pipelines.clock import wall_clock
from pipelines.ingestion.landing.declared_sources import declare_source
from pipelines.ingestion.outcomes.findings import Finding
from pipelines.ingestion.trial import Trial as TriedFile
from pipelines.ingestion.trial import try_file
from pipelines.settings import Settings
from serving.context.ports import Trial, TriedReason, TriedRow

__all__ = ["UploadTrial"]

UNSAFE = re.compile(r"[^\w.()-]")
LONGEST_NAME = 80


class UploadTrial:
    """Tries one file at a time: each takes a process of its own and as much memory as a load."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()

    def try_file(
        self, content: bytes, /, *, name: str, dataset: str, source: str, mapping: str
    ) -> Trial:
        """Read the content in the parsing process, from a folder that is gone afterwards."""
        with self._lock, tempfile.TemporaryDirectory(prefix="forestall-trial-") as folder:
            file = Path(folder) / (UNSAFE.sub("_", Path(name).name)[-LONGEST_NAME:] or "file")
            file.write_bytes(content)
            try:
                found = try_file(
                    file,
                    settings=self._settings,
                    received_at=wall_clock(),
                    dataset=dataset,
                    source=source,
                    mapping=mapping or None,
                )
            except (DeliveryError, SettingsError) as error:
                return Trial(problem=str(error), remedy=error.remedy)
        return _as_shown(found)

    def mapping_of(self, source: str, /) -> str:
        """Return the YAML of the installation's mapping of the source, else of the built-in one."""
        place = find_mapping_file(source, folder=self._settings.sources_folder)
        return place.read_text(encoding="utf-8") if place else ""

    def save_mapping(self, source: str, mapping: str, /) -> None:
        """Write the mapping into the folder of mappings.

        Raises ``SettingsError`` where it cannot be used.
        """
        with tempfile.TemporaryDirectory(prefix="forestall-mapping-") as folder:
            file = Path(folder) / f"{source}.yaml"
            file.write_text(mapping, encoding="utf-8")
            declare_source(self._settings, name=source, mapping=file)


def _as_shown(tried: TriedFile) -> Trial:
    columns = tuple(tried.filled_by) or tuple(tried.shown[0] if tried.shown else ())
    title = load_formats()[tried.format].title if tried.format else None
    return Trial(
        problem=tried.problem,
        remedy=tried.remedy,
        layout={name: _said(value) for name, value in tried.layout.items()},
        format_zh=title.zh if title else "",
        format_en=title.en if title else "",
        filled_by=tried.filled_by,
        ignored=tried.ignored,
        rows=tried.rows,
        taken=tried.accepted,
        rejected=tried.rejected,
        columns=tuple(name for name in columns if name != "_row"),
        first_rows=tuple(_row(row, columns=columns) for row in tried.shown),
        reasons=(
            *(_reason(one) for one in tried.reasons),
            *(_reason(one, is_warning=True) for one in tried.row_warnings),
        ),
        skipped=tried.skipped,
        warnings=tried.warnings,
        guess=tried.guess,
    )


def _row(row: Mapping[str, Any], *, columns: Sequence[str]) -> TriedRow:
    values = tuple(_said(row.get(name)) for name in columns if name != "_row")
    return TriedRow(number=int(row["_row"]), values=values)


def _reason(found: Finding, *, is_warning: bool = False) -> TriedReason:
    return TriedReason(
        code=found.code,
        zh=found.words_zh,
        en=found.words,
        rows=found.rows,
        first=found.first_rows,
        is_warning=is_warning,
    )


def _said(value: object) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(_said, value))
    return "–" if value is None else {"\t": "tab"}.get(str(value), str(value))
