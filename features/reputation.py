"""The reputation of a number or an account in the district at a moment.

What is known of it are its state rows (``number_states``, ``payee_states``). How bad it looks, 0 to
1, is for a ``ReputationModel`` to say: models learn one from reported cases; until there are any,
``HAND_WRITTEN_REPUTATION`` speaks.
"""

from datetime import timedelta
from typing import Protocol

import polars as pl

from features.entities.account_profiles import payee_state
from features.entities.number_profiles import peer_state
from features.event_index import EventIndex
from features.kernel.timeline import Positions

__all__ = [
    "BAD_REPUTATION",
    "HAND_WRITTEN_REPUTATION",
    "NUMBER_INPUTS",
    "PAYEE_INPUTS",
    "HandWrittenReputation",
    "ReputationModel",
    "number_states",
    "payee_states",
    "rounded_score",
]

BAD_REPUTATION = 0.5  # a reputation above this is bad
REPUTATION_WINDOW = timedelta(days=14)
NUMBER_INPUTS = (
    "peer_reach_24h",
    "peer_reach_3d",
    "peer_reach_14d",
    "peer_contacts_14d",
    "peer_age_d",
    "peer_in_share",
    "peer_sms_share",
    "peer_answer_share",
    "peer_hang_up_share",
    "peer_engaged_n",
    "peer_long_n",
    "peer_talk_mean_s",
    "peer_followed_n",
    "peer_kind_code",
    "peer_tagged",
)
PAYEE_INPUTS = (
    "payee_payers_14d",
    "payee_receivers_14d",
    "payee_received_cny_14d",
    "payee_sent_cny_14d",
    "payee_debits_14d",
    "payee_large_14d",
    "payee_age_d",
    "payee_outside",
)


class ReputationModel(Protocol):
    """How bad numbers and accounts look, from 0 to 1; the same for a row whatever other rows stand
    beside it.
    """

    def numbers(self, states: pl.DataFrame) -> pl.Series:
        """One value for each row of :func:`number_states`."""

    def payees(self, states: pl.DataFrame) -> pl.Series:
        """One value for each row of :func:`payee_states`."""


class HandWrittenReputation:
    """The reputation by formula, for the time before enough cases are reported."""

    def numbers(self, states: pl.DataFrame) -> pl.Series:
        """Bad: a young number that reaches out to many residents and is not called back."""
        youth = 1 - (pl.col("peer_age_d").fill_null(0) / 20).clip(0, 1)
        reach = ((1 + pl.col("peer_reach_14d")).log(2) / 2).clip(0, 1)
        return states.select(
            rounded_score(youth * reach * pl.col("peer_in_share").fill_null(0.5))
        ).to_series()

    def payees(self, states: pl.DataFrame) -> pl.Series:
        """Bad: a young account outside the district that several residents paid, and that pays
        little back.
        """
        youth = 1 - (pl.col("payee_age_d").fill_null(0) / 20).clip(0, 1)
        reach = ((1 + pl.col("payee_payers_14d")).log(2) / 3).clip(0, 1)
        return states.select(rounded_score(youth * reach * pl.col("payee_outside"))).to_series()


HAND_WRITTEN_REPUTATION = HandWrittenReputation()


def rounded_score(score: pl.Expr) -> pl.Expr:
    """Rounded, because the last bit of a logarithm depends on the row's place in the frame."""
    return score.round(9)


def number_states(event_index: EventIndex, *, peer: Positions, at_ms: Positions) -> pl.DataFrame:
    """One row for each query point: ``peer_code``, ``at_ms`` and ``NUMBER_INPUTS``, from what was
    known before, strictly.
    """
    known = event_index.numbers.select("peer_kind_code", peer_tagged="tagged")
    followed = event_index.payments_after_contact.sums(
        "followed", event_index.payments_after_contact.slices(peer, at_ms, REPUTATION_WINDOW)
    )
    return pl.concat(
        [
            pl.DataFrame({"peer_code": peer, "at_ms": at_ms}),
            peer_state(event_index.contacts_by_number, peer=peer, at_ms=at_ms),
            pl.DataFrame({"peer_followed_n": followed}),
            known[pl.Series(peer)],
        ],
        how="horizontal",
    )


def payee_states(event_index: EventIndex, *, payee: Positions, at_ms: Positions) -> pl.DataFrame:
    """One row for each query point: ``payee_code``, ``at_ms`` and ``PAYEE_INPUTS``, from what was
    known before, strictly.
    """
    known = event_index.accounts.select(payee_outside=~pl.col("is_local"))
    return pl.concat(
        [
            pl.DataFrame({"payee_code": payee, "at_ms": at_ms}),
            payee_state(event_index.payments_by_account, payee=payee, at_ms=at_ms),
            known[pl.Series(payee)],
        ],
        how="horizontal",
    )
