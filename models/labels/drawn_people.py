"""The residents among whom moments to learn from are looked for: in a large district a share of
them, since everybody's moments would be hundreds of millions, of which nearly all are alike.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from features.event_index import EventIndex
from features.kernel.segment import Positions

__all__ = ["EVERYBODY", "DrawnPeople", "draw_people", "draw_share"]

MOST_EVENTS = 10_000_000  # contacts and payments whose moments are looked at
HASHES = 1 << 64


@dataclass(frozen=True, eq=False)
class DrawnPeople:
    """About ``share`` of the residents, by their ``codes``; None: everybody."""

    share: float = 1.0
    codes: Positions | None = None

    def with_others(self, others: Positions) -> Positions | None:
        """The codes of these and of ``others``, once each; None: everybody."""
        return None if self.codes is None else np.union1d(self.codes, others)

    def includes(self, owner: pl.Expr) -> pl.Expr:
        """Whether each ``owner`` is one of them."""
        if self.codes is None:
            return pl.lit(value=True)
        return owner.is_in(pl.Series(self.codes).implode())


EVERYBODY = DrawnPeople()


def draw_people(event_index: EventIndex, *, at: datetime, seed: int) -> DrawnPeople:
    """So many residents that they have about ``MOST_EVENTS`` contacts and payments before ``at``.

    Who is drawn follows from the pseudonym and ``seed``, not from the order of registers.
    """
    events = event_index.contacts.count_before(at) + event_index.payments.count_before(at)
    if events <= MOST_EVENTS:
        return EVERYBODY
    share = MOST_EVENTS / events
    return DrawnPeople(share, draw_share(event_index, share, seed=seed))


def draw_share(event_index: EventIndex, share: float, *, seed: int) -> Positions:
    """The codes of about a ``share`` of the residents, by pseudonym and ``seed``, in order."""
    lucky = pl.col("person").hash(seed=seed) < int(share * HASHES)
    codes = event_index.people.drop_nulls("person").filter(lucky)["code"]
    return codes.cast(pl.Int64).sort().to_numpy()
