"""One look a second at the database for a whole process, however many pages watch."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from starlette.concurrency import run_in_threadpool

from serving.database.engine import read_transaction
from serving.notifications.live.repository import ChangeRepository

__all__ = ["Feed", "News"]

AT_ONCE = 500
# Numbers are given before a transaction is committed: one may appear after a higher one
OVERLAP = 50


@dataclass(frozen=True, kw_only=True)
class News:
    """A change as the pages hear of it; ``communities`` counts the alerts it is about."""

    number: int
    topic: str
    subject: str
    actor: str | None
    communities: Mapping[str, int]


class Feed:
    """Tells every watcher of each change once.

    It looks at the database only while somebody watches.
    """

    def __init__(self, engine: Engine, *, every_s: float) -> None:
        self._engine = engine
        self._every_s = every_s
        self._watchers: set[asyncio.Queue[News]] = set()
        self._looking: asyncio.Task[None] | None = None
        # Those who come take turns, so that one task looks for all
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def watch(self) -> AsyncIterator["asyncio.Queue[News]"]:
        """Give a queue that fills with what changes from now on."""
        queue: asyncio.Queue[News] = asyncio.Queue()
        try:
            async with self._turn:
                if self._looking is None or self._looking.done():
                    start = await run_in_threadpool(self.last)
                    self._looking = asyncio.create_task(self._look(start))
                self._watchers.add(queue)
            yield queue
        finally:
            # Without waiting, which who is cancelled could not
            self._watchers.discard(queue)
            if not self._watchers and self._looking is not None:
                self._looking.cancel()
                self._looking = None

    def since(self, number: int) -> list[News]:
        """Return what changed after change ``number``, the latest of it if it is very much."""
        with read_transaction(self._engine) as session:
            rows = ChangeRepository(session).after(number, limit=AT_ONCE)
            return [
                News(
                    number=row.id,
                    topic=row.topic,
                    subject=row.subject,
                    actor=row.actor,
                    communities=row.communities,
                )
                for row in rows
            ]

    def last(self) -> int:
        """Return the number of the last change."""
        with read_transaction(self._engine) as session:
            return ChangeRepository(session).last()

    async def _look(self, start: int) -> None:
        sent = {
            news.number for news in await run_in_threadpool(self.since, max(0, start - OVERLAP))
        }
        sent = {number for number in sent if number <= start}
        newest = start
        while True:
            await asyncio.sleep(self._every_s)
            try:
                found = await run_in_threadpool(self.since, max(0, newest - OVERLAP))
            except OperationalError:  # the database is away or busy: look again
                continue
            for news in found:
                if news.number in sent:
                    continue
                sent.add(news.number)
                newest = max(newest, news.number)
                for watcher in self._watchers:
                    watcher.put_nowait(news)
            sent = {number for number in sent if number > newest - 2 * OVERLAP}
