"""The tables that the peers start from: calls as the lake has them, and who held which number."""

from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from features.catalogue.definitions import WINDOWED_SUMS, MassRule, WindowedSum, window_span
from features.entities.holdings import number_holdings
from features.event_index import EventIndex
from features.kernel.source_tables import SourceTables

__all__ = ["CALL_SUMS", "NO_MASS_NUMBERS", "PeerTables", "peer_tables", "window_ms", "windows_of"]

#: Mass numbers change a sum afterwards, which plain SQL has no short word for: both sides go
#: without.
NO_MASS_NUMBERS = MassRule(share=1.0, residents=10**9)
#: The sums that the peers compute: all that the catalogue declares over calls and texts.
CALL_SUMS: tuple[WindowedSum, ...] = tuple(
    one for one in WINDOWED_SUMS if one.over in ("contacts", "stranger_contacts")
)


@dataclass(frozen=True, eq=False)
class PeerTables:
    """What a peer is given, in memory.

    ``calls`` as the lake has them, ``holdings`` (``number``, ``owner``, ``since_at``, ``until_at``:
    the code of who held a number when) and ``public`` (``peer``: numbers tagged as public
    services).
    """

    calls: pl.DataFrame
    holdings: pl.DataFrame
    public: pl.DataFrame


def peer_tables(tables: SourceTables, *, event_index: EventIndex) -> PeerTables:
    """Read the tables for the peers, with people in the codes of ``event_index``."""
    owners = event_index.people.lazy().select("person", owner=pl.col("code").cast(pl.Int64))
    tags = tables.number_tags.filter(pl.col("tag") == "public_service")
    return PeerTables(
        calls=tables.calls.with_columns(pl.col("peer_kind").cast(pl.String)).collect(),
        holdings=number_holdings(tables)
        .join(owners, on="person")
        .select("number", "owner", "since_at", "until_at")
        .collect(),
        public=tags.select(peer="number").unique().collect(),
    )


def window_ms(window: str | timedelta) -> int:
    """The length of a window in milliseconds."""
    span = window if isinstance(window, timedelta) else window_span(window)
    return span // timedelta(milliseconds=1)


def windows_of(declared: tuple[WindowedSum, ...]) -> tuple[str, ...]:
    """The windows that some sum has, the shortest first."""
    return tuple(sorted({one for each in declared for one in each.windows}, key=window_ms))
