"""Which records there are of a person: a source that is silent says nothing of anybody."""

import polars as pl

__all__ = ["data_seen", "data_seen_in_snapshot"]


def data_seen(*, calls: pl.Expr, transfers: pl.Expr) -> pl.Expr:
    """Say ``both``, ``calls only``, ``transfers only`` or ``none``, from whether there are any of
    either.
    """
    return (
        pl.when(calls & transfers)
        .then(pl.lit("both"))
        .when(calls)
        .then(pl.lit("calls only"))
        .when(transfers)
        .then(pl.lit("transfers only"))
        .otherwise(pl.lit("none"))
    )


def data_seen_in_snapshot() -> pl.Expr:
    """Say :func:`data_seen` of each row of a snapshot, by what its habits count in 30 days."""
    return data_seen(
        calls=pl.any_horizontal(
            pl.col("calls_in_30d", "calls_out_30d", "sms_30d").fill_null(0) > 0
        ),
        transfers=pl.any_horizontal(pl.col("debits_30d", "credit_cny_30d").fill_null(0) > 0),
    )
