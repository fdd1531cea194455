"""From query points to scored people: snapshot, model and today's rule side by side.

A district has too many features to hold those of everybody at once. So people are scored piece by
piece, and of each piece only what the policy reads is kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from features.event_index import EventIndex
from features.point_in_time import build_snapshot
from models.learning.baseline_rule import baseline_score
from models.learning.risk import RiskModel
from models.policy.alerting import PolicyRules
from models.policy.expected_saving import INTERVENTION_EFFECT, estimate_preventable_loss
from models.policy.shortlist import (
    BASELINE_COLUMN,
    MIN_CANDIDATES,
    POLICY_COLUMNS,
    keep_candidates,
)
from pipelines.cluster.pieces import THIS_MACHINE, Workers
from pipelines.progress import Progress, no_progress
from pipelines.settings import Settings

__all__ = [
    "SCORED_COLUMNS",
    "add_scores",
    "policy_rules",
    "score_query_points",
    "score_with_models",
    "scored_snapshot",
]

SCORED_COLUMNS = ("person", "at", "score", BASELINE_COLUMN, *POLICY_COLUMNS)
LOSS_COLUMN = POLICY_COLUMNS[1]
PIECE = 25_000  # query points whose features are in memory at once
# The people of a tick lie all over the files, so that it touches every page of them. So of a day
# those of so many neighbours are scored tick after tick, then those of the next ones.
NEIGHBOURS = 100_000


@dataclass(frozen=True, eq=False)
class Scorers:
    """What all pieces of one scoring share: the models by name, and the chance by type that a
    warning works.
    """

    models: Mapping[str, RiskModel]
    effect: Mapping[str, float]


def score_query_points(
    event_index: EventIndex,
    model: RiskModel,
    query_points: pl.DataFrame,
    *,
    effect: Mapping[str, float] = INTERVENTION_EFFECT,
    workers: Workers = THIS_MACHINE,
    progress: Progress = no_progress,
) -> pl.DataFrame:
    """What the policy reads of each of ``query_points``, in their order.

    ``person``, ``at``, ``score`` (calibrated probability), ``baseline_score`` (today's rule),
    ``new_debit_cny_6h`` and ``preventable_loss_cny``: what a warning would save
    (``models.policy.expected_saving``), for the likeliest of each moment, else null.
    """
    return score_with_models(
        event_index,
        {"": model},
        query_points,
        effect=effect,
        workers=workers,
        progress=progress,
    )[""]


def score_with_models(
    event_index: EventIndex,
    models: Mapping[str, RiskModel],
    query_points: pl.DataFrame,
    *,
    effect: Mapping[str, float] = INTERVENTION_EFFECT,
    workers: Workers = THIS_MACHINE,
    progress: Progress = no_progress,
) -> dict[str, pl.DataFrame]:
    """:func:`score_query_points` for each of ``models``; those that read the same reputations share
    the features. The pieces are computed by ``workers``.
    """
    points, places = order_by_neighbours(event_index, query_points)
    pieces = [points[start : start + PIECE] for start in range(0, max(1, len(points)), PIECE)]
    scored: dict[str, list[pl.DataFrame]] = {name: [] for name in models}
    for number, found in enumerate(
        workers.compute_pieces(
            score_piece, pieces, event_index=event_index, shared=Scorers(models, effect)
        ),
        start=1,
    ):
        for name, rows in found.items():
            scored[name].append(rows)
        if len(pieces) > 1:
            done = min(number * PIECE, len(points))
            progress(f"scored {done:,} of {len(points):,}")
    return {name: only_likely_losses(pl.concat(parts)[places]) for name, parts in scored.items()}


def score_piece(
    event_index: EventIndex, scorers: Scorers, piece: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """``SCORED_COLUMNS`` of the query points of one piece, by each model."""
    snapshots: dict[int, pl.DataFrame] = {}
    found = {}
    for name, model in scorers.models.items():
        reputations = id(model.reputations)
        if reputations not in snapshots:
            snapshots[reputations] = build_snapshot(
                event_index, piece, reputation_model=model.reputations
            )
        rows = add_scores(model, snapshots[reputations], effect=scorers.effect)
        found[name] = rows.select(SCORED_COLUMNS)
    return found


def order_by_neighbours(
    event_index: EventIndex, query_points: pl.DataFrame
) -> tuple[pl.DataFrame, pl.Series]:
    """The query points of people in the register, those of the first ``NEIGHBOURS`` before those of
    the next; and the place of each in the order in which they were given.
    """
    register = event_index.people.select("person", block=pl.col("code") // NEIGHBOURS)
    known = query_points.join(register, on="person", maintain_order="left").with_row_index("given")
    ordered = known.sort("block", maintain_order=True)
    return ordered.select(query_points.columns), ordered["given"].arg_sort()


def scored_snapshot(
    event_index: EventIndex, model: RiskModel, query_points: pl.DataFrame
) -> pl.DataFrame:
    """The snapshot of a few ``query_points``, all features of each, with :func:`add_scores`."""
    return add_scores(
        model, build_snapshot(event_index, query_points, reputation_model=model.reputations)
    )


def add_scores(
    model: RiskModel, rows: pl.DataFrame, *, effect: Mapping[str, float] = INTERVENTION_EFFECT
) -> pl.DataFrame:
    """The snapshot ``rows`` with ``score``, ``preventable_loss_cny`` and ``baseline_score``, as
    :func:`score_query_points` has them; ``effect`` is the chance that a warning works by type.
    """
    scores = (
        pl.Series("score", model.predict(rows))
        if len(rows)
        else pl.Series("score", [], dtype=pl.Float64)
    )
    rows = rows.with_columns(scores, baseline_score=baseline_score()).with_row_index("row")
    likely = keep_candidates(rows, column="score", most=MIN_CANDIDATES)
    losses = likely.select("row").with_columns(
        estimate_preventable_loss(model, likely, effect=effect)
    )
    return rows.join(losses, on="row", how="left", maintain_order="left").drop("row")


def only_likely_losses(rows: pl.DataFrame) -> pl.DataFrame:
    """``rows`` of whole ticks without the losses of people who were among the likeliest of their
    piece alone.
    """
    likely = keep_candidates(rows.with_row_index("row"), column="score", most=MIN_CANDIDATES)["row"]
    is_likely = pl.int_range(pl.len(), dtype=pl.UInt32).is_in(likely.implode())
    return rows.with_columns(pl.when(is_likely).then(LOSS_COLUMN).alias(LOSS_COLUMN))


def policy_rules(settings: Settings, *, budget: int | None = None) -> PolicyRules:
    """The policy's rules as this installation sets them."""
    return PolicyRules(
        budget=budget or settings.daily_budget,
        cool_down=timedelta(hours=settings.cool_down_hours),
        levels=settings.levels.model_dump(),
        carry=settings.carry,
        saving_weight=settings.saving_weight,
    )
