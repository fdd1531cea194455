"""What a centre does today, scored beside the model everywhere."""

import polars as pl

__all__ = ["baseline_score"]


def baseline_score() -> pl.Expr:
    """0 to 1: repeated and long calls with unknown numbers in a day, and a large transfer to a new
    payee.

    The points of the rule make the steps; talk and amount order people within a step.
    """
    repeated = (pl.col("stranger_calls_24h") >= 3).cast(pl.Float64)
    long = (pl.col("stranger_max_talk_24h_s").fill_null(0) >= 1200).cast(pl.Float64)
    large = (pl.col("new_debit_cny_24h") >= 5000).cast(pl.Float64)
    talk = (pl.col("stranger_max_talk_24h_s").fill_null(0) / 7200).clip(0, 1)
    amount = (pl.col("new_debit_cny_24h") / 50_000).clip(0, 1)
    return (repeated + 2 * long + 2 * large + (talk + amount) / 2) / 6
