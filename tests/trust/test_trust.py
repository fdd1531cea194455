"""The parts of the battery find what is wrong, and the report says it."""

import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.trust.battery import Outcome
from tests.trust.crashes import trials
from tests.trust.crashes.deeds import DEEDS, Deed
from tests.trust.crashes.trials import Trials
from tests.trust.degraded import Degraded, DegradedCase
from tests.trust.hostile_input import HostileInput
from tests.trust.load import Load, Pressed
from tests.trust.once_found import ONCE_FOUND, Held
from tests.trust.report import Circumstances, write_report

ROOT = Path(__file__).parents[2]
HERE = Circumstances(
    revision="abc1234", finished_at=datetime(2026, 12, 1, 9, tzinfo=UTC), minutes=7, cores=2,
    load_average=1.5,
)  # fmt: skip


def test_points_are_spread_over_all_calls() -> None:
    log = "\n".join(
        f'7 pwrite64(3</home/trial/serving.db>, "x", 1, {number}) = 1' for number in range(9)
    ) + '\n8 write(1</dev/pts/0>, "y", 1) = 1\n7 fsync(3</home/trial/serving.db>) = 0'  # fmt: skip
    points = list(trials._points(log, "/home/trial"))
    assert [(point.call, point.count) for point in points] == [
        *(("pwrite64", number) for number in range(1, 10)),
        ("fsync", 1),
    ]
    plan = trials._plan(points, trials=6, tracing=True)
    assert [point and (point.call, point.count) for point in plan] == [
        ("pwrite64", 2), ("pwrite64", 4), ("pwrite64", 7), ("pwrite64", 9), None, None,
    ]  # fmt: skip
    assert trials._plan(points, trials=3, tracing=False) == [None] * 3


def test_a_publication_that_is_killed_is_whole_and_one_that_was_changed_is_not(
    tmp_path: Path,
) -> None:
    deed = DEEDS["publication"]
    deed.prepare(tmp_path)
    before = deed.contents(tmp_path)
    deed.run(tmp_path)
    after = deed.contents(tmp_path)
    assert before["alerts"] != after["alerts"]
    assert after["alerts"][0] == 40
    found = Trials(name="publication")
    trials._compare(deed, tmp_path, after, found, where="here")
    assert found.faults == []
    with closing(sqlite3.connect(tmp_path / "serving.db")) as database, database:
        database.execute("UPDATE alerts SET score = 0.1 WHERE person = 'p1_7' AND score > 0.5")
    trials._compare(deed, tmp_path, after, found, where="here")
    assert [fault for fault in found.faults if "alerts" in fault]


@pytest.mark.skipif(not trials.can_trace(), reason="there is no strace")
def test_a_deed_is_killed_at_the_call_that_was_chosen(tmp_path: Path) -> None:
    deed = DEEDS["publication"]
    prepared = tmp_path / "prepared"
    prepared.mkdir()
    deed.prepare(prepared)
    before = deed.contents(prepared)
    shutil.copytree(prepared, tmp_path / "trial")
    found = Trials(name="publication")
    point = trials.Point("pwrite64", 1)
    trials._kill(deed, tmp_path / "trial", point, found, delay_s=0)
    assert (found.by_call, found.ended, found.faults) == (Counter({"pwrite64": 1}), 0, [])
    assert deed.contents(tmp_path / "trial") == before


def test_a_deed_that_fails_afterwards_is_told(tmp_path: Path) -> None:
    def fail(_folder: Path) -> None:
        raise ValueError("no")

    broken: Deed = replace(DEEDS["publication"], run=fail)
    found = Trials(name="publication")
    trials._compare(broken, tmp_path, {}, found, where="here")
    assert found.faults == ["here: the next run failed: ValueError('no')"]


def test_every_finding_has_tests_that_are_there() -> None:
    assert [found.number for found in ONCE_FOUND] == list(range(1, 22))
    for found in ONCE_FOUND:
        for test in found.tests:
            path, _, name = test.partition("::")
            assert f"def {name}(" in (ROOT / path).read_text(), test


def test_the_report_says_what_failed_and_what_was_not_run() -> None:
    crash = Trials(name="load", points=9, by_call=Counter(fsync=2), timed=1, rows=1200)
    case = DegradedCase(part="the vault", list_status=200, result_status=500, ready_status=200)
    case.faults.append("a result was answered with 500")
    pressed = Pressed(name="list", clients=8, seconds=2, waits_ms=[1.0, 2.0, 3.0, 4.0])
    outcome = Outcome(
        is_short=True,
        traced=True,
        crashes=[crash],
        hostile=HostileInput(spoilt=3, broken=4, read=1, refused=3),
        degraded=Degraded(cases=[case], requests=5),
        load=Load(pressed=[pressed], held_open=2, still_open=2, memory_mib=[250.0]),
        held=[Held(found=ONCE_FOUND[0], passed=3, failed=0, skipped=1)],
    )
    page = write_report(outcome, HERE)
    assert "Revision abc1234, 2026-12-01 09:00 UTC, 7 minutes on 2 cores" in page
    assert "| writers killed | 3 |" in page
    assert "| requests sent | 9 |" in page
    assert "**1 did not hold:**" in page
    assert "- without the vault: a result was answered with 500" in page
    assert "## Acknowledged writes\n\nNot part of this run." in page
    assert "3 passed, 0 failed, 1 left out" in page
