"""The pages under load, with connections held open, while lists are published; and their memory.

The generator of the load runs on the same cores.
"""

import resource
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import httpx
import numpy as np

from serving.database.engine import engine_for
from serving.publishing import alert_id_of, publish_watchlist
from tests.serving.published import MIDNIGHT, a_watchlist, an_alert
from tests.trust.served import Served, small_home

__all__ = ["Load", "Pressed", "press_pages", "resident_mib"]

ALERTS = 60
READERS, WRITERS = 8, 8
HELD_OPEN = 200
PUBLISH_EVERY_S = 2.0
MEMORY_EVERY_S = 2.0
MIB = 1 << 20


@dataclass(kw_only=True)
class Pressed:
    """What clients of one kind waited: ``waits_ms`` of answered requests, and other statuses."""

    name: str
    clients: int
    seconds: float = 0.0
    waits_ms: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def per_second(self) -> float:
        """Answered requests a second."""
        return len(self.waits_ms) / self.seconds if self.seconds else 0.0

    def percentile_ms(self, share: float) -> float:
        """How long a share of the requests waited at most."""
        return float(np.percentile(self.waits_ms, share * 100)) if self.waits_ms else 0.0


@dataclass(kw_only=True)
class Load:
    """Each kind of request, what was going on beside, and resident memory over time in MiB."""

    pressed: list[Pressed] = field(default_factory=list)
    held_open: int = 0
    still_open: int = 0
    published: int = 0
    memory_mib: list[float] = field(default_factory=list)
    soak_minutes: float = 0.0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """How many requests were answered."""
        return sum(len(one.waits_ms) for one in self.pressed)


def press_pages(folder: Path, *, each_s: float, soak_minutes: float = 0) -> Load:
    """Ask for the list, for the page of an alert, and write results, each for ``each_s`` seconds;
    then, if asked, all three at once for so many minutes.
    """
    begun, found = time.monotonic(), Load(soak_minutes=soak_minutes)
    settings = small_home(folder, alerts=ALERTS)
    kinds: list[tuple[str, int, Callable[[Served, int, Event], Iterator[httpx.Response]]]] = [
        ("list of alerts", READERS, _lists),
        ("page of an alert", READERS, _pages),
        ("results written", WRITERS, _results),
    ]
    with ExitStack() as stack:
        served = stack.enter_context(Served(settings))
        held = stack.enter_context(_held_open(served))
        stack.enter_context(_publishing(settings.serving_database_url, found))
        stack.enter_context(_watching(served, found))
        found.held_open = len(held)
        for name, clients, kind in kinds:
            found.pressed.append(_press(served, name, clients, kind, seconds=each_s))
        if soak_minutes:
            with ThreadPoolExecutor(len(kinds)) as pool:
                pressed = [
                    pool.submit(_press, served, f"{name}, all at once", 2, kind,
                                seconds=soak_minutes * 60)
                    for name, _, kind in kinds
                ]  # fmt: skip
                found.pressed += [one.result() for one in pressed]
        found.still_open = sum(map(_is_open, held))
    found.faults += [
        f"{one.name}: {count} times {status}"
        for one in found.pressed
        for status, count in one.errors.items()
    ]
    if found.still_open != found.held_open:
        found.faults.append(f"{found.held_open - found.still_open} open streams were closed")
    found.seconds = time.monotonic() - begun
    return found


def _press(
    served: Served,
    name: str,
    clients: int,
    kind: Callable[[Served, int, Event], Iterator[httpx.Response]],
    *,
    seconds: float,
) -> Pressed:
    pressed, over = Pressed(name=name, clients=clients), Event()
    begun = time.monotonic()

    def ask(number: int) -> None:
        requests = kind(served, number, over)
        next(requests)
        while not over.is_set():
            asked = time.perf_counter()
            try:
                answer = next(requests)
            except httpx.TransportError as error:
                pressed.errors[type(error).__name__] += 1
                continue
            if answer.status_code >= 400:
                pressed.errors[str(answer.status_code)] += 1
            else:
                pressed.waits_ms.append((time.perf_counter() - asked) * 1000)

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(ask, number) for number in range(clients)]
        time.sleep(seconds)
        over.set()
        for one in running:
            one.result()
    pressed.seconds = time.monotonic() - begun
    return pressed


def _lists(served: Served, _number: int, over: Event) -> Iterator[httpx.Response]:
    with served.client() as client:
        while not over.is_set():
            yield client.get("/api/v1/alerts")


def _pages(served: Served, number: int, over: Event) -> Iterator[httpx.Response]:
    with served.client() as client:
        while not over.is_set():
            number += 1
            yield client.get(f"/api/v1/alerts/{_alert_id(number)}")


def _results(served: Served, number: int, over: Event) -> Iterator[httpx.Response]:
    """Each writer has alerts of its own, so that no two write one."""
    own = [_alert_id(one) for one in range(number, ALERTS, WRITERS)]
    with served.client() as client:
        versions = {
            one: len(client.get(f"/api/v1/alerts/{one}/dispositions").json()) for one in own
        }
        yield client.get("/health/live")  # what was asked before counts for nobody
        while not over.is_set():
            for one in own:
                answer = client.post(
                    f"/api/v1/alerts/{one}/dispositions",
                    json={"result": "not_found_yet", "follow_up_days": []},
                    headers={"If-Match": f'"{versions[one]}"'},
                )
                versions[one] += answer.status_code == 201
                yield answer


def _alert_id(number: int) -> str:
    return alert_id_of(at=MIDNIGHT, kind="nightly", person=f"p1_{number % ALERTS}")


def resident_mib(pid: int) -> float:
    """The resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / MIB


@contextmanager
def _held_open(served: Served) -> Iterator[list[socket.socket]]:
    """Streams of news that are listened to all the time."""
    host, _, port = served.address.removeprefix("http://").partition(":")
    said = (
        f"GET /api/v1/live HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: text/event-stream\r\n"
        f"Authorization: Bearer {served.token}\r\n\r\n"
    )
    held = []
    try:
        for _ in range(HELD_OPEN):
            one = socket.create_connection((host, int(port)), timeout=60)
            one.sendall(said.encode())
            if b" 200 " not in one.recv(4096).partition(b"\r\n")[0]:
                raise RuntimeError("a stream was not opened")
            held.append(one)
        yield held
    finally:
        for one in held:
            one.close()


def _is_open(held: socket.socket) -> bool:
    """Whether the other side has not hung up, whatever it has told meanwhile."""
    held.setblocking(False)
    try:
        while True:
            if not held.recv(1 << 16):
                return False
    except BlockingIOError:
        return True
    except OSError:
        return False


@contextmanager
def _publishing(url: str, found: Load) -> Iterator[None]:
    """Other lists of the same moment, one after the other."""
    over = Event()

    def publish() -> None:
        engine = engine_for(url)
        while not over.wait(PUBLISH_EVERY_S):
            score = 0.25 + 0.5 * (found.published % 2)
            listed = (an_alert(f"p1_{n}", n + 1, score=score) for n in range(ALERTS))
            publish_watchlist(engine, a_watchlist(*listed))
            found.published += 1
        engine.dispose()

    publisher = Thread(target=publish)
    publisher.start()
    try:
        yield
    finally:
        over.set()
        publisher.join()


@contextmanager
def _watching(served: Served, found: Load) -> Iterator[None]:
    """The memory of the web process, every few seconds."""
    over = Event()

    def watch() -> None:
        while not over.is_set():
            found.memory_mib.append(resident_mib(served.pid))
            over.wait(MEMORY_EVERY_S)

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
