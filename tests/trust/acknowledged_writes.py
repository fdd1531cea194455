"""Results from several writers at once, while the web process is killed and started again: each
that was acknowledged is there, once.
"""

import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event, Lock

import httpx

from pipelines.safekeeping.verification import verify_installation
from serving.publishing import alert_id_of
from tests.serving.published import MIDNIGHT
from tests.trust.served import Served, small_home

__all__ = ["AcknowledgedWrites", "write_under_kills"]

WRITERS = 8
ALERTS_EACH = 25
TO_COME_AGAIN = {429, 503}


@dataclass(kw_only=True)
class AcknowledgedWrites:
    """How many results were acknowledged and are there, and how often the process was killed."""

    writers: int = WRITERS
    acknowledged: int = 0
    written: int = 0
    cut_off: int = 0
    kills: int = 0
    database: str = ""
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0


class _Writers:
    """What the writers share: whom they ask, and what they were told."""

    def __init__(self, served: Served, *, wanted: int) -> None:
        self._served = served
        self._lock = Lock()
        self.wanted = wanted
        self.acknowledged: list[tuple[str, int, str]] = []
        self.refused: Counter[int] = Counter()
        self.cut_off = 0
        self.done = Event()

    def write(self, writer: int) -> None:
        """Write one result after the other, each of the next of the own alerts."""
        alerts = [
            alert_id_of(at=MIDNIGHT, kind="nightly", person=f"p1_{n}")
            for n in range(writer * ALERTS_EACH, (writer + 1) * ALERTS_EACH)
        ]
        versions = dict.fromkeys(alerts, 0)
        number = 0
        with self._served.client() as client:
            while not self.done.is_set():
                alert_id = alerts[number % len(alerts)]
                note = f"writer {writer}, number {number}"
                number += 1
                versions[alert_id] = self._write_one(client, alert_id, versions[alert_id], note)

    def _write_one(self, client: httpx.Client, alert_id: str, version: int, note: str) -> int:
        """The version of the alert afterwards."""
        try:
            answer = client.post(
                f"/api/v1/alerts/{alert_id}/dispositions",
                json={"result": "not_found_yet", "note": note, "follow_up_days": []},
                headers={"If-Match": f'"{version}"'},
            )
        except httpx.TransportError:
            with self._lock:
                self.cut_off += 1
            return self._version_of(client, alert_id, version)
        if answer.status_code == 201:
            with self._lock:
                self.acknowledged.append((alert_id, version + 1, note))
                if len(self.acknowledged) >= self.wanted:
                    self.done.set()
            return version + 1
        with self._lock:
            self.refused[answer.status_code] += 1
            if answer.status_code not in TO_COME_AGAIN:
                self.done.set()
        return self._version_of(client, alert_id, version)

    def _version_of(self, client: httpx.Client, alert_id: str, version: int) -> int:
        while not self.done.is_set():
            try:
                answer = client.get(f"/api/v1/alerts/{alert_id}/dispositions")
                if answer.status_code == 200:
                    return len(answer.json())
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        return version


def write_under_kills(folder: Path, *, wanted: int, kills: int, seed: int) -> AcknowledgedWrites:
    """Let results be written until ``wanted`` are acknowledged; kill the process at random
    ``kills`` times on the way.
    """
    begun, random = time.monotonic(), Random(seed)
    settings = small_home(folder, alerts=WRITERS * ALERTS_EACH)
    moments = sorted(random.sample(range(wanted // 20, wanted), kills))
    with Served(settings) as served, ThreadPoolExecutor(WRITERS) as pool:
        writers = _Writers(served, wanted=wanted)
        running = [pool.submit(writers.write, number) for number in range(WRITERS)]
        try:
            for moment in moments:
                while len(writers.acknowledged) < moment and not all(r.done() for r in running):
                    time.sleep(0.001)
                time.sleep(random.uniform(0, 0.05))
                served.kill()
                served.start()
            for one in running:
                one.result()
        finally:
            writers.done.set()
    found = AcknowledgedWrites(
        acknowledged=len(writers.acknowledged), cut_off=writers.cut_off, kills=served.starts - 1
    )
    _look(settings.home / "serving.db", writers, found)
    (looked,) = (part for part in verify_installation(settings) if part.part == "serving.db")
    found.database = looked.detail
    if not looked.is_whole:
        found.faults.append(f"serving.db: {looked.detail}")
    found.seconds = time.monotonic() - begun
    return found


def _look(database: Path, writers: _Writers, found: AcknowledgedWrites) -> None:
    with closing(sqlite3.connect(database)) as connection:
        rows: Sequence[tuple[str, int, str]] = connection.execute(
            "SELECT alert_id, version, note FROM dispositions"
        ).fetchall()
    found.written = len(rows)
    there = Counter(rows)
    found.faults += [
        f"{row} is there {there[row]} times" for row in writers.acknowledged if there[row] != 1
    ]
    notes = Counter(note for _, _, note in rows)
    found.faults += [f"{note} was written {count} times" for note, count in notes.items()
                     if count > 1]  # fmt: skip
    if set(writers.refused) - TO_COME_AGAIN:
        found.faults.append(f"refused: {dict(writers.refused)}")
