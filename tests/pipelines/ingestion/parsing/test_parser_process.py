"""The parsing process: what a hostile or broken file does to it, and that the next file is still
read.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_contracts.errors import DeliveryError
from pipelines.ingestion.parsing import parser_process
from pipelines.ingestion.parsing.confinement import missing_protections
from pipelines.ingestion.parsing.parser_process import Parser
from pipelines.settings import IngestLimits
from tests.pipelines.landing import calls, put, put_text


def read(parser, place):
    reading = parser.read(place, dataset="calls", source="cmcc")
    return reading.rows, reading.notes


@pytest.fixture(scope="module")
def parser():
    """One for all tests that have nothing against it: starting its process takes longest."""
    with Parser(limits=IngestLimits()) as parser:
        yield parser


def test_rows_and_notes_come_back(tmp_path, parser):
    place = put(tmp_path, "cmcc.parquet", [row | {"imei": "0"} for row in calls(3)])
    rows, notes = read(parser, place)
    assert rows["_row"].to_list() == [1, 2, 3]
    assert rows["msisdn"].to_list() == ["13800000000", "13800000001", "13800000002"]
    assert len(notes) == 1
    assert "imei" in notes[0]


def test_one_process_reads_many_files_and_a_bad_one_stops_nobody(tmp_path, parser):
    good = put(tmp_path, "good.parquet", calls(3))
    bad = put_text(tmp_path, "bad.parquet", "PAR1 and no more")
    read(parser, good)
    first = parser._child.process.pid
    with pytest.raises(DeliveryError):
        read(parser, bad)
    assert read(parser, good)[0].height == 3
    assert parser._child.process.pid == first


def test_a_process_that_died_is_replaced(tmp_path, parser):
    good = put(tmp_path, "good.parquet", calls(3))
    read(parser, good)
    parser._child.process.kill()
    parser._child.process.wait()
    assert read(parser, good)[0].height == 3


def test_a_process_that_dies_inside_an_answer_ends_the_wait(tmp_path, parser):
    good = put(tmp_path, "good.parquet", calls(3))
    read(parser, good)
    pid = parser._child.process.pid
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(0.2, os.kill, (pid, signal.SIGKILL)).start()
    with pytest.raises(DeliveryError, match=r"ended the parsing process"):
        read(parser, good)
    assert read(parser, good)[0].height == 3


def test_the_process_ends_with_its_parser(tmp_path):
    good = put(tmp_path, "good.parquet", calls(3))
    with Parser(limits=IngestLimits()) as parser:
        read(parser, good)
        process = parser._child.process
    assert process.poll() is not None


def test_the_process_ends_when_the_one_that_asks_is_killed(tmp_path):
    """Nobody is left who would end it, so it sees that the connection is closed."""
    good = put(tmp_path, "good.parquet", calls(3))
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from pipelines.ingestion.parsing.parser_process import Parser\n"
        "from pipelines.settings import IngestLimits\n"
        "parser = Parser(limits=IngestLimits())\n"
        "parser.read(Path(sys.argv[1]), dataset='calls', source='cmcc')\n"
        "print(parser._child.process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    asking = subprocess.run(
        [sys.executable, "-c", code, str(good)], capture_output=True, text=True, check=False
    )
    child = Path(f"/proc/{int(asking.stdout)}/cmdline")
    until = time.monotonic() + 30
    while child.exists() and b"parser" in child.read_bytes() and time.monotonic() < until:
        time.sleep(0.05)
    assert not child.exists() or b"parser" not in child.read_bytes()


def test_a_file_that_takes_too_long_is_given_up(tmp_path):
    good = put(tmp_path, "good.parquet", calls(3))
    with (
        Parser(limits=IngestLimits(parser_seconds=0.01)) as parser,
        pytest.raises(DeliveryError, match="took over"),
    ):
        read(parser, good)


def test_a_file_that_unpacks_to_gigabytes_ends_its_process_only(tmp_path):
    bomb = tmp_path / "bomb.parquet"
    first = pa.array(np.zeros(8_000_000, dtype=np.int32))
    columns = {
        name: pa.DictionaryArray.from_arrays(first, pa.array([str(value)]))
        for name, value in calls(1)[0].items()
    }
    pq.write_table(pa.table(columns), bomb, store_schema=False)  # it reads as plain text
    assert pl.read_parquet_schema(bomb) == dict.fromkeys(columns, pl.String())
    assert bomb.stat().st_size < 5_000_000
    good = put(tmp_path, "good.parquet", calls(3))
    with Parser(limits=IngestLimits(parser_memory_mb=1_500)) as parser:
        with pytest.raises(DeliveryError, match=r"ended the parsing process|memory"):
            read(parser, bomb)
        assert read(parser, good)[0].height == 3


def test_flipped_bytes_in_a_footer_are_read_or_refused_without_quoting_the_file(tmp_path, parser):
    whole = put(tmp_path, "good.parquet", calls(3)).read_bytes()
    bad = tmp_path / "bad.parquet"
    refusals = []
    for back in range(12, 400, 16):
        bad.write_bytes(whole[:-back] + bytes([whole[-back] ^ 0xFF]) + whole[-back + 1 :])
        try:
            read(parser, bad)
        except DeliveryError as error:
            refusals.append(str(error))
    assert refusals
    assert not [text for text in refusals if "1380000" in text]


CONFINED = """
import os, socket, subprocess, sys, threading
from pipelines.ingestion.parsing.confinement import confine_process
confine_process()
import polars as pl
assert pl.DataFrame({"a": [1, 2]}).select(pl.col("a").sum()).item() == 3
made = []
thread = threading.Thread(target=lambda: made.append(1))
thread.start()
thread.join()
assert made == [1]
for name, deed in {
    "a foreign file": lambda: open(sys.argv[1]),
    "a foreign folder": lambda: os.listdir(os.path.dirname(sys.argv[1])),
    "a new file": lambda: open(sys.argv[1] + ".new", "w"),
    "a socket": lambda: socket.socket(),
    "a socket of this machine": lambda: socket.socket(socket.AF_UNIX),
    "a child": os.fork,
    "a program": lambda: subprocess.run(["true"]),
    "another process": lambda: os.kill(os.getppid(), 0),
}.items():
    try:
        deed()
    except PermissionError:
        continue
    print(name)
"""


@pytest.mark.skipif(bool(missing_protections()), reason=", ".join(missing_protections()))
def test_the_process_opens_no_file_no_socket_and_no_other_process(tmp_path):
    foreign = put_text(tmp_path, "secret.txt", "of somebody else")
    done = subprocess.run(
        [sys.executable, "-c", CONFINED, str(foreign)], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    assert [path.name for path in tmp_path.iterdir()] == ["secret.txt"]


@pytest.mark.skipif(bool(missing_protections()), reason=", ".join(missing_protections()))
def test_the_process_that_reads_is_confined_in_every_thread(tmp_path, parser):
    read(parser, put(tmp_path, "good.parquet", calls(3)))
    tasks = list(Path(f"/proc/{parser._child.process.pid}/task").iterdir())
    assert len(tasks) > 1
    for task in tasks:
        status = (task / "status").read_text()
        assert "NoNewPrivs:\t1\nSeccomp:\t2\n" in status


def test_what_is_missing_is_said_once(monkeypatch, caplog):
    monkeypatch.setattr(parser_process, "missing_protections", lambda: ("files (no kernel)",))
    parser_process._warn_of_missing_protections.cache_clear()
    for _ in range(2):
        parser_process._warn_of_missing_protections()
    parser_process._warn_of_missing_protections.cache_clear()
    assert caplog.messages == [
        "the process that reads deliveries is not kept from files (no kernel)"
    ]


def test_a_link_is_read_by_nobody(tmp_path, parser):
    good = put(tmp_path, "good.parquet", calls(3))
    (tmp_path / "link.parquet").symlink_to(good)
    with pytest.raises(DeliveryError, match="the file is a link"):
        read(parser, tmp_path / "link.parquet")
    with pytest.raises(DeliveryError, match=r"cannot be opened \(No such file"):
        read(parser, tmp_path / "none.parquet")
    assert read(parser, good)[0].height == 3
