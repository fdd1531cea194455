"""Sums over windows of time, as the catalogue declares them: added up once, then read by window."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from features.catalogue.definitions import WINDOWED_SUMS, WindowedSum, window_span
from features.kernel.query_points import QueryPoints
from features.kernel.segment import to_hundredths, to_milliseconds
from features.kernel.timeline import Timeline

__all__ = ["columns_to_sum", "sum_expressions", "sum_windows"]


def sum_expressions(timeline: str) -> Mapping[str, pl.Expr]:
    """What each event of the timeline of that name adds to each sum declared over it."""
    return {declared.name: amount_added(declared) for declared in sums_over(timeline)}


def columns_to_sum(timeline: str) -> list[str]:
    """The columns that the sums of the timeline are made of, in order."""
    return sorted(
        {name for expr in sum_expressions(timeline).values() for name in expr.meta.root_names()}
    )


def sum_windows(
    timelines: Mapping[str, Timeline],
    points: QueryPoints,
    *,
    less: Mapping[str, pl.DataFrame] | None = None,
) -> Mapping[str, npt.NDArray[np.float64]]:
    """Every declared sum over ``timelines``, by ``name_window``: one value a query point.

    ``less`` are events of the timelines that do not count at some query points, as
    ``features.kernel.query_points.recent_events`` gives them, from before each within the longest
    window.
    """
    found = {
        name: values
        for over, timeline in timelines.items()
        for name, values in window_values(timeline, points, sums_over(over)).items()
    }
    for over, rows in (less or {}).items():
        if len(rows):
            for name, values in row_values(rows, points, sums_over(over)).items():
                found[name] = found[name] - values
    return found


def row_values(
    rows: pl.DataFrame, points: QueryPoints, declared: Iterable[WindowedSum]
) -> Mapping[str, npt.NDArray[np.float64]]:
    """The ``declared`` sums over ``rows`` (``point``, ``at``, ``known_at``, …), by
    ``name_window``.
    """
    place, known_ms = rows["point"].to_numpy(), to_milliseconds(rows["known_at"])
    age_ms = to_milliseconds(rows["at"]) - known_ms
    found = {}
    for one in declared:
        amounts = rows.select(to_hundredths(amount_added(one))).to_series().to_numpy()
        for window in one.windows:
            inside = age_ms <= window_span(window) // timedelta(milliseconds=1)
            totals = np.bincount(
                place[inside], weights=amounts[inside], minlength=len(points.owner)
            )
            found[f"{one.name}_{window}"] = totals / 100
    return found


def window_values(
    timeline: Timeline, points: QueryPoints, declared: Iterable[WindowedSum]
) -> Mapping[str, npt.NDArray[np.float64]]:
    """The ``declared`` sums of one timeline, by ``name_window``."""
    declared = tuple(declared)
    names: dict[timedelta, list[str]] = {}
    spelled = {window_span(window): window for one in declared for window in one.windows}
    for one in declared:
        for window in one.windows:
            names.setdefault(window_span(window), []).append(one.name)
    sums = timeline.window_sums(names, owner=points.owner, at_ms=points.at_ms)
    return {
        f"{name}_{spelled[window]}": values
        for window, found in sums.items()
        for name, values in found.items()
    }


def sums_over(timeline: str) -> tuple[WindowedSum, ...]:
    """The sums that the catalogue declares over the timeline of that name."""
    return tuple(declared for declared in WINDOWED_SUMS if declared.over == timeline)


def amount_added(declared: WindowedSum) -> pl.Expr:
    """What an event adds to the sum; null, which adds nothing, where it is not chosen."""
    value = pl.lit(1.0) if declared.value is None else pl.sql_expr(declared.value)
    if declared.where is None:
        return value
    return pl.when(pl.sql_expr(declared.where)).then(value)
