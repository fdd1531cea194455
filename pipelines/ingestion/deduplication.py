"""Which of the accepted rows are new: the first row of a key is kept, its equals are duplicates,
others conflict.

A register's record is known by its key alone. An event is known by its number and by what happened:
the same happening in another file is the same event, whatever number it bears there; and the same
number in another file is the same record, unless it differs in two things or more, as where a
source counts from 1 again.
"""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from functools import reduce

import polars as pl

from pipelines.storage.lake_schemas import DAY

__all__ = [
    "ACCEPTED",
    "CONFLICT",
    "DUPLICATE",
    "EVENT_IDENTITIES",
    "EventIdentity",
    "candidate_keys",
    "classify_duplicates",
    "classify_events",
    "classify_latest",
    "find_clashing",
]

ACCEPTED, DUPLICATE, CONFLICT = "accepted", "duplicate", "conflict"


def classify_duplicates(
    rows: pl.DataFrame, *, known: pl.DataFrame, key: Sequence[str], values: Sequence[str]
) -> pl.Series:
    """Classify each row as ``accepted``, ``duplicate`` or ``conflict``, in the order of ``rows``.

    ``known`` holds the keys and values that were there before, each key once. The reference of a
    key is its known row, else its first row here; a row with the reference's values is a duplicate,
    with others a conflict. Values that are both missing are equal.
    """
    order = pl.col("_order")
    numbered = (
        rows.select(*key, *values).with_row_index("_order").with_columns(order.cast(pl.Int64))
    )
    earlier = known.select(pl.lit(-1, dtype=pl.Int64).alias("_order"), *key, *values)
    pool = pl.concat([earlier, numbered.select(earlier.columns)])
    repeated_keys = pool.filter(pl.len().over(*key) > 1)  # few; the comparison of values is costly
    same = [
        pl.col(name).eq_missing(pl.col(name).sort_by(order).first().over(*key)) for name in values
    ]
    verdict = (
        pl.when(order == order.min().over(*key))
        .then(pl.lit(ACCEPTED))
        .when(pl.all_horizontal(pl.lit(value=True), *same))
        .then(pl.lit(DUPLICATE))
        .otherwise(pl.lit(CONFLICT))
    )
    classified = repeated_keys.select(order, verdict.alias("verdict"))
    whole = numbered.select(order).join(classified, on="_order", how="left", maintain_order="left")
    return whole["verdict"].fill_null(ACCEPTED)


def classify_latest(rows: pl.DataFrame, *, key: Sequence[str], values: Sequence[str]) -> pl.Series:
    """Classify the rows of a register in which the last row of a key counts.

    An earlier row is a duplicate, whatever may have changed since, such as an address; it is a
    conflict where one of ``values`` differs, which nothing can change.
    """
    reverse = rows.reverse()
    return classify_duplicates(reverse, known=reverse.clear(), key=key, values=values).reverse()


@dataclass(frozen=True, kw_only=True)
class EventIdentity:
    """How the events of a dataset are told apart, in columns of the lake.

    ``key`` knows a record within the files of one source, ``happening`` what happened, whoever
    delivers it, and ``moment`` when. Two rows of one file that share the key are two records if one
    of ``apart`` differs. ``rest`` are the other columns in which a record must agree with its
    earlier delivery.
    """

    key: tuple[str, ...]
    happening: tuple[str, ...]
    moment: str
    apart: tuple[str, ...]
    rest: tuple[str, ...] = ()


EVENT_IDENTITIES: Mapping[str, EventIdentity] = {
    "calls": EventIdentity(
        key=("source", DAY, "number", "record_id"),
        happening=("number", "peer", "direction", "service", "started_at", "duration_s"),
        moment="started_at",
        # A number speaks with another once at a time.
        apart=("peer", "direction", "started_at"),
    ),
    "transfers": EventIdentity(
        key=("source", DAY, "account", "record_id"),
        happening=("account", "payee", "direction", "occurred_at", "amount_cny"),
        moment="occurred_at",
        # A fee bears number and moment of its payment.
        apart=("payee", "direction", "occurred_at", "amount_cny"),
        rest=("channel", "peer_bank"),
    ),
}


def candidate_keys(*, identity: EventIdentity) -> list[pl.Expr]:
    """``_key`` and ``_happening``: numbers that are equal wherever records or happenings are, so
    that few rows need a closer look.
    """
    return [_mixed(identity.key).alias("_key"), _mixed(identity.happening).alias("_happening")]


def _mixed(columns: Sequence[str]) -> pl.Expr:
    hashes = [pl.col(name).hash(seed=seed) for seed, name in enumerate(columns)]
    return reduce(operator.xor, hashes)


def classify_events(
    rows: pl.DataFrame,
    *,
    known: pl.DataFrame,
    identity: EventIdentity,
    wider_keys: Mapping[str, Sequence[str]],
) -> pl.DataFrame:
    """Classify each row, in the order of ``rows``: ``result`` is ``accepted``, ``duplicate`` or
    ``conflict``, and ``origin`` the source of the earlier row that a duplicate or conflict repeats.

    ``rows`` have the lake's columns and ``_file``, file by file; ``known`` holds at least what the
    lake has under the same keys and happenings, with the ``_file`` of what came with the same file
    before, else null. Of equal happenings a file brings as many new ones
    as it holds more than any before it: two equal payments in one file are two. A moment without
    time of day tells too little: there the source and the number must be the same, too.
    ``wider_keys`` names, by source, columns that belong to its records' key.
    """
    order = pl.col("_order")
    columns = [*dict.fromkeys([*identity.key, *identity.happening, *identity.rest])]
    old = known.select(
        (pl.int_range(pl.len()) - known.height).alias("_order"),
        pl.col("_file").fill_null("") if "_file" in known.columns else pl.lit("").alias("_file"),
        *columns,
    )
    new = rows.lazy().select(pl.int_range(pl.len()).alias("_order"), "_file", *columns)
    marked = pl.concat([old.lazy(), new]).with_columns(candidate_keys(identity=identity))
    twice = pl.any_horizontal(pl.col("_key", "_happening").is_duplicated())
    closer = marked.filter(twice).drop("_key", "_happening").collect()
    closer = closer.with_columns(_wider(wider_keys).alias("_wider"), _day_only(identity)).sort(
        order
    )
    verdicts = _look_closer(closer, identity=identity)
    if (verdicts["result"] == CONFLICT).any():
        verdicts = _look_file_by_file(closer, identity=identity)
    return (
        rows.select(pl.int_range(pl.len()).alias("_order"))
        .join(verdicts, on=order, how="left", maintain_order="left")
        .select(pl.col("result").fill_null(ACCEPTED), "origin")
    )


def find_clashing(
    known: pl.DataFrame,
    rows: pl.DataFrame,
    *,
    identity: EventIdentity,
    wider_keys: Mapping[str, Sequence[str]],
) -> pl.DataFrame:
    """The ``known`` rows for which ``rows`` of another file are conflicts."""
    wider = _wider(wider_keys).alias("_wider")
    old, new = known.with_columns(wider).with_row_index("_at"), rows.with_columns(wider)
    key = (*identity.key, "_wider")
    found = [
        old.join(
            new,
            on=list(dict.fromkeys([*key, *(n for n in identity.happening if n != changed)])),
            how="semi",
            nulls_equal=True,
        )["_at"]
        for changed in identity.happening
        if changed not in identity.key
    ]
    return known[pl.concat(found).unique().sort()]


def _look_file_by_file(pool: pl.DataFrame, *, identity: EventIdentity) -> pl.DataFrame:
    """The same as ``_look_closer`` where rows are refused, which then count for no later file."""
    order = pl.col("_order")
    known, new = pool.filter(order < 0), pool.filter(order >= 0)
    found = []
    for rows in new.partition_by("_file", maintain_order=True):
        found.append(_look_closer(pl.concat([known, rows]), identity=identity))
        accepted = rows.join(found[-1], on="_order", how="anti", maintain_order="left")
        known = pl.concat([known, accepted]).with_columns(
            (pl.int_range(pl.len()) - pl.len().cast(pl.Int64)).alias("_order"),
            pl.when(pl.col("_file") == rows["_file"][0])
            .then(pl.lit(""))
            .otherwise("_file")
            .alias("_file"),
        )
    return pl.concat(found)


def _look_closer(pool: pl.DataFrame, *, identity: EventIdentity) -> pl.DataFrame:
    """``_order``, ``result`` and ``origin`` of the rows of ``pool`` that are not accepted, and not
    known already.
    """
    order = pl.col("_order")
    key, happening = (*identity.key, "_wider"), (*identity.happening, "_day_only")
    # One record twice in one file is no second event.
    once = ("_file", *key, *happening)
    pool = pool.with_columns(
        (order == order.first().over(once)).alias("_first"),
        _agrees(identity.rest, over=once).alias("_agrees"),
    )
    repeats = pool.filter(~pl.col("_first") & (order >= 0))
    single = pool.filter(pl.col("_first") | (order < 0))
    # Equal happenings are numbered within each file, those first whose record came before.
    seen = (order != order.first().over(key + happening)).alias("_seen")
    numbered = single.with_columns(seen).sort("_seen", "_order", descending=[True, False])
    nth = pl.int_range(pl.len()).over("_file", *happening).alias("_nth")
    over = (*happening, "_nth")
    paired = (
        numbered.with_columns(nth)
        .sort(order)
        .with_columns(
            order.first().over(over).alias("_head"),
            pl.col("source").first().over(over).alias("origin"),
            (_agrees(key, over=over) & ~_agrees(identity.rest, over=over)).alias("_other"),
        )
    )
    fresh = paired.filter(order == pl.col("_head"))
    clashing = fresh.filter(_clashes(identity, key=key))["_order"].implode()
    is_conflict = pl.col("_head").is_in(clashing) | (pl.col("_other") & (order != pl.col("_head")))
    return pl.concat(
        [
            repeats.select(
                order, _result(conflict=~pl.col("_agrees")), pl.col("source").alias("origin")
            ),
            paired.filter((order >= 0) & ((order != pl.col("_head")) | is_conflict)).select(
                order, _result(conflict=is_conflict), "origin"
            ),
        ]
    )


def _clashes(identity: EventIdentity, *, key: Sequence[str]) -> pl.Expr:
    """Whether the record came before with another happening.

    In another file that is so where all but one of the happening's columns agree, within one file
    where all that tell two records apart do.
    """
    order, file = pl.col("_order"), pl.col("_file")
    elsewhere = [
        file != file.first().over(*key, *(name for name in identity.happening if name != left_out))
        for left_out in identity.happening
        if left_out not in identity.key
    ]
    here = order != order.first().over("_file", *key, *identity.apart)
    return pl.any_horizontal(*elsewhere, here) & (order >= 0)


def _result(*, conflict: pl.Expr) -> pl.Expr:
    return pl.when(conflict).then(pl.lit(CONFLICT)).otherwise(pl.lit(DUPLICATE)).alias("result")


def _agrees(columns: Sequence[str], *, over: Sequence[str]) -> pl.Expr:
    """Whether the row has the values of the first row of its group."""
    same = [pl.col(name).eq_missing(pl.col(name).first().over(over)) for name in columns]
    return pl.all_horizontal(pl.lit(value=True), *same)


def _day_only(identity: EventIdentity) -> pl.Expr:
    """Of a moment without time of day the source and the number; else null."""
    at_midnight = pl.col(identity.moment).dt.time() == time()
    return pl.when(at_midnight).then(pl.concat_str("source", "record_id")).alias("_day_only")


def _wider(wider_keys: Mapping[str, Sequence[str]]) -> pl.Expr:
    """What belongs to the key of the record besides, where its source says so; else null."""
    wider = pl.lit(None, dtype=pl.String)
    for source, columns in wider_keys.items():
        values = [pl.col(name).cast(pl.String).fill_null("") for name in columns]
        wider = (
            pl.when(pl.col("source") == source)
            .then(pl.concat_str(values, separator="|"))
            .otherwise(wider)
        )
    return wider
