"""News for those who watch: in order, once, and of the own communities only."""

import asyncio
import json
import time
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from serving.app import create_app
from serving.context.settings import ServingSettings
from serving.database.engine import write_transaction
from serving.notifications.live import endpoints
from serving.notifications.live.feed import Feed
from serving.notifications.live.listeners import Listeners
from serving.notifications.live.service import announce_change
from serving.publishing import Watchlist, publish_watchlist
from serving.vocabulary.roles import Role, Viewer
from tests.serving.conftest import Client, a_client
from tests.serving.published import ID_A, MORNING, a_tick, an_alert
from tests.serving.server import running

URL = "/api/v1/live"
VIEWERS: Mapping[str, Viewer | None] = {
    "in": Viewer(name="li.wei", role=Role.ANALYST, communities=None),
    "out": None,
}


def heard(text: str) -> list[tuple[int, str, dict[str, Any]]]:
    """Return the events of a stream: number, topic and data, those without data left out."""
    events = []
    for block in text.split("\n\n"):
        fields = dict(
            line.split(": ", 1)
            for line in block.splitlines()
            if ": " in line and not line.startswith(":")
        )
        if "data" in fields:
            events.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return events


def run_apart(play: Coroutine[Any, Any, Any]) -> Any:
    """Run in a thread of its own: a browser test in this process may have left a loop running."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, play).result()


@pytest.fixture
def watching(url: str, staff: Mapping[str, str], nightly: Watchlist) -> Iterator[Client]:
    """Give a client of an application whose streams last a fifth of a second."""
    settings = ServingSettings(database_url=url, live_stream_s=0.2, live_poll_s=0.05)
    with a_client(create_app(settings=settings, clock=lambda: MORNING), staff) as client:
        yield client


def test_strangers_hear_nothing(watching: Client) -> None:
    assert watching.get(URL).status_code == 401


def test_what_was_missed_is_told_first(watching: Client, engine: Engine) -> None:
    watching.post(f"/api/v1/alerts/{ID_A}/claim", headers=watching.as_("admin"))
    answer = watching.get(URL, params={"after": 0}, headers=watching.as_("analyst"))
    assert answer.headers["content-type"].startswith("text/event-stream")
    (_, first, told), (number, second, claim) = heard(answer.text)
    assert (first, told["alerts"], told["by"]) == ("list", 4, None)
    assert (second, claim["subject"], claim["by"], claim["own"]) == (
        "claim",
        ID_A,
        "admin-1",
        False,
    )
    again = watching.get(URL, headers=watching.as_("analyst") | {"Last-Event-ID": str(number - 1)})
    assert [topic for _, topic, _ in heard(again.text)] == ["claim"]
    assert heard(watching.get(URL, headers=watching.as_("analyst")).text) == []


def test_an_officer_hears_of_the_own_communities(watching: Client, engine: Engine) -> None:
    publish_watchlist(engine, a_tick(an_alert("p1_z", 1, community_id="C02"), minutes=15))
    answer = watching.get(URL, params={"after": 0}, headers=watching.as_("officer"))
    assert [told["alerts"] for _, _, told in heard(answer.text)] == [3]
    assert "id: 2\n\n" in answer.text  # the number alone, so that the browser returns from there


@pytest.mark.parametrize("number", ["x", "-1", "99999999999"])
def test_a_number_that_is_none_is_refused(watching: Client, number: str) -> None:
    assert (
        watching.get(URL, headers=watching.as_("analyst") | {"Last-Event-ID": number}).status_code
        == 422
    )


def test_everybody_who_watches_hears_it_once(engine: Engine) -> None:
    async def watch() -> list[list[str]]:
        feed = Feed(engine, every_s=0.02)
        async with feed.watch() as one, feed.watch() as other:
            for subject in ("1", "2"):
                await asyncio.to_thread(tell, subject)
                await asyncio.sleep(0.2)
            subjects = [
                [queue.get_nowait().subject for _ in range(queue.qsize())] for queue in (one, other)
            ]
        assert feed._looking is None  # nobody watches, nobody looks
        return subjects

    def tell(subject: str) -> None:
        with write_transaction(engine) as session:
            announce_change(session, topic="list", subject=subject, at=MORNING, communities={})

    assert run_apart(watch()) == [["1", "2"], ["1", "2"]]


@pytest.mark.parametrize("how", ["disabled", "revoked", "moved"])
def test_who_is_shut_out_hears_nothing_more(
    url: str,
    staff: Mapping[str, str],
    nightly: Watchlist,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    monkeypatch.setattr(endpoints, "FRESH_S", 0.0)
    monkeypatch.setattr(endpoints, "HEARTBEAT_S", 0.1)
    settings = ServingSettings(database_url=url, live_stream_s=60, live_poll_s=0.05)
    client = a_client(create_app(settings=settings, clock=lambda: MORNING), staff)
    admin = client.as_("admin")
    with (
        running(client.app) as base,  # type: ignore[arg-type]
        httpx.Client(base_url=base, timeout=60) as browser,
    ):
        assert browser.get(URL).status_code == 401
        with browser.stream("GET", URL, headers=client.as_("officer")) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 3000"
            if how == "disabled":
                browser.delete("/api/v1/users/officer-1", headers=admin)
            elif how == "revoked":
                tokens = browser.get("/api/v1/tokens?user=officer-1", headers=admin).json()["items"]
                browser.delete(f"/api/v1/tokens/{tokens[0]['id']}", headers=admin)
            else:
                changes = {"communities": ["C02"]}
                browser.patch("/api/v1/users/officer-1", json=changes, headers=admin)
            browser.post(f"/api/v1/alerts/{ID_A}/claim", headers=admin)
            if how == "moved":
                # The stream goes on, of the community that is theirs now
                found = next(line for line in lines if line.startswith("id: "))
                assert next(lines) == "", found
            else:
                assert [line for line in lines if line.startswith(("data", "id"))] == []


def lookers() -> list["asyncio.Task[Any]"]:
    return [one for one in asyncio.all_tasks() if "Feed._look" in repr(one.get_coro())]


def test_streams_that_open_at_once_hear_each_change_once(engine: Engine) -> None:
    feed = Feed(engine, every_s=0.01)

    async def listen(ready: asyncio.Barrier, told: asyncio.Event) -> int:
        async with feed.watch() as queue:
            await ready.wait()
            await told.wait()
            first = await asyncio.wait_for(queue.get(), 10)
            second = await asyncio.wait_for(queue.get(), 10)
            assert queue.empty()
            return second.number - first.number

    async def play() -> list[int]:
        ready, told = asyncio.Barrier(5), asyncio.Event()
        listening = [asyncio.create_task(listen(ready, told)) for _ in range(4)]
        await ready.wait()
        assert len(lookers()) == 1
        for subject in ("a", "b"):
            with write_transaction(engine) as session:
                announce_change(session, topic="claim", subject=subject, at=MORNING, communities={})
        told.set()
        apart = await asyncio.gather(*listening)
        await asyncio.sleep(0)
        assert lookers() == []
        return apart

    assert run_apart(play()) == [1] * 4


def test_who_comes_while_the_last_one_leaves_is_not_deaf(engine: Engine) -> None:
    feed = Feed(engine, every_s=0.01)

    async def play() -> str:
        first = feed.watch()
        await first.__aenter__()
        second = feed.watch()
        coming = asyncio.create_task(second.__aenter__())
        await asyncio.gather(first.__aexit__(None, None, None), coming)
        assert len(lookers()) == 1
        with write_transaction(engine) as session:
            announce_change(session, topic="claim", subject="a", at=MORNING, communities={})
        news = await asyncio.wait_for(coming.result().get(), 10)
        await second.__aexit__(None, None, None)
        await asyncio.sleep(0)
        assert lookers() == []
        return news.subject

    assert run_apart(play()) == "a"


def test_who_listens_is_looked_at_one_at_a_time_and_once_for_all_their_streams() -> None:
    """However many listen, the threads that answer requests are free but for one."""
    looking, most, looks = 0, 0, []

    def found(token: str, viewer: Viewer | None) -> Viewer | None:
        nonlocal looking, most
        looking += 1
        most = max(most, looking)
        time.sleep(0.01)
        looking -= 1
        looks.append(token)
        return viewer

    async def play() -> list[Viewer | None]:
        listeners = Listeners()
        streams = [
            listeners.look(token, partial(found, token, VIEWERS[token]), fresh_s=60)
            for token in ["in", "out"] * 100
        ]
        seen = await asyncio.gather(*streams)
        await listeners.look("in", partial(found, "in", None), fresh_s=0)
        return seen

    assert run_apart(play()) == [VIEWERS["in"], None] * 100
    assert (looks, most) == (["in", "out", "in"], 1)
