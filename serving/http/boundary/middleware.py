"""The boundary around every request: who may send it, how large it may be and how slow, which
headers it leaves with, how long it took.

Whatever the application did not expect ends here as well, so that no server further out logs the
message of an error, which may hold what was sent in.
"""

import asyncio
import logging
import traceback
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from time import perf_counter
from typing import Any

from prometheus_client import Histogram
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.context.settings import ServingSettings
from serving.http.boundary.admission import Admission
from serving.http.boundary.visitors import Visitors
from serving.http.errors import ProblemError, answer_problem, as_problem

__all__ = ["CAME_IN", "Boundary", "security_headers"]

log = logging.getLogger("serving.access")

CAME_IN = "came_in"  # in the state of a request: whether its credentials were good
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
EASY = ("/static/", "/health/live")  # without the database, and to be seen when all is busy
# Of these each takes 64 MiB and a good part of a second to hash a password: a flood of them stands
# in a line of its own
HASHING = frozenset({"/login", "/login/code", "/account/password", "/account/factor/confirm"})
HASHED_AT_ONCE = 2

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; "
        "connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # Not no-referrer: browsers would then hide the origin of our own forms
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def security_headers(settings: ServingSettings) -> Mapping[str, str]:
    """Return the headers that every answer has; behind TLS they ask browsers to stay with it."""
    if not (settings.secure_cookies and settings.hsts_days):
        return SECURITY_HEADERS
    age_s = settings.hsts_days * 86_400
    return {**SECURITY_HEADERS, "Strict-Transport-Security": f"max-age={age_s}"}


class Boundary:
    """Wraps the application.

    ``larger`` is the largest request body of single paths, ``streaming`` are those whose answers
    last, ``latency`` is where the duration of each request is noted (labels: method, path, status),
    ``paths`` the pattern of each endpoint's path.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: ServingSettings,
        larger: Mapping[str, int],
        streaming: Collection[str],
        latency: Histogram,
        paths: Mapping[Any, str],
    ) -> None:
        self._app = app
        self._paths = paths
        self._settings = settings
        self._headers = security_headers(settings)
        self._larger = larger
        self._streaming = frozenset(streaming)
        self._latency = latency
        self._visitors = Visitors(a_minute=settings.anonymous_per_minute)
        self._requests, self._streams, self._hashing = (
            Admission(at_once=places, waiting=settings.requests_waiting, wait_s=settings.queue_s)
            for places in (settings.requests_at_once, settings.streams_at_once, HASHED_AT_ONCE)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = perf_counter(), 500

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        try:
            await self._serve(scope, receive, send_guarded)
        finally:
            self._note(scope, status=status, duration_s=perf_counter() - started)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._admit(scope, receive, send)
        except Exception as error:  # noqa: BLE001 -- the outermost frame: everything must end as an answer
            if not isinstance(error, ProblemError):
                frames = "".join(traceback.format_tb(error.__traceback__))
                log.error("%s\n%s", type(error).__name__, frames)  # noqa: TRY400 -- never its message
            await answer_problem(Request(scope), as_problem(error))(scope, receive, send)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        credentials = _credentials(scope)
        client = scope.get("client")
        wait_s = self._visitors.wait_s(client[0] if client else "", credentials=credentials)
        if wait_s is not None:
            raise ProblemError(
                429, "This address sends too many requests.", headers={"Retry-After": str(wait_s)}
            )
        body = await self._whole_body(scope, receive)
        state = scope.setdefault("state", {})
        if scope["path"].startswith(EASY):
            await self._app(scope, body, send)
        else:
            await self._in_turn(scope, body, send)
        came_in = state.get(CAME_IN)  # None where nobody asked
        if came_in:
            self._visitors.remember(credentials)
        elif came_in is False:
            self._visitors.forget(credentials)

    async def _in_turn(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request once there is a place for it; a stream of news, which holds no connection
        while it waits, gives it back as soon as it flows.
        """
        async with AsyncExitStack() as lasting, AsyncExitStack() as places:
            if scope["path"] in self._streaming:
                await lasting.enter_async_context(self._streams.enter())
            if scope["method"] == "POST" and scope["path"] in HASHING:
                await places.enter_async_context(self._hashing.enter())
            await places.enter_async_context(self._requests.enter())

            async def send_on(message: Message) -> None:
                if scope["path"] in self._streaming:
                    await places.aclose()
                await send(message)

            await self._app(scope, receive, send_on)

    async def _whole_body(self, scope: Scope, receive: Receive) -> Receive:
        max_bytes = self._larger.get(scope["path"], self._settings.max_request_bytes)
        ends = asyncio.get_running_loop().time() + self._settings.request_read_s
        body, more = bytearray(), True
        while more:
            try:
                async with asyncio.timeout_at(ends):
                    message = await receive()
            except TimeoutError:
                raise ProblemError(408, "The request came in too slowly.") from None
            if message["type"] == "http.disconnect":
                break
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > max_bytes:
                raise ProblemError(413, f"The request is larger than {max_bytes:,} bytes.")
        bodies = iter([{"type": "http.request", "body": bytes(body), "more_body": False}])

        async def receive_whole() -> Message:
            return next(bodies, None) or await receive()

        return receive_whole

    def _note(self, scope: Scope, *, status: int, duration_s: float) -> None:
        # The pattern, not the path itself: paths name people, query strings may hold tokens.
        route = self._paths.get(scope.get("endpoint"), "other")
        # Any word can be sent as a method, and each label is kept for ever
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._latency.labels(method, route, str(status)).observe(duration_s)
        log.info("%s %s %d %.0f ms", method, route, status, duration_s * 1000)


def _credentials(scope: Scope) -> bytes:
    """Return what a request shows of who sends it, empty where it shows nothing."""
    shown = (value for name, value in scope["headers"] if name in {b"authorization", b"cookie"})
    return b"\n".join(shown)
