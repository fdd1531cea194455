"""Reads deliveries in a process of its own, so that a hostile or broken file can end that process
and nothing else.

Over a connection that process takes a JSON message a file, and the file itself, opened: it may
open none (``pipelines.ingestion.parsing.confinement``). It answers each with two messages, a JSON
header and an Arrow IPC body. Messages are bytes, never pickles: whoever rules that process must not
rule this one.
"""

import errno
import io
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass, fields
from functools import lru_cache
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle, send_handle
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from data_contracts.contract import load_contract
from data_contracts.errors import DeliveryError, ForestallError
from data_contracts.files.file_reader import read_delivery
from data_contracts.files.kept_rows import KeptRow, KeptRowsReading, read_kept_rows
from data_contracts.files.read_result import Reading
from data_contracts.files.trial import TrialReading, read_trial
from data_contracts.mappings.layout import Layout
from data_contracts.mappings.mapping import SourceMapping, parse_mapping, read_mapping_text
from pipelines.ingestion.parsing.confinement import missing_protections

# The process that reads needs no settings, and their import takes as long as all others of it.
if TYPE_CHECKING:
    from pipelines.settings import IngestLimits, Settings

__all__ = ["Parser", "lend_parser", "serve_connection"]

log = logging.getLogger(__name__)

THREADS = "2"  # every thread takes address space, of which there is a limit
NO_LINKS = "Deliver the file itself in this place."
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

        Raises ``DeliveryError`` if the file is unreadable, a link, too large or too slow, or ends
        the parsing process.
        """
        with _opened(place, follows=False) as file:
            return _reading(self._answer("read", file=file, dataset=dataset, source=source))

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
            of=name,
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
        with _opened(place) as file:
            answer = self._answer("try", file=file, dataset=dataset, source=source, mapping=mapping)
        seen: dict[str, Any] = answer.header["seen"]
        for key in ("headings", "ignored"):
            seen[key] = tuple(seen[key])
        seen["layout"] = Layout.model_validate(seen["layout"])
        reading = _reading(answer) if "skipped" in answer.header else None
        return TrialReading(**seen, reading=reading)

    def _answer(
        self,
        verb: str,
        *,
        source: str,
        file: "_OpenFile | None" = None,
        mapping: str | None = None,
        **question: object,
    ) -> _Answer:
        """Ask, with the mapping of the source unless the question brings one."""
        try:
            said = ("", mapping) if mapping else read_mapping_text(source, self._sources_folder)
        except ForestallError as error:
            raise DeliveryError(str(error), remedy=error.remedy) from error
        request = {"verb": verb, "name": file.name if file else None, "mapping": said, **question}
        answer = self._ask(request, file=file)
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

    def _ask(self, question: dict[str, Any], *, file: "_OpenFile | None") -> _Answer:
        child = self._started()
        # Ending the process ends every wait for it, also one in the middle of an answer.
        timer = threading.Timer(self._limits.parser_seconds, child.process.kill)
        timer.start()
        try:
            return _exchange(child, question, file=file)
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
    _warn_of_missing_protections()
    ours, theirs = Pipe()
    # Our copy of their end is closed at once: only then does the end of the process end the wait.
    with theirs:
        process = subprocess.Popen(  # noqa: S603 -- no word of the command comes from outside
            [
                sys.executable,
                "-m",
                "pipelines.ingestion.parsing.confinement",
                str(memory_mb),
                str(theirs.fileno()),
                __name__,
            ],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # a library's panic may quote the file
            env=os.environ | {"POLARS_MAX_THREADS": THREADS},
        )
    return _Child(process=process, connection=ours)


@lru_cache(maxsize=1)
def _warn_of_missing_protections() -> None:
    """Say it once a process."""
    for missing in missing_protections():
        log.warning("the process that reads deliveries is not kept from %s", missing)


@dataclass(frozen=True, kw_only=True)
class _OpenFile:
    """A delivered file, opened by who asks and read by who is asked."""

    name: str
    descriptor: int


@contextmanager
def _opened(place: Path, *, follows: bool = True) -> Iterator[_OpenFile]:
    flags = os.O_RDONLY | os.O_CLOEXEC | (0 if follows else os.O_NOFOLLOW)
    try:
        descriptor = os.open(place, flags)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise DeliveryError("the file is a link", remedy=NO_LINKS) from error
        raise DeliveryError(
            f"the file cannot be opened ({error.strerror})", remedy=REMEDY
        ) from None
    try:
        yield _OpenFile(name=place.name, descriptor=descriptor)
    finally:
        os.close(descriptor)


def _exchange(child: _Child, question: dict[str, Any], *, file: _OpenFile | None) -> _Answer:
    connection = child.connection
    connection.send_bytes(json.dumps(question).encode())
    if file is not None:
        send_handle(connection, file.descriptor, child.process.pid)
    return _Answer(header=json.loads(connection.recv_bytes()), body=connection.recv_bytes())


def serve_connection(descriptor: int) -> None:
    """Answer everything that is asked over the connection of this descriptor, until the other side
    hangs up.
    """
    with Connection(descriptor) as connection, suppress(EOFError, OSError):
        while True:
            _answer_next(connection)


def _answer_next(connection: Connection) -> None:
    question = json.loads(connection.recv_bytes())
    name, body = question.pop("name"), b""
    if name is not None:
        question["file"] = _HandedFile(name=name, descriptor=recv_handle(connection))
    try:
        mapping = _mapping(*question.pop("mapping"))
        header, body = _VERBS[question.pop("verb")](mapping=mapping, **question)
    except ForestallError as error:
        header = {"error": str(error), "remedy": error.remedy}
    except BaseException as error:  # noqa: BLE001 -- a panic of the Rust side is no Exception; no message: it may quote rows
        header = {"error": f"the file cannot be parsed ({type(error).__name__})", "remedy": ""}
    finally:
        if name is not None:
            os.close(question["file"].descriptor)
    connection.send_bytes(json.dumps(header).encode())
    connection.send_bytes(body)


@dataclass(frozen=True, kw_only=True)
class _HandedFile:
    """A file that was opened for this process."""

    name: str
    descriptor: int

    @property
    def suffix(self) -> str:
        """The ending of its name."""
        return PurePath(self.name).suffix

    def read_bytes(self) -> bytes:
        """All that is in it, however often it is asked for."""
        with os.fdopen(os.dup(self.descriptor), "rb") as file:
            file.seek(0)
            return file.read()


def _parse(
    *, file: _HandedFile, dataset: str, mapping: SourceMapping
) -> tuple[dict[str, Any], bytes]:
    return _packed(read_delivery(file, contract=load_contract(dataset), mapping=mapping))


def _try(
    *, file: _HandedFile, dataset: str | None, mapping: SourceMapping
) -> tuple[dict[str, Any], bytes]:
    seen = read_trial(file, dataset=dataset, mapping=mapping)
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
    of: str,
    dataset: str,
    mapping: SourceMapping,
    signs_repeat: bool,
) -> tuple[dict[str, Any], bytes]:
    again = read_kept_rows(
        [KeptRow(number=number, row_json=said, is_delivered=how) for number, said, how in rows],
        contract=load_contract(dataset),
        mapping=mapping.of(dataset),
        signs_repeat=signs_repeat,
        name=of,
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


@lru_cache(maxsize=256)
def _mapping(name: str, text: str) -> SourceMapping:
    """The mapping that a text says; the default where there is none."""
    return parse_mapping(text, name=name) if text else SourceMapping()
