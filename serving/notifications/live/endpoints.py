"""The stream of news that the pages listen to (server-sent events)."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from serving.access.auth import allow_roles
from serving.access.community_scope import may_see
from serving.access.dependencies import ServicesOfApp
from serving.http.routing import ApiRouter
from serving.notifications.live.feed import Feed, News
from serving.vocabulary.roles import Role, Viewer

__all__ = ["router"]

router = ApiRouter(tags=["live"])
HEARTBEAT_S = 15.0  # a comment so often tells proxies and browsers that the stream lives
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
        _stream(feed, viewer, start=start, lasts_s=services.settings.live_stream_s),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _stream(
    feed: Feed, viewer: Viewer, *, start: int | None, lasts_s: float
) -> AsyncIterator[str]:
    ends = asyncio.get_running_loop().time() + lasts_s
    async with feed.watch() as queue:
        yield "retry: 3000\n\n"
        missed = [] if start is None else await run_in_threadpool(feed.since, start)
        sent = {news.number for news in missed}
        for news in missed:
            yield event_for(viewer, news)
        while (left := ends - asyncio.get_running_loop().time()) > 0:
            try:
                news = await asyncio.wait_for(queue.get(), min(left, HEARTBEAT_S))
            except TimeoutError:
                yield ": still here\n\n"
                continue
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
