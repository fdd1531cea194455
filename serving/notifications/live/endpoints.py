"""The stream of news that the pages listen to (server-sent events)."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from serving.access.auth import allow_roles, shown_digest, viewer_still
from serving.access.community_scope import may_see
from serving.access.dependencies import ServicesOfApp
from serving.http.routing import ApiRouter
from serving.notifications.live.feed import Feed, News
from serving.vocabulary.roles import Role, Viewer

__all__ = ["router"]

router = ApiRouter(tags=["live"])
HEARTBEAT_S = 5.0  # a comment so often tells proxies and browsers that the stream lives
FRESH_S = 1.0  # before anything is sent it is known this freshly who listens
NUMBER = r"^\d{1,9}$"


@router.get(
    "/live",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"example": ""}}}},
)
async def stream_news(
    *,
    request: Request,
    viewer: Annotated[Viewer, Depends(allow_roles(*Role))],
    services: ServicesOfApp,
    after: Annotated[
        int | None, Query(ge=0, lt=2**31, description="Begin after this change.")
    ] = None,
    last_event_id: Annotated[
        str | None, Header(pattern=NUMBER, description="Sent by browsers that return.")
    ] = None,
) -> StreamingResponse:
    """Listen to what happens: lists, claims and results, of the own communities only.

    The stream ends after a while; whoever returns with the last number misses nothing, and shows
    anew who they are.
    """
    feed: Feed = request.app.state.feed
    start = int(last_event_id) if last_event_id is not None else after
    return StreamingResponse(
        _stream(
            feed,
            Watcher(viewer, request),
            start=start,
            lasts_s=services.settings.live_stream_s,
        ),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


class Watcher:
    """Who listens, looked at again while they do: who is shut out hears nothing more."""

    def __init__(self, viewer: Viewer, request: Request) -> None:
        self._viewer: Viewer | None = viewer
        self._request = request
        self._seen_s = asyncio.get_running_loop().time()

    async def now(self) -> Viewer | None:
        """Return who listens, as they were a moment ago, None for who may not any more."""
        time_s = asyncio.get_running_loop().time()
        if self._viewer is not None and time_s >= self._seen_s + FRESH_S:
            state, request = self._request.app.state, self._request
            self._viewer = await state.listeners.look(
                shown_digest(request),
                lambda: viewer_still(request, state.services),
                fresh_s=FRESH_S,
            )
            self._seen_s = time_s
        return self._viewer


async def _stream(
    feed: Feed, watcher: Watcher, *, start: int | None, lasts_s: float
) -> AsyncIterator[str]:
    ends = asyncio.get_running_loop().time() + lasts_s
    async with feed.watch() as queue:
        yield "retry: 3000\n\n"
        missed = [] if start is None else await run_in_threadpool(feed.since, start)
        sent = {news.number for news in missed}
        for news in missed:
            if (viewer := await watcher.now()) is None:
                return
            yield event_for(viewer, news)
        while (left := ends - asyncio.get_running_loop().time()) > 0:
            try:
                news = await asyncio.wait_for(queue.get(), min(left, HEARTBEAT_S))
            except TimeoutError:
                if await watcher.now() is None:
                    return
                yield ": still here\n\n"
                continue
            if (viewer := await watcher.now()) is None:
                return
            if news.number not in sent:
                yield event_for(viewer, news)


def event_for(viewer: Viewer, news: News) -> str:
    """Return a change as ``viewer`` hears of it: of other communities only that its number is
    taken.
    """
    seen = {
        community: count
        for community, count in news.communities.items()
        if may_see(viewer, community)
    }
    if news.communities and not seen:
        return f"id: {news.number}\n\n"
    data = json.dumps(
        {
            "number": news.number,
            "subject": news.subject,
            "alerts": sum(seen.values()),
            "own": news.actor == viewer.name,
            "by": news.actor,
        },
        ensure_ascii=False,
    )
    return f"id: {news.number}\nevent: {news.topic}\ndata: {data}\n\n"
