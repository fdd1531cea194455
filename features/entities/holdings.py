"""Holdings: whose a number or an account is, and from when to when.

Numbers are given out again and accounts change hands. What happens at a moment belongs to whoever
was the holder then: the one with the latest date up to it. Before its first date a number is
nobody's; without a date a holder is one from the beginning.
"""

import polars as pl

from features.kernel.source_tables import SourceTables

__all__ = [
    "account_holdings",
    "held_at",
    "held_on",
    "number_holdings",
    "present_rows",
    "whole_time",
]

ZONE = "Asia/Shanghai"


def number_holdings(tables: SourceTables) -> pl.LazyFrame:
    """``number``, ``person``, and the span of :func:`build_holdings`."""
    return build_holdings(tables.subscribers, key="number", since="activated_on")


def account_holdings(tables: SourceTables) -> pl.LazyFrame:
    """``account``, ``person``, and the span of :func:`build_holdings`."""
    return build_holdings(tables.accounts, key="account", since="opened_on")


def build_holdings(register: pl.LazyFrame, *, key: str, since: str) -> pl.LazyFrame:
    """One row for each time that ``key`` was with one holder: ``key``, ``person``, the days
    ``since`` and ``until`` and the moments ``since_at`` and ``until_at``.

    The end is the beginning of the next holder. A missing beginning is "always", a missing end is
    "still". One holder with several dates in a row holds since the first.
    """
    other = pl.col(key).ne_missing(pl.col(key).shift()) | pl.col("person").ne_missing(
        pl.col("person").shift()
    )
    return (
        register.select(key, "person", since=pl.col(since))
        .unique()
        .sort(key, "since", "person", nulls_last=False)
        .unique([key, "since"], keep="last", maintain_order=True)
        .filter(other)
        .with_columns(
            until=pl.when(pl.col(key) == pl.col(key).shift(-1)).then(pl.col("since").shift(-1))
        )
        .with_columns(since_at=midnight("since"), until_at=midnight("until"))
    )


def midnight(day: str) -> pl.Expr:
    """The moment at which a day begins."""
    return (
        pl.col(day)
        .cast(pl.Datetime("us"))
        .dt.replace_time_zone(ZONE, ambiguous="earliest", non_existent="null")
    )


def held_at(moment: str) -> pl.Expr:
    """Whether the column ``moment`` lies within the moments of a holding."""
    at = pl.col(moment)
    return (at >= pl.col("since_at")).fill_null(True) & (at < pl.col("until_at")).fill_null(True)


def held_on(day: pl.Expr) -> pl.Expr:
    """Whether ``day`` lies within the days of a holding."""
    return (day >= pl.col("since")).fill_null(True) & (day < pl.col("until")).fill_null(True)


def whole_time(holdings: pl.LazyFrame, *, key: str, holder: str) -> pl.LazyFrame:
    """``holdings`` with a row more for the time before the first holder, with no ``holder``: so a
    join finds exactly one row for any moment of a key that is known.
    """
    first = pl.col(key).ne_missing(pl.col(key).shift())
    before = (
        holdings.sort(key, "since", nulls_last=False)
        .filter(first & pl.col("since").is_not_null())
        .with_columns(
            pl.lit(None).cast(holdings.collect_schema()[holder]).alias(holder),
            since=pl.lit(None, dtype=pl.Date),
            since_at=pl.lit(None, dtype=pl.Datetime("us", ZONE)),
            until="since",
            until_at="since_at",
        )
    )
    return pl.concat([holdings, before])


def present_rows(register: pl.LazyFrame, *, key: str, since: str) -> pl.LazyFrame:
    """The rows of the register that hold today: of each key the latest."""
    return register.sort(key, since, "person", nulls_last=False).unique(
        key, keep="last", maintain_order=True
    )
