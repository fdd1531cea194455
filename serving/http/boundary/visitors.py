"""How many requests an address may send without showing who it is.

Nothing here asks the database. Credentials that have been good a moment ago are remembered by their
digest, so that colleagues behind one address go on while a stranger beside them is held up; the
database looks at them all the same. Both memories are bounded: the oldest entry makes room.
"""

import hashlib
import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from time import monotonic
from typing import Any, TypeVar

__all__ = ["Visitors"]

MOST_REMEMBERED = 10_000
MINUTE_S = 60.0

Key = TypeVar("Key")


@dataclass
class Tally:
    """The requests of one address in the minute that began at ``since_s``."""

    since_s: float
    requests: int = 0


class Visitors:
    """Counts what comes from each address; ``a_minute`` is what it may send without a login."""

    def __init__(self, *, a_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self._a_minute = a_minute
        self._clock = clock
        self._tallies: OrderedDict[str, Tally] = OrderedDict()
        self._known: OrderedDict[bytes, None] = OrderedDict()

    def wait_s(self, address: str, *, credentials: bytes) -> int | None:
        """Count a request; return after how many seconds to come again, None where it may go on."""
        if credentials and _digest(credentials) in self._known:
            return None
        now, key = self._clock(), _network(address)
        tally = self._tallies.get(key)
        if tally is None or now >= tally.since_s + MINUTE_S:
            tally = self._tallies[key] = Tally(now)
        _trim(self._tallies, key)
        tally.requests += 1
        if tally.requests <= self._a_minute:
            return None
        return ceil(tally.since_s + MINUTE_S - now)

    def remember(self, credentials: bytes) -> None:
        """Know that these credentials were good."""
        digest = _digest(credentials)
        self._known[digest] = None
        _trim(self._known, digest)

    def forget(self, credentials: bytes) -> None:
        """Know that these credentials are no good any more."""
        self._known.pop(_digest(credentials), None)


def _digest(credentials: bytes) -> bytes:
    return hashlib.sha256(credentials).digest()


def _network(address: str) -> str:
    """Return what counts as one sender: an IPv4 address, or the network of an IPv6 one, of which
    everybody has 2⁶⁴ addresses.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((int(found) >> 64 << 64, 64)))


def _trim(memory: "OrderedDict[Key, Any]", newest: Key) -> None:
    memory.move_to_end(newest)
    if len(memory) > MOST_REMEMBERED:
        memory.popitem(last=False)
