"""Reads deliveries in a process of its own, so that a hostile or broken file can end that process
and nothing else.

Run as a module it is that process: it takes one JSON line a file on its standard input and answers
each with two lengths, a JSON header and an Arrow IPC body. Answers are data only, never pickles.
"""

import io
import json
import logging
import os
import resource
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any, Self

import polars as pl

from data_contracts.contract import load_contract
from data_contracts.delivery import read_delivery
from data_contracts.errors import DeliveryError, ForestallError
from data_contracts.mapping import SourceMapping, load_mapping
from pipelines.settings import IngestLimits

__all__ = ["Parser"]

LENGTHS = struct.Struct(">QQ")
THREADS = "2"  # every thread takes address space, of which there is a limit
REMEDY = "Ask the source to deliver the file again, then ingest with --retry-held."


@dataclass(frozen=True, kw_only=True)
class _Answer:
    header: dict[str, Any]
    body: bytes


class Parser:
    """A parsing process that is started when needed, limited in memory and time, and replaced when
    it dies.
    """

    def __init__(self, *, limits: IngestLimits, sources_folder: Path | None = None) -> None:
        self._limits = limits
        self._sources_folder = sources_folder
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def read(
        self, place: Path, *, dataset: str, source: str
    ) -> tuple[pl.DataFrame, tuple[str, ...]]:
        """Return the file's normalised rows with ``_row`` and ``_problems``, and notes on what was
        ignored.

        Raises ``DeliveryError`` if the file is unreadable, too large or too slow, or ends the
        parsing process.
        """
        folder = str(self._sources_folder) if self._sources_folder else None
        answer = self._ask(
            {"place": str(place), "dataset": dataset, "source": source, "folder": folder}
        )
        if "error" in answer.header:
            raise DeliveryError(answer.header["error"], remedy=answer.header["remedy"] or REMEDY)
        return pl.read_ipc(answer.body), tuple(answer.header["notes"])

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _ask(self, question: dict[str, Any]) -> _Answer:
        process = self._started()
        timer = threading.Timer(self._limits.parser_seconds, process.kill)
        timer.start()
        try:
            return _exchange(process, question)
        except (EOFError, BrokenPipeError):
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

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(  # noqa: S603 -- no word of the command comes from outside
                [
                    sys.executable,
                    "-m",
                    "pipelines.ingestion.parser",
                    str(self._limits.parser_memory_mb),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # a library's panic may quote the file
                env=os.environ | {"POLARS_MAX_THREADS": THREADS},
            )
        return self._process


def _exchange(process: subprocess.Popen[bytes], question: dict[str, Any]) -> _Answer:
    if process.stdin is None or process.stdout is None:
        raise EOFError
    process.stdin.write(json.dumps(question).encode() + b"\n")
    process.stdin.flush()
    header, body = LENGTHS.unpack(_exactly(process.stdout, LENGTHS.size))
    return _Answer(
        header=json.loads(_exactly(process.stdout, header)), body=_exactly(process.stdout, body)
    )


def _exactly(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise EOFError
    return content


def _serve(answers: IO[bytes]) -> None:
    """Answer every line of standard input, until it ends."""
    for line in sys.stdin.buffer:
        question = json.loads(line)
        body = b""
        try:
            header, body = _parse(**question)
        except ForestallError as error:
            header = {"error": str(error), "remedy": error.remedy}
        except BaseException as error:  # noqa: BLE001 -- a panic of the Rust side is no Exception; no message: it may quote rows
            header = {"error": f"the file cannot be parsed ({type(error).__name__})", "remedy": ""}
        encoded = json.dumps(header).encode()
        answers.write(LENGTHS.pack(len(encoded), len(body)) + encoded)
        answers.write(body)
        answers.flush()


def _parse(
    *, place: str, dataset: str, source: str, folder: str | None
) -> tuple[dict[str, Any], bytes]:
    mapping = _mapping(source, folder)
    with _notes() as notes:
        frame = read_delivery(Path(place), contract=load_contract(dataset), mapping=mapping)
    body = io.BytesIO()
    frame.write_ipc(body)
    return {"notes": notes}, body.getvalue()


@cache
def _mapping(source: str, folder: str | None) -> SourceMapping:
    return load_mapping(source, folder=Path(folder) if folder else None)


@contextmanager
def _notes() -> Iterator[list[str]]:
    """Collect what the contracts' reader logs about a file."""
    notes: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: notes.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("data_contracts")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield notes
    finally:
        logger.removeHandler(handler)


def main() -> None:
    """Serve as the parsing process, within as many MiB of address space as the first argument says."""
    limit = int(sys.argv[1]) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold raw identifiers
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(
        sys.stderr.fileno(), sys.stdout.fileno()
    )  # whatever a library prints must not mix with the answers
    with suppress(BrokenPipeError):
        _serve(answers)


if __name__ == "__main__":
    main()
