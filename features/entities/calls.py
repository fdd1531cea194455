"""Calls and texts as one person's contacts: who is a stranger, how the relationship with each
stranger runs.
"""

import polars as pl

from features.entities.holdings import held_at
from features.kernel.relationships import (
    Figures,
    ends_newness,
    is_stranger,
    with_relationships,
)

__all__ = [
    "CARRIED",
    "code_calls",
    "filter_endings",
    "filter_strangers",
    "relate_contacts",
]

LONG_TALK_S = 600
TIES = ("started_at", "is_in", "is_voice", "duration_s")  # of what became known at once
FIGURES = Figures(
    totals={
        "relationship_talk_s": pl.col("duration_s"),
        "relationship_sms_n": ~pl.col("is_voice"),
        "relationship_answered_n": pl.col("is_answered"),
        "relationship_call_back_n": ~pl.col("is_in"),  # calls and texts by the resident
    },
    maxima={"relationship_max_talk_s": pl.col("duration_s")},
)
CARRIED = FIGURES.names  # what is needed of the last contact of two to go on from it


def code_calls(calls: pl.LazyFrame, *, people: pl.LazyFrame, peers: pl.LazyFrame) -> pl.LazyFrame:
    """Calls of residents, with the codes of both parties and what each call was.

    ``people`` maps ``number`` to ``owner`` (person code) for the span of each holding
    (``features.entities.holdings``); ``peers`` maps ``peer`` to ``peer_code``. Calls on numbers
    that no resident held when they began drop out.
    """
    voice, inbound = pl.col("service") == "voice", pl.col("direction") == "in"
    return (
        calls.join(people.select("number", "owner", "since_at", "until_at"), on="number")
        .filter(held_at("started_at"))
        .join(peers, on="peer")
        .select(
            "owner",
            "peer_code",
            "peer_kind",
            "known_at",
            "started_at",
            duration_s=pl.col("duration_s").cast(pl.Int32),
            is_voice=voice,
            is_in=inbound,
            is_answered=voice & (pl.col("duration_s") > 0),
        )
    )


def relate_contacts(contacts: pl.LazyFrame, *, carried: pl.LazyFrame | None = None) -> pl.LazyFrame:
    """Contacts (:func:`code_calls`) in relationship order, with ``FIGURES``; ``carried`` and what
    else is added: :func:`features.kernel.relationships.with_relationships`.
    """
    return with_relationships(
        contacts, peer="peer_code", ties=TIES, figures=FIGURES, carried=carried
    )


def filter_strangers(contacts: pl.LazyFrame) -> pl.LazyFrame:
    """The contacts with strangers: what residents hear from people new to them."""
    return contacts.filter(is_stranger())


def filter_endings(contacts: pl.LazyFrame) -> pl.LazyFrame:
    """The contacts by which a stranger becomes somebody known."""
    return contacts.filter(ends_newness(is_stranger())).select(
        "owner", "peer_code", "known_at", "relationship_started_at", "relationship_n"
    )
