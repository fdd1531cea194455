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
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import polars as pl

from data_contracts.contract import load_contract
from data_contracts.errors import DeliveryError, ForestallError
from data_contracts.files.delivery import read_delivery
from data_contracts.files.reading import Reading
from data_contracts.mappings.mapping import SourceMapping, load_mapping
from pipelines.settings import IngestLimits

__all__ = ["Parser"]

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

    def __init__(self, *, limits: IngestLimits, sources_folder: Path | None = None) -> None:
        self._limits = limits
        self._sources_folder = sources_folder
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
        folder = str(self._sources_folder) if self._sources_folder else None
        answer = self._ask(
            {"place": str(place), "dataset": dataset, "source": source, "folder": folder}
        )
        if "error" in answer.header:
            raise DeliveryError(answer.header["error"], remedy=answer.header["remedy"] or REMEDY)
        return Reading(
            rows=pl.read_ipc(answer.body),
            skipped=answer.header["skipped"],
            warnings=tuple(answer.header["warnings"]),
            notes=tuple(answer.header["notes"]),
        )

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


def _start_child(*, memory_mb: int) -> _Child:
    ours, theirs = Pipe()
    # Our copy of their end is closed at once: only then does the end of the process end the wait.
    with theirs:
        process = subprocess.Popen(  # noqa: S603 -- no word of the command comes from outside
            [
                sys.executable,
                "-m",
                "pipelines.ingestion.parser",
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
            header, body = _parse(**question)
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
    body = io.BytesIO()
    reading.rows.write_ipc(body)
    header = {
        "skipped": dict(reading.skipped),
        "warnings": reading.warnings,
        "notes": reading.notes,
    }
    return header, body.getvalue()


@cache
def _mapping(source: str, folder: str | None) -> SourceMapping:
    return load_mapping(source, folder=Path(folder) if folder else None)


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
