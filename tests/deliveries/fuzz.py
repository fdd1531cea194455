"""Loads many spoilt deliveries and holds what must always be so: ``make fuzz``.

Each delivery is drawn from a seed and its number alone, spoilt, and loaded by the real ingest,
fifty files at a time into a home of their own. What must hold:

- the load never fails, whatever the files hold;
- every row is accounted for, and there are as many rows as lines;
- a file that is only written otherwise is accepted in full, with the same values;
- whatever was spoilt: a party, amount or time that is accepted is the true one, or somebody is
  warned. Left out of this are changes that nobody can know, as of one digit for another.

    python -m tests.deliveries.fuzz --seed 7 --number 2000
    python -m tests.deliveries.fuzz --seed 7 --only 123     # one again, with its file on the screen
"""

import argparse
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random

import polars as pl

from pipelines.ingestion.ingest import ingest
from pipelines.ingestion.outcomes.reports import FileReport
from pipelines.ingestion.parsing.parser_process import Parser
from pipelines.ingestion.pseudonymisation import load_pseudonymiser
from pipelines.settings import IngestLimits, Settings
from pipelines.storage.lake import Lake
from tests.deliveries.draft import COLUMNS, Draft, draw_draft
from tests.deliveries.mutations import CRUEL, KINDLY
from tests.pipelines.landing import SHANGHAI

__all__ = ["Fault", "fuzz_deliveries", "spoil_delivery"]

RECEIVED_AT = datetime(2026, 6, 20, 8, tzinfo=SHANGHAI)
BATCH = 50
CONTROLS = 5  # in so many a batch nothing is changed: what they are warned of says nothing
FEW_LINES = 3  # a field that goes on for longer was never meant to
COUNTS = ("accepted", "quarantined", "duplicates", "skipped", "held")
# These warn of what was not accepted, so they excuse nothing that was.
OF_OTHERS = re.compile("rejected for|rows? left out|headings are taken from")
VALUES = {
    "calls": ("number", "peer", "direction", "service", "started_at", "duration_s"),
    "transfers": ("account", "payee", "direction", "amount_cny", "occurred_at"),
}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What went wrong with one delivery, by its number."""

    number: int
    changes: str
    text: str


def spoil_delivery(number: int, *, seed: int) -> Draft:
    """The delivery of this number: good, written otherwise, spoilt, or both."""
    random = Random(f"{seed} {number}")
    draft = draw_draft(random, number=number)
    if number % BATCH < CONTROLS:
        return draft
    kindly = random.sample(KINDLY, random.randint(0, 3))
    cruel = [random.choice(CRUEL)] if random.random() < 0.7 else []
    for mutation in sorted(kindly, key=KINDLY.index) + cruel:
        mutation(draft, random)
        draft.changes.append(mutation.__name__)
    draft.lawful = not cruel
    return draft


def fuzz_deliveries(numbers: Iterable[int], *, seed: int) -> Iterator[Fault]:
    """Load the deliveries in batches; yield every fault."""
    waiting = list(numbers)
    with Parser(limits=IngestLimits()) as parser:
        for first in range(0, len(waiting), BATCH):
            batch = waiting[first : first + BATCH]
            drafts = {number: spoil_delivery(number, seed=seed) for number in batch}
            yield from _load_batch(drafts, parser=parser)


def _load_batch(drafts: Mapping[int, Draft], *, parser: Parser) -> Iterator[Fault]:
    """Load a batch; one that fails is loaded again file by file, to find who did it."""
    try:
        outcome = _Outcome.of(list(drafts.values()), parser=parser)
    except Exception:  # noqa: BLE001 -- that nothing is raised is what is tried
        if len(drafts) == 1:
            ((number, draft),) = drafts.items()
            last = traceback.format_exc().strip().splitlines()[-1]
            yield _fault(number, draft, f"the load failed: {last}")
            return
        for number, draft in drafts.items():
            yield from _load_batch({number: draft}, parser=parser)
        return
    for number, draft in drafts.items():
        found = list(outcome.faults_of(draft))
        if found:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            yield _fault(number, draft, found[0] + more)


def _fault(number: int, draft: Draft, text: str) -> Fault:
    return Fault(number=number, changes=" + ".join(draft.changes) or "nothing changed", text=text)


class _Outcome:
    """What one load made of its files."""

    def __init__(
        self, *, reports: Mapping[str, FileReport], lake: Mapping[str, pl.DataFrame],
        pseudonyms: Mapping[str, str], usual: frozenset[str],
    ) -> None:  # fmt: skip
        self._reports = reports
        self._lake = lake
        self._pseudonyms = pseudonyms
        self._usual = usual

    @classmethod
    def of(cls, drafts: Sequence[Draft], *, parser: Parser) -> "_Outcome":
        """Load the files into a new home and look at it."""
        with tempfile.TemporaryDirectory() as folder:
            landing, settings = Path(folder) / "landing", _settings_in(Path(folder))
            for draft in drafts:
                place = landing / draft.path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(draft.content())
            report = ingest(landing, settings=settings, received_at=RECEIVED_AT, parser=parser)
            lake = Lake(settings.lake_folder)
            reports = {file.path: file for file in report.files}
            untouched = [reports[draft.path] for draft in drafts if not draft.changes]
            return cls(
                reports=reports,
                lake={dataset: lake.scan(dataset).collect() for dataset in VALUES},
                pseudonyms=_pseudonyms_of(drafts, settings=settings),
                usual=frozenset(_plain(text) for file in untouched for text in file.warnings),
            )

    def faults_of(self, draft: Draft) -> Iterator[str]:
        """Everything that does not hold for this delivery."""
        report = self._reports[draft.path]
        accounted = sum(getattr(report, name) for name in COUNTS)
        if report.rows != accounted:
            yield f"{report.rows} rows came, {accounted} are accounted for"
        if report.status != "unreadable":
            yield from _line_faults(report, draft)
        rows = self._lake[draft.dataset].filter(pl.col("source") == report.source)
        if rows.height != report.accepted:
            yield f"{report.accepted} rows accepted, {rows.height} in the lake"
        if draft.lawful:
            yield from _refusals(report, draft)
        warned = [
            text
            for text in report.warnings
            if _plain(text) not in self._usual and not OF_OTHERS.search(text)
        ]
        if not warned:
            yield from self._value_faults(rows, draft)

    def _value_faults(self, rows: pl.DataFrame, draft: Draft) -> Iterator[str]:
        truth = {record: self._lake_values(row, draft) for record, row in draft.truth.items()}
        known = set(truth.values())
        forgiven = {truth[record] for record in draft.unknowable}
        for record, *values in rows.select("record_id", *VALUES[draft.dataset]).iter_rows():
            found = tuple(values)
            wanted = truth.get(record)
            if record in draft.unknowable or found == wanted or (wanted is None and found in known):
                continue
            if forgiven and (wanted is None or len(forgiven) == len(truth)):
                continue  # the record number itself may be spoilt
            names = VALUES[draft.dataset]
            other = [name for name, one, two in zip(names, found, wanted or found, strict=True)
                     if one != two]  # fmt: skip
            yield f"{record} was accepted with another {', '.join(other) or 'record number'}"

    def _lake_values(self, row: Sequence[str], draft: Draft) -> tuple[object, ...]:
        value = dict(zip(COLUMNS[draft.dataset], row, strict=True))
        if draft.dataset == "calls":
            return (
                self._pseudonyms[value["msisdn"]], self._pseudonyms[value["peer_number"]],
                value["direction"], value["service"],
                datetime.fromisoformat(value["started_at"]).replace(tzinfo=SHANGHAI),
                int(value["duration_s"]),
            )  # fmt: skip
        return (
            self._pseudonyms[value["account_id"]], self._pseudonyms[value["peer_account"]],
            value["direction"], Decimal(value["amount"]),
            datetime.fromisoformat(value["occurred_at"]).replace(tzinfo=SHANGHAI),
        )  # fmt: skip


def _settings_in(folder: Path) -> Settings:
    """The settings of a new home that never holds a file for its share of bad rows: each row is
    judged.
    """
    return Settings(home=folder / "home", ingest=IngestLimits(held_share=1))


def _pseudonyms_of(drafts: Sequence[Draft], *, settings: Settings) -> Mapping[str, str]:
    """The keys of all true numbers and accounts, which are written as their keys want them."""
    pseudonymiser = load_pseudonymiser(settings)
    keyed = {"calls": pseudonymiser.numbers, "transfers": pseudonymiser.accounts}
    found: dict[str, str] = {}
    for dataset, pseudonyms in keyed.items():
        raws = [value for draft in drafts if draft.dataset == dataset
                for row in draft.truth.values() for value in row[1:3]]  # fmt: skip
        found |= dict(zip(raws, pseudonyms(pl.Series(raws, dtype=pl.String)), strict=True))
    return found


def _line_faults(report: FileReport, draft: Draft) -> Iterator[str]:
    """There must be as many rows as lines; a blank line may count as one that was left out, and a
    quoted field may go on in the next line.
    """
    encoding = "utf-16" if draft.encoding.startswith("utf-16") else draft.encoding
    lines = re.split(r"\r\n|\n|\r", draft.content().decode(encoding, "replace"))
    full = sum(bool(line.strip("\ufeff \t")) for line in lines)
    least, most = full - 1 - len(draft.before) - _joined_lines(lines), len(lines) - 1
    if not least <= report.rows <= most:
        yield f"{report.rows} rows from {full} lines, the headings among them"


def _joined_lines(lines: Sequence[str]) -> int:
    """How many lines may go on in the next one, since a quoted field is open at their end."""
    unbalanced = [number for number, line in enumerate(lines) if line.count('"') % 2]
    gaps = (later - earlier for earlier, later in pairwise(unbalanced))
    return sum(gap for gap in gaps if gap <= FEW_LINES)


def _refusals(report: FileReport, draft: Draft) -> Iterator[str]:
    wanted = ("accepted", len(draft.truth), draft.doubled)
    found = (report.status, report.accepted, report.duplicates)
    if found != wanted:
        why = report.reason or f"{report.quarantined} rows are in quarantine"
        yield f"lawful, but {report.status} with {report.accepted} of {len(draft.truth)}: {why}"


def _plain(text: str) -> str:
    """A warning without the names and numbers in it."""
    return re.sub(r"src[a-z]{4}|\d+", "#", text)


def main() -> None:
    """Fuzz as the command line says; exit with 1 if anything was wrong."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--number", type=int, default=2000)
    options.add_argument("--only", type=int, help="this delivery alone, shown on the screen")
    chosen = options.parse_args()
    numbers: Sequence[int] = range(chosen.number)
    if chosen.only is not None:
        first = chosen.only - chosen.only % BATCH
        numbers = sorted({*range(first, first + CONTROLS), chosen.only})
        sys.stdout.write(spoil_delivery(chosen.only, seed=chosen.seed).content().decode("utf-8",
                         "backslashreplace") + "\n")  # fmt: skip
    begun, count = time.monotonic(), 0
    for fault in fuzz_deliveries(numbers, seed=chosen.seed):
        count += 1
        sys.stdout.write(f"--seed {chosen.seed} --only {fault.number} ({fault.changes}): "
                         f"{fault.text}\n")  # fmt: skip
        sys.stdout.flush()
    took = time.monotonic() - begun
    sys.stdout.write(f"{len(numbers)} deliveries, {count} faults, {took:.0f} s\n")
    sys.exit(min(count, 1))


if __name__ == "__main__":
    main()
