"""Reads deliveries in a process of its own, so that a hostile or broken file can end that process
and nothing else.

Run as a module it is that process: over a connection it takes a JSON message a file and answers
each with two messages, a JSON header and an Arrow IPC body. Messages are bytes, never pickles:
whoever rules that process must not rule this one.
"""

import io
import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass, fields
from functools import lru_cache
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from data_contracts.contract import load_contract
from data_contracts.errors import DeliveryError, ForestallError
from data_contracts.files.file_reader import read_delivery
from data_contracts.files.kept_rows import KeptRow, KeptRowsReading, read_kept_rows
from data_contracts.files.read_result import Reading
from data_contracts.files.trial import TrialReading, read_trial
from data_contracts.mappings.layout import Layout
from data_contracts.mappings.mapping import SourceMapping, load_mapping, parse_mapping

# The process that reads needs no settings, and their import takes as long as all others of it.
if TYPE_CHECKING:
    from pipelines.settings import IngestLimits, Settings

__all__ = ["Parser", "lend_parser"]

THREADS = "2"  # every thread takes address space, of which there is a limit
REMEDY = "Ask the source to deliver the file again, then ingest with --retry-held."


@dataclass(frozen=True, kw_only=True)
class _Answer:
    header: dict[str, Any]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class _Child:
    process: subprocess.Popen[bytes]
    connection: Connection


class Parser:
    """A parsing process that is started when needed, limited in memory and time, and replaced when
    it dies.
    """

    def __init__(self, *, limits: "IngestLimits") -> None:
        self._limits = limits
        self._sources_folder: Path | None = None
        self._child: _Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def read(self, place: Path, *, dataset: str, source: str) -> Reading:
        """Return what reading the file gave.

        Raises ``DeliveryError`` if the file is unreadable, too large or too slow, or ends the
        parsing process.
        """
        return _reading(self._answer("read", place=str(place), dataset=dataset, source=source))

    def read_again(
        self, rows: Sequence[KeptRow], *, name: str, dataset: str, source: str, signs_repeat: bool
    ) -> KeptRowsReading:
        """Return what reading rejected rows of the file ``name`` gives today; see
        ``read_kept_rows``.

        Raises ``DeliveryError`` if they are too slow, or end the parsing process.
        """
        answer = self._answer(
            "read again",
            rows=[astuple(row) for row in rows],
            name=name,
            dataset=dataset,
            source=source,
            signs_repeat=signs_repeat,
        )
        return KeptRowsReading(
            reading=_reading(answer),
            unread=tuple(answer.header["unread"]),
            problems=tuple(answer.header["problems"]),
        )

    def try_file(
        self, place: Path, *, dataset: str | None, source: str, mapping: str | None = None
    ) -> TrialReading:
        """Return what is in a file and what is understood of it, with the source's mapping or with
        ``mapping``, a YAML text.

        Raises ``DeliveryError`` as ``read`` does, and where there is no table in the file.
        """
        answer = self._answer(
            "try", place=str(place), dataset=dataset, source=source, mapping=mapping
        )
        seen: dict[str, Any] = answer.header["seen"]
        for key in ("headings", "ignored"):
            seen[key] = tuple(seen[key])
        seen["layout"] = Layout.model_validate(seen["layout"])
        reading = _reading(answer) if "skipped" in answer.header else None
        return TrialReading(**seen, reading=reading)

    def _answer(self, verb: str, **question: object) -> _Answer:
        folder = str(self._sources_folder) if self._sources_folder else None
        answer = self._ask({"verb": verb, "folder": folder, **question})
        if "error" in answer.header:
            raise DeliveryError(answer.header["error"], remedy=answer.header["remedy"] or REMEDY)
        return answer

    def use_mappings(self, folder: Path | None) -> None:
        """From now on read with the mappings of this folder; none: with the built-in ones alone."""
        self._sources_folder = folder

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.process.kill()
            self._child.process.wait()
            self._child.connection.close()
            self._child = None

    def _ask(self, question: dict[str, Any]) -> _Answer:
        child = self._started()
        # Ending the process ends every wait for it, also one in the middle of an answer.
        timer = threading.Timer(self._limits.parser_seconds, child.process.kill)
        timer.start()
        try:
            return _exchange(child.connection, question)
        except (EOFError, OSError):  # it died before, after or inside an answer
            in_time = timer.is_alive()
            self.close()
            cause = (
                "ended the parsing process"
                if in_time
                else f"took over {self._limits.parser_seconds:g} s to parse"
            )
            raise DeliveryError(f"the file {cause}", remedy=REMEDY) from None
        finally:
            timer.cancel()

    def _started(self) -> _Child:
        if self._child is not None and self._child.process.poll() is not None:
            self.close()
        if self._child is None:
            self._child = _start_child(memory_mb=self._limits.parser_memory_mb)
        return self._child


@contextmanager
def lend_parser(parser: Parser | None, *, settings: "Settings") -> Iterator[Parser]:
    """A parser with the mappings of this installation: the given one, which goes on running, or one
    for this use alone.
    """
    with Parser(limits=settings.ingest) as own:
        reader = parser or own
        reader.use_mappings(settings.sources_folder)
        yield reader


def _start_child(*, memory_mb: int) -> _Child:
    ours, theirs = Pipe()
    # Our copy of their end is closed at once: only then does the end of the process end the wait.
    with theirs:
        process = subprocess.Popen(  # noqa: S603 -- no word of the command comes from outside
            [
                sys.executable,
                "-m",
                "pipelines.ingestion.parser_process",
                str(memory_mb),
                str(theirs.fileno()),
            ],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # a library's panic may quote the file
            env=os.environ | {"POLARS_MAX_THREADS": THREADS},
        )
    return _Child(process=process, connection=ours)


def _exchange(connection: Connection, question: dict[str, Any]) -> _Answer:
    connection.send_bytes(json.dumps(question).encode())
    return _Answer(header=json.loads(connection.recv_bytes()), body=connection.recv_bytes())


def _serve(connection: Connection) -> None:
    """Answer every message, until the other side hangs up."""
    while True:
        question = json.loads(connection.recv_bytes())
        body = b""
        try:
            header, body = _VERBS[question.pop("verb")](**question)
        except ForestallError as error:
            header = {"error": str(error), "remedy": error.remedy}
        except BaseException as error:  # noqa: BLE001 -- a panic of the Rust side is no Exception; no message: it may quote rows
            header = {"error": f"the file cannot be parsed ({type(error).__name__})", "remedy": ""}
        connection.send_bytes(json.dumps(header).encode())
        connection.send_bytes(body)


def _parse(
    *, place: str, dataset: str, source: str, folder: str | None
) -> tuple[dict[str, Any], bytes]:
    reading = read_delivery(
        Path(place), contract=load_contract(dataset), mapping=_mapping(source, folder)
    )
    return _packed(reading)


def _try(
    *, place: str, dataset: str | None, source: str, folder: str | None, mapping: str | None
) -> tuple[dict[str, Any], bytes]:
    said = parse_mapping(mapping, name="") if mapping else _mapping(source, folder)
    seen = read_trial(Path(place), dataset=dataset, mapping=said)
    header: dict[str, Any] = {
        "seen": {
            one.name: getattr(seen, one.name)
            for one in fields(seen)
            if one.name not in ("reading", "layout")
        }
        | {"layout": seen.layout.model_dump()}
    }
    if seen.reading is None:
        return header, b""
    packed, body = _packed(seen.reading)
    return header | packed, body


def _parse_again(
    *,
    rows: list[list[Any]],
    name: str,
    dataset: str,
    source: str,
    folder: str | None,
    signs_repeat: bool,
) -> tuple[dict[str, Any], bytes]:
    again = read_kept_rows(
        [KeptRow(number=number, row_json=said, is_delivered=how) for number, said, how in rows],
        contract=load_contract(dataset),
        mapping=_mapping(source, folder).of(dataset),
        signs_repeat=signs_repeat,
        name=name,
    )
    header, body = _packed(again.reading)
    return header | {"unread": again.unread, "problems": again.problems}, body


_VERBS: dict[str, Callable[..., tuple[dict[str, Any], bytes]]] = {
    "read": _parse,
    "read again": _parse_again,
    "try": _try,
}


def _packed(reading: Reading) -> tuple[dict[str, Any], bytes]:
    body = io.BytesIO()
    reading.rows.write_ipc(body)
    header = {
        "skipped": dict(reading.skipped),
        "warnings": reading.warnings,
        "notes": reading.notes,
    }
    return header, body.getvalue()


def _reading(answer: _Answer) -> Reading:
    return Reading(
        rows=pl.read_ipc(answer.body),
        skipped=answer.header["skipped"],
        warnings=tuple(answer.header["warnings"]),
        notes=tuple(answer.header["notes"]),
    )


def _mapping(source: str, folder: str | None) -> SourceMapping:
    """The mapping of a source, read anew when its folder has changed."""
    place = Path(folder) if folder else None
    files = sorted(place.glob("*.yaml")) if place is not None else []
    stamps = tuple((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files)
    return _load_mapping(source, place, stamps)


@lru_cache(maxsize=256)
def _load_mapping(
    source: str,
    folder: Path | None,
    stamps: tuple[tuple[str, int, int], ...],  # noqa: ARG001 -- a part of the cache's key
) -> SourceMapping:
    return load_mapping(source, folder=folder)


def main() -> None:
    """Serve as the parsing process.

    The first argument says within how many MiB of address space, the second is the file descriptor
    of the connection.
    """
    limit = int(sys.argv[1]) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold raw identifiers
    with Connection(int(sys.argv[2])) as connection, suppress(EOFError, OSError):
        _serve(connection)


if __name__ == "__main__":
    main()
