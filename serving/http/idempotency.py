"""The header of the key, and what it does to the handler of a request."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Annotated, Any, cast

from fastapi import Header, Request, Response
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from serving.context.services import Services
from serving.database.audit_chain import record_action
from serving.database.engine import write_transaction
from serving.http.kept_answers import (
    Answer,
    Attempt,
    InFlight,
    ReplayedError,
    Sender,
    fingerprint_of,
    keep_answer,
    replay_answer,
)
from serving.vocabulary.roles import Viewer

__all__ = ["HEADER", "WRITES", "Handler", "describe_key", "done_once"]

HEADER = "Idempotency-Key"
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
KEPT_HEADERS = ("content-type", "etag", "location")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


async def describe_key(
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=200,
            pattern=r"^[\x21-\x7e]+$",
            description="A fresh random value, such as a UUID. "
            "Sent again with the same request it does nothing twice: "
            "the first answer comes again, with `Idempotency-Replayed: true`.",
            examples=["6f1c2a52-3d4b-4b0a-9a55-0f2c1d7e8b90"],
        ),
    ] = None,
) -> None:
    """Describe the header; the route reads it itself."""


def done_once(handle: Handler) -> Handler:
    """Return the handler that keeps the answers of ``handle`` to writes with a key, or gives the
    one that was kept.
    """

    async def handle_once(request: Request) -> Response:
        key = request.headers.get(HEADER)
        if not key or request.method not in WRITES:
            return await handle(request)
        once = Once(
            _attempt(request, key, await request.body()), services=request.app.state.services
        )
        request.state.once = once
        in_flight = cast("InFlight", request.app.state.in_flight)
        with in_flight.only(once.attempt.secret, key):
            try:
                response = await handle(request)
                await run_in_threadpool(once.keep, response)
            except ReplayedError as replayed:
                return await run_in_threadpool(once.again, replayed, path=request.url.path)
            return response

    return handle_once


class Once:
    """Looks a write up before it is done, and keeps its answer before it is committed."""

    def __init__(self, attempt: Attempt, *, services: Services) -> None:
        self.attempt = attempt
        self._services = services
        self._open: tuple[Session, Sender] | None = None

    def before(self, session: Session, *, viewer: Viewer) -> None:
        """Stop the write with its kept answer if it was done before.

        Called where the write begins.
        """
        replay_answer(
            session,
            attempt=self.attempt,
            sender=Sender.of(viewer),
            at=self._services.clock(),
            kept_for=self._kept_for,
        )
        self._open = session, Sender.of(viewer)

    def keep(self, response: Response) -> None:
        """Keep a success in the transaction that is still open.

        A refusal wrote nothing and may be tried again.
        """
        if self._open is None or response.status_code >= 300:
            return
        session, sender = self._open
        headers = {
            name: response.headers[name] for name in KEPT_HEADERS if name in response.headers
        }
        answer = Answer(status=response.status_code, headers=headers, body=bytes(response.body))
        at = self._services.clock()
        keep_answer(
            session,
            attempt=self.attempt,
            sender=sender,
            answer=answer,
            at=at,
            kept_for=self._kept_for,
        )

    def again(self, replayed: ReplayedError, *, path: str) -> Response:
        """Return the kept answer, audited: it can hold what is shown once."""
        with write_transaction(self._services.engine) as session:
            record_action(
                session,
                at=self._services.clock(),
                actor=replayed.actor,
                action="replay",
                subject=path,
            )
        kept = replayed.answer
        return Response(kept.body, kept.status, {**kept.headers, "Idempotency-Replayed": "true"})

    @property
    def _kept_for(self) -> timedelta:
        return timedelta(hours=self._services.settings.idempotency_hours)


def _attempt(request: Request, key: str, body: bytes) -> Attempt:
    target = f"{request.url.path}?{request.url.query}"
    secret = request.headers.get("authorization") or request.headers.get("cookie", "")
    return Attempt(
        key=key,
        secret=secret,
        fingerprint=fingerprint_of(method=request.method, target=target, body=body),
    )
