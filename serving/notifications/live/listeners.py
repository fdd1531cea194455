"""Whether those who listen may still do so."""

import asyncio
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool

from serving.vocabulary.roles import Viewer

__all__ = ["Listeners"]


class Listeners:
    """Looks at those who listen: one at a time and once for all streams of a token, so that
    requests wait for no stream, however many there are.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._seen: dict[str, tuple[float, Viewer | None]] = {}

    async def look(
        self, token: str, find: Callable[[], Viewer | None], *, fresh_s: float
    ) -> Viewer | None:
        """Return what ``find`` finds of a token, or found in the last ``fresh_s`` seconds."""
        async with self._turn:
            time_s = asyncio.get_running_loop().time()
            self._seen = {
                one: (seen_s, viewer)
                for one, (seen_s, viewer) in self._seen.items()
                if time_s < seen_s + fresh_s
            }
            if token not in self._seen:
                self._seen[token] = time_s, await run_in_threadpool(find)
            return self._seen[token][1]
