"""Parts of an installation taken away one by one while its pages are served.

Each time: is the last good list still shown, with the moment that it is of? Is a result written
down, or refused in words? Do liveness and readiness tell the truth? What does the command say that
needs the part? And is all as before once the part is back, without anybody's doing?
"""

import gc
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest

from pipelines.ingestion.ingest import ingest
from pipelines.settings import Settings
from pipelines.storage.event_store.store import EventStore
from serving.publishing import alert_id_of, publish_watchlist
from tests.benchmarks.services.servers import ROOT
from tests.pipelines.landing import DAY, RECEIVED_AT, calls, put, put_district
from tests.pipelines.small_disk import SmallDisk, mounted
from tests.serving.published import MIDNIGHT, a_watchlist, an_alert
from tests.trust.served import Served

__all__ = ["Degraded", "DegradedCase", "take_parts_away"]

LIST = "/api/v1/watchlists/latest"
PEOPLE = 20
SETTLE_S = 20


@dataclass(kw_only=True)
class DegradedCase:
    """What was seen of one part: ``list_shown`` and ``result`` are statuses, ``said`` what the
    command said.
    """

    part: str
    list_status: int = 0
    result_status: int = 0
    ready_status: int = 0
    said: str = ""
    faults: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Degraded:
    """All cases, and why disks were left out where they were."""

    cases: list[DegradedCase] = field(default_factory=list)
    left_out: str = ""
    requests: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A part: how it goes, whether the list can be shown without it, the status of readiness then,
    and the command that has to say something. A disk is not made read-only under who has files
    open on it: then nothing ``is_served`` meanwhile.
    """

    name: str
    gone: Callable[[], AbstractContextManager[None]]
    has_list: bool = True
    takes_results: bool = True
    ready: int = 200
    command: tuple[str, ...] = ()
    is_served: bool = True


def take_parts_away(folder: Path, *, say: Callable[[str], None]) -> Degraded:
    """Serve a small installation and take its parts away one by one; ``say`` which."""
    begun, found = time.monotonic(), Degraded()
    with ExitStack() as stack:
        disk = _small_disk(stack, folder / "disk")
        if disk is None:
            found.left_out = "full and read-only disks were left out: mounting one needs root"
        settings = _install((disk.folder if disk else folder) / "home", folder / "landing")
        _deliver_more(folder / "landing")
        served = stack.enter_context(Served(settings))
        trial = _Trial(served)
        for part in _parts(settings, folder / "landing", disk):
            say(f"without {part.name}")
            found.cases.append(trial.run(part))
        found.requests = trial.requests
    found.seconds = time.monotonic() - begun
    return found


def _small_disk(stack: ExitStack, folder: Path) -> SmallDisk | None:
    try:
        return stack.enter_context(mounted(folder, size="64m"))
    except pytest.skip.Exception:
        return None


def _install(home: Path, landing: Path) -> Settings:
    """A home that was loaded and laid out, with a list that somebody may work on."""
    from pipelines.storage.installation.databases import open_serving_database
    from pipelines.storage.installation.vault import Vault

    settings = Settings(home=home)
    ingest(put_district(landing), settings=settings, received_at=RECEIVED_AT)
    EventStore.of(settings).bring_forward()
    Vault.open(settings)
    engine = open_serving_database(settings)
    listed = (an_alert(f"p1_{n}", n + 1, score=0.5) for n in range(PEOPLE))
    publish_watchlist(engine, a_watchlist(*listed))
    engine.dispose()
    return settings


def _deliver_more(landing: Path) -> None:
    day = DAY + timedelta(days=2)
    put(landing, f"calls/{day}/cmcc.parquet", calls(day=day, first_line=20))


def _parts(settings: Settings, landing: Path, disk: SmallDisk | None) -> Sequence[_Part]:
    home = settings.home
    load = ("ingest", str(landing))
    score = ("score", "--at", "2026-08-04")
    parts = [
        _Part(name="the lake", gone=partial(_away, settings.lake_folder), command=load),
        _Part(name="the ledger", gone=partial(_away, settings.lake_folder / "ledger.db"),
              command=load),
        _Part(name="the ledger, for a list",
              gone=partial(_away, settings.lake_folder / "ledger.db"), command=score),
        _Part(name="the event store", gone=partial(_away, settings.store_folder)),
        _Part(name="the vault", gone=partial(_away, settings.vault_file), command=load),
        _Part(name="the keys", gone=partial(_away, settings.keys_folder), takes_results=False,
              ready=503, command=load),
        _Part(name="the registry of models", gone=partial(_away, home / "mlflow.db")),
        _Part(name="the serving database", gone=partial(_away, home / "serving.db"),
              has_list=False, takes_results=False, ready=503, command=("users", "list")),
    ]  # fmt: skip
    if disk is not None:
        parts += [
            _Part(name="room on the disk", gone=disk.full, takes_results=False, ready=503,
                  command=load),
            _Part(name="writes to the disk", gone=disk.read_only, is_served=False, command=load),
        ]  # fmt: skip
    return parts


@contextmanager
def _away(path: Path) -> Iterator[None]:
    """It is elsewhere, as after a failed mount."""
    elsewhere = path.with_name(f".{path.name}.elsewhere")
    had = path.exists()
    if had:
        path.rename(elsewhere)
    try:
        yield
    finally:
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        if had:
            elsewhere.rename(path)


class _Trial:
    """Asks the pages before, while and after."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._results = 0
        self.requests = 0

    def run(self, part: _Part) -> DegradedCase:
        """Take the part away, look, put it back, look again."""
        case = DegradedCase(part=part.name)
        with self._served.client() as client:
            before = self._get(client, LIST)
            if not part.is_served:
                self._served.kill()
                gc.collect()  # engines of ours hold files open until they are collected
            with part.gone():
                if part.is_served:
                    self._look(client, part, case, before=before)
                if part.command:
                    case.said = self._command(part.command, case)
            if not part.is_served:
                self._served.start()
            self._recover(client, case, before=before)
        return case

    def _look(
        self, client: httpx.Client, part: _Part, case: DegradedCase, *, before: httpx.Response
    ) -> None:
        now = self._get(client, LIST)
        case.list_status = now.status_code
        if now.status_code == 200:
            if _list_of(now) != _list_of(before):
                case.faults.append("the list is not the last good one")
            if not now.json().get("published_at"):
                case.faults.append("the list does not say of when it is")
        elif part.has_list or not _in_words(now):
            case.faults.append(f"no list: {now.text[:200]}")
        result = self._post(client)
        case.result_status = result.status_code
        if part.takes_results != (result.status_code == 201):
            case.faults.append(f"a result was answered with {result.status_code}")
        if result.status_code != 201 and not _in_words(result):
            case.faults.append(f"a result was refused without words: {result.text[:200]}")
        if self._get(client, "/health/live").status_code != 200:
            case.faults.append("it is called dead")
        case.ready_status = self._get(client, "/health/ready").status_code
        if case.ready_status != part.ready:
            case.faults.append(f"readiness says {case.ready_status}, not {part.ready}")

    def _recover(self, client: httpx.Client, case: DegradedCase, *, before: httpx.Response) -> None:
        """All is as before within some seconds, with nobody's doing."""
        until, seen = time.monotonic() + SETTLE_S, ""
        while time.monotonic() < until:
            seen = (
                f"list {self._get(client, LIST).status_code}, "
                f"ready {self._get(client, '/health/ready').status_code}, "
                f"result {self._post(client).status_code}"
            )
            if seen == "list 200, ready 200, result 201":
                break
            time.sleep(0.5)
        else:
            case.faults.append(f"not as before once it was back: {seen}")
        if _list_of(self._get(client, LIST)) != _list_of(before):
            case.faults.append("another list once it was back")

    def _get(self, client: httpx.Client, path: str) -> httpx.Response:
        self.requests += 1
        return client.get(path)

    def _post(self, client: httpx.Client) -> httpx.Response:
        """A result of the next alert that has none."""
        self.requests += 1
        alert_id = alert_id_of(at=MIDNIGHT, kind="nightly", person=f"p1_{self._results % PEOPLE}")
        version = self._results // PEOPLE
        answer = client.post(
            f"/api/v1/alerts/{alert_id}/dispositions",
            json={"result": "not_found_yet", "follow_up_days": []},
            headers={"If-Match": f'"{version}"'},
        )
        if answer.status_code == 201:
            self._results += 1
        return answer

    def _command(self, words: Sequence[str], case: DegradedCase) -> str:
        """What ``forestall`` says when it fails."""
        ended = subprocess.run(
            [sys.executable, "-m", "pipelines.cli.main", *words, "--home",
             str(self._served.settings.home)],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if ended.returncode == 0:
            case.faults.append(f"`{words[0]}` went on as if nothing was missing")
        if "Traceback" in ended.stderr:
            case.faults.append(f"`{words[0]}` ended in a traceback")
        said = ended.stderr.strip().rpartition("\n")[2]
        home = self._served.settings.home
        return said.replace(str(home), "HOME").replace(str(home.parent), "…")


def _list_of(answer: httpx.Response) -> object:
    """The list without what results change of it."""
    if answer.status_code != 200:
        return None
    said = answer.json()
    alerts = [(one["id"], one["rank"], one["score"]) for one in said.get("alerts", ())]
    return said.get("at"), said.get("published_at"), alerts


def _in_words(answer: httpx.Response) -> bool:
    """Whether it is a problem with what to do."""
    try:
        said = answer.json()
    except ValueError:
        return False
    return answer.status_code >= 400 and bool(said.get("detail")) and bool(said.get("remedy"))
