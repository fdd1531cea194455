"""How many requests are worked on at once.

A request that is worked on holds a thread, and up to two connections of the pool, over several
turns of a thread each. Were more let in than the pool has connections for, all threads could wait
for connections while those who hold them wait for a thread. So the pool is as large as those who
are let in can need, and the others queue here, where they hold neither.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from serving.http.errors import ProblemError

__all__ = ["Admission"]


class Admission:
    """Lets ``at_once`` requests in; so many more may wait, each for ``wait_s`` seconds."""

    def __init__(self, *, at_once: int, waiting: int, wait_s: float) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._may_wait = waiting
        self._wait_s = wait_s
        self._waiting = 0

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[None]:
        """Hold a place for the block.

        Raises a 503 problem that says when to come again where too many wait, or for too long.
        """
        if self._places.locked() and self._waiting >= self._may_wait:
            raise _busy()
        self._waiting += 1
        try:
            await asyncio.wait_for(self._places.acquire(), self._wait_s)
        except TimeoutError:
            raise _busy() from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._places.release()


def _busy() -> ProblemError:
    return ProblemError(503, "Too many requests are being worked on.", headers={"Retry-After": "2"})
