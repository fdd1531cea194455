"""``build_snapshot``: the features of people at moments, from what was known strictly before each.

All features are asked for here, and computed in the blocks: training needs many past moments, a
night everyone at midnight, a tick those of whom a reason to ask again became known since the tick
before. The same person and moment always give the same row.
"""

import dataframely as dy
import polars as pl

from features.blocks.contact_features import contact_features, stranger_relationships
from features.blocks.derived_features import with_derived_features
from features.blocks.feed_features import feed_features
from features.blocks.payee_features import payee_features, payee_relationships
from features.blocks.person_features import register_features, windowed_features
from features.catalogue.definitions import FEATURES, Feature
from features.event_index import EventIndex
from features.kernel.frames import Frame, QueryPoint, moment
from features.kernel.query_points import QueryPoints
from features.kernel.segment import to_milliseconds
from features.reputation import HAND_WRITTEN_REPUTATION, ReputationModel

__all__ = ["Snapshot", "build_snapshot"]

CHUNK_SIZE = 50_000  # moments worked on at once: bounds memory, never the answer


class SnapshotLeads(QueryPoint):
    """What a snapshot has besides its features: for the reasons and the analyst, never for a model.

    The lead number and the lead payee are those that speak most for an episode.
    """

    lead_peer_code = dy.UInt32(nullable=True, description="in EventIndex.numbers")
    lead_started_at = moment("of the relationship with the lead number", nullable=True)
    lead_payee_code = dy.UInt32(nullable=True, description="in EventIndex.accounts")
    payee_first_started_at = moment("of the first with an account outside", nullable=True)


def feature_column(feature: Feature) -> dy.Column:
    """The column of a feature: a flag, or a number that a model reads as Float64."""
    kind = dy.Bool if feature.unit == "flag" else dy.Float64
    return kind(nullable=feature.null_means != "never", description=feature.en)


#: The frame of :func:`build_snapshot`: a query point with every feature of the catalogue.
Snapshot: type[Frame] = type(
    "Snapshot", (SnapshotLeads,), {feature.name: feature_column(feature) for feature in FEATURES}
)


def build_snapshot(
    event_index: EventIndex,
    moments: pl.DataFrame,
    *,
    reputation_model: ReputationModel = HAND_WRITTEN_REPUTATION,
) -> pl.DataFrame:
    """One row a moment: ``person``, ``at`` and every feature of the catalogue, in the order of
    ``moments``.

    ``moments`` are shaped as ``features.kernel.frames.QueryPoint``, the rows as ``Snapshot``, whole
    numbers in whatever type they are counted. People who are not in the register drop out.
    """
    known = moments.join(
        event_index.people.select("person", owner="code"), on="person", maintain_order="left"
    )
    parts = [
        build_chunk(
            event_index, known[start : start + CHUNK_SIZE], reputation_model=reputation_model
        )
        for start in range(0, max(1, len(known)), CHUNK_SIZE)
    ]
    return pl.concat(parts)


def build_chunk(
    event_index: EventIndex, moments: pl.DataFrame, *, reputation_model: ReputationModel
) -> pl.DataFrame:
    """:func:`build_snapshot` of one chunk."""
    points = QueryPoints(
        moments, moments["owner"].cast(pl.Int64).to_numpy(), to_milliseconds(moments["at"])
    )
    strangers = stranger_relationships(event_index, points, reputation_model=reputation_model)
    payees = payee_relationships(event_index, points, reputation_model=reputation_model)
    blocks = [
        moments.select("person", "at"),
        windowed_features(event_index, points),
        contact_features(strangers, points),
        payee_features(event_index, payees, strangers, points),
        register_features(event_index, points),
        feed_features(event_index, points),
    ]
    return with_derived_features(pl.concat(blocks, how="horizontal"))
