"""What a load reports of each file."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from data_contracts.words.counts import choose_form
from data_contracts.words.rejection_words import CONFLICT_CODE
from pipelines.ingestion.outcomes.findings import Finding
from pipelines.storage.ledger import Decision, FileStatus, LoadedFile

__all__ = ["FileReport", "IngestReport", "report_file", "report_gone_file", "report_known_file"]

REJECTED_REMEDY = (
    "`forestall quarantine --reveal` shows the rows. Mend the source's mapping "
    "(`forestall sources try FILE`) and run `forestall quarantine --retry`, or ask the source to "
    "deliver them right."
)
FOREIGN_COPY = "the same file came as {} from {}; its rows count once, as those of {}"


@dataclass(frozen=True, kw_only=True)
class FileReport:
    """What became of a delivered file: rows = accepted + quarantined + duplicates + skipped + held.

    ``status`` is ``accepted``, ``partly`` (some rows are in quarantine), ``held`` (the whole file
    waits for somebody), ``unreadable``, ``duplicate`` (loaded before) or ``gone`` (it waited, and
    is no longer in the landing folder). ``reason`` says why a file
    or some of its rows are not accepted and ``remedy`` what to do; ``rejected`` are the reasons of
    the rows, the most frequent first. ``warnings`` are what somebody should read though it is
    accepted.
    """

    path: str
    dataset: str
    source: str
    rows: int
    accepted: int
    quarantined: int
    duplicates: int
    skipped: int
    held: int
    status: FileStatus | Literal["gone"]
    reason: str
    remedy: str = ""
    rejected: tuple[Finding, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class IngestReport:
    """What one run of ``ingest`` did, file by file, what was decided beside the rules, and the
    lake's version after it.
    """

    files: tuple[FileReport, ...]
    version: str
    decisions: tuple[Decision, ...] = ()

    @property
    def waiting(self) -> tuple[FileReport, ...]:
        """The files that wait for somebody: held, or not to be read."""
        return tuple(file for file in self.files if file.status in {"held", "unreadable"})


def report_file(file: LoadedFile, *, rejected: Sequence[Finding] = ()) -> FileReport:
    """The report of a file with the reasons for which rows of it were ``rejected``."""
    is_partly = file.status == "partly"
    return FileReport(
        path=file.path,
        dataset=file.dataset,
        source=file.source,
        rows=file.rows,
        accepted=file.accepted,
        quarantined=file.quarantined,
        duplicates=file.duplicates,
        skipped=file.skipped,
        held=file.held,
        status=file.status,
        reason=_reason_of_part(file, rejected) if is_partly else file.reason,
        remedy=_remedy_of_part(file, rejected) if is_partly else file.remedy,
        rejected=tuple(rejected),
        warnings=file.warnings,
    )


def report_known_file(
    before: LoadedFile, *, path: str, why: str, source: str | None = None
) -> FileReport:
    """The report of a file at ``path`` whose rows are all known since ``before``, with a warning if
    it comes from another ``source`` than that: one of the two names is wrong. ``None`` is the same.
    """
    warning = FOREIGN_COPY.format(before.path, before.source, before.source)
    known = dataclasses.replace(
        before,
        path=path,
        source=source or before.source,
        accepted=0,
        quarantined=0,
        skipped=0,
        held=0,
        duplicates=before.rows,
        status="duplicate",
        warnings=() if source in (None, before.source) else (warning,),
        reason=why,
    )
    return report_file(known)


def report_gone_file(file: LoadedFile) -> FileReport:
    """The report of a file that waited and is no longer in the landing folder."""
    return FileReport(
        path=file.path,
        dataset=file.dataset,
        source=file.source,
        rows=0,
        accepted=0,
        quarantined=0,
        duplicates=0,
        skipped=0,
        held=0,
        status="gone",
        reason=f"it waited ({file.reason.rstrip('.')}) and is no longer in the landing folder",
    )


def _remedy_of_part(file: LoadedFile, rejected: Sequence[Finding]) -> str:
    if not any(finding.code == CONFLICT_CODE for finding in rejected):
        return REJECTED_REMEDY
    return (
        "If the file corrects the earlier one, ingest the folder with --replace "
        f"{file.path}; it must hold all rows then. Else: {REJECTED_REMEDY}"
    )


def _reason_of_part(file: LoadedFile, rejected: Sequence[Finding]) -> str:
    most = ", ".join(f"{one.code} ({one.rows})" for one in rejected[:3])
    more = ", …" if len(rejected) > 3 else ""
    verb = choose_form(file.quarantined, "is", "are")
    return f"{file.quarantined} of {file.rows} rows {verb} rejected: {most}{more}"
