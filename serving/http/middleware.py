"""The boundary around every request: how large it may be, which headers it leaves with, how long it
took.

Whatever the application did not expect ends here as well, so that no server further out logs the
message of an error, which may hold what was sent in.
"""

import logging
import traceback
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from prometheus_client import Histogram
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.http.errors import ProblemError, answer_problem, as_problem

__all__ = ["Boundary"]

log = logging.getLogger("serving.access")

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; "
        "connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not no-referrer: browsers would then hide the origin of our own forms
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Boundary:
    """Wraps the application.

    ``max_bytes`` is the largest request body it takes, ``larger`` that of single paths, ``latency``
    where the duration of each request is noted (labels: method, path, status), ``paths`` the
    pattern of each endpoint's path.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: int,
        larger: Mapping[str, int],
        latency: Histogram,
        paths: Mapping[Any, str],
    ) -> None:
        self._app = app
        self._paths = paths
        self._max_bytes = max_bytes
        self._larger = larger
        self._latency = latency

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
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        try:
            await self._serve(scope, receive, send_guarded)
        finally:
            self._note(scope, status=status, duration_s=perf_counter() - started)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, await self._whole_body(scope, receive), send)
        except Exception as error:  # noqa: BLE001 -- the outermost frame: everything must end as an answer
            if not isinstance(error, ProblemError):
                frames = "".join(traceback.format_tb(error.__traceback__))
                log.error("%s\n%s", type(error).__name__, frames)  # noqa: TRY400 -- never its message
            await answer_problem(Request(scope), as_problem(error))(scope, receive, send)

    async def _whole_body(self, scope: Scope, receive: Receive) -> Receive:
        max_bytes = self._larger.get(scope["path"], self._max_bytes)
        body, more = bytearray(), True
        while more:
            message = await receive()
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
        self._latency.labels(scope["method"], route, str(status)).observe(duration_s)
        log.info("%s %s %d %.0f ms", scope["method"], route, status, duration_s * 1000)
