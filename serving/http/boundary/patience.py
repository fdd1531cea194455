"""Connections that send the head of a request too slowly are closed: thousands of them, a byte a
minute each, would else take every place there is.
"""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["impatient_protocol"]


class ImpatientProtocol(H11Protocol):
    """A connection on which the head of a request must be whole ``head_s`` seconds after its first
    byte, that of the first request after the connection was made.
    """

    head_s: float
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._begin()

    def data_received(self, data: bytes) -> None:
        """Take what came; a request that is worked on has its head, and its body is the boundary's
        to wait for.
        """
        self._begin()
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._end()
        super().connection_lost(exc)

    def _begin(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.head_s, self._close)

    def _end(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close(self) -> None:
        self._deadline = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()


def impatient_protocol(head_s: float) -> type[H11Protocol]:
    """Return the protocol whose connections wait so many seconds for the head of a request."""
    return type("ImpatientProtocol", (ImpatientProtocol,), {"head_s": head_s})
