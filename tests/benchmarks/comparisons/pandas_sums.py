"""Windowed sums in pandas: relationships by shifts, sums by group-bys or ``merge_asof`` on running
totals.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from features.catalogue.definitions import WindowedSum
from tests.benchmarks.comparisons.peer_tables import CALL_SUMS, PeerTables, window_ms, windows_of

__all__ = ["PandasSums"]

GAP, STRANGER = pd.Timedelta(days=30), pd.Timedelta(days=15)


class PandasSums:
    """The tables of a peer as pandas frames."""

    def __init__(self, tables: PeerTables) -> None:
        self._calls = tables.calls.to_pandas()
        self._holdings = tables.holdings.to_pandas()
        self._public = tables.public["peer"].to_list()
        self._contacts = self._running = pd.DataFrame()

    def lay_out(self) -> int:
        """Contacts and running totals; return how many contacts."""
        contacts = self.build_contacts()
        self.build_running_totals()
        return contacts

    def build_contacts(self) -> int:
        """The contacts of residents, what each adds to each sum, in order; return how many."""
        calls = self._calls[~self._calls["peer"].isin(self._public)]
        held = calls.merge(self._holdings, on="number")
        since, until, started = held["since_at"], held["until_at"], held["started_at"]
        frame = held[(since.isna() | (started >= since)) & (until.isna() | (started < until))]
        frame = frame.sort_values(["owner", "peer", "known_at"], kind="stable")
        before = frame.groupby(["owner", "peer"], sort=False)["known_at"].shift()
        first = before.isna() | (frame["known_at"] - before > GAP)
        began = frame["known_at"].where(first).groupby([frame["owner"], frame["peer"]], sort=False)
        frame = frame.assign(
            is_first=first,
            is_stranger=frame["known_at"] - began.ffill() < STRANGER,
            is_voice=frame["service"] == "voice",
            is_in=frame["direction"] == "in",
            known_ms=frame["known_at"].dt.tz_convert("UTC").dt.tz_localize(None).astype("M8[us]")
            .astype("int64") // 1000,
        )  # fmt: skip
        columns = {one.name: _amount(frame, one) for one in CALL_SUMS}
        self._contacts = pd.DataFrame(
            {"owner": frame["owner"], "known_ms": frame["known_ms"], **columns}
        )
        return len(self._contacts)

    def build_running_totals(self) -> int:
        """The running total of each sum by owner, in order of time; return how many rows."""
        names = [one.name for one in CALL_SUMS]
        ordered = self._contacts.sort_values("known_ms", kind="stable")
        totals = ordered.groupby("owner")[names].cumsum()
        self._running = pd.concat([ordered[["owner", "known_ms"]], totals], axis=1)
        return len(self._running)

    def sums_at_one_moment(self, points: pl.DataFrame) -> npt.NDArray[np.float64]:
        """Every sum in every window (points, sums) of ``points`` that share one moment: a filter
        and a group-by for each window.
        """
        (at_ms,) = points["at_ms"].unique()
        owners, found = points["owner"].to_numpy(), {}
        for window in windows_of(CALL_SUMS):
            names = [one.name for one in CALL_SUMS if window in one.windows]
            known = self._contacts["known_ms"]
            inside = self._contacts[(known >= at_ms - window_ms(window)) & (known < at_ms)]
            sums = inside.groupby("owner")[names].sum().reindex(owners, fill_value=0)
            found |= {(name, window): sums[name].to_numpy() for name in names}
        return _in_order(found)

    def sums_by_merge_asof(self, points: pl.DataFrame) -> npt.NDArray[np.float64]:
        """The same at any moments: a ``merge_asof`` for the moment and one for each window."""
        now = self._totals_before(points, 0)
        found = {}
        for window in windows_of(CALL_SUMS):
            then = self._totals_before(points, window_ms(window))
            for one in CALL_SUMS:
                if window in one.windows:
                    found[one.name, window] = (now[one.name] - then[one.name]).to_numpy()
        return _in_order(found)

    def _totals_before(self, points: pl.DataFrame, span_ms: int) -> pd.DataFrame:
        """The totals strictly before ``span_ms`` before each point, in the order of the points."""
        asked = pd.DataFrame(
            {
                "point": points["point"].to_numpy(),
                "owner": points["owner"].to_numpy(),
                "known_ms": points["at_ms"].to_numpy() - span_ms,
            }
        ).sort_values("known_ms", kind="stable")
        found = pd.merge_asof(
            asked, self._running, on="known_ms", by="owner", allow_exact_matches=False
        )
        return found.sort_values("point").fillna(0.0)


def _in_order(found: dict[tuple[str, str], Any]) -> npt.NDArray[np.float64]:
    columns = [found[one.name, window] for one in CALL_SUMS for window in one.windows]
    return np.column_stack(columns).astype(np.float64)


def _amount(frame: pd.DataFrame, declared: WindowedSum) -> pd.Series:
    """What each event adds to a sum; the catalogue's SQL is nearly what ``eval`` reads."""
    value = frame[declared.value] if declared.value else pd.Series(1.0, index=frame.index)
    chosen = pd.Series(data=True, index=frame.index)
    if declared.where:
        chosen = frame.eval(declared.where.replace(" = ", " == ").replace("\n", " ").lower())
    if declared.over == "stranger_contacts":
        chosen &= frame["is_stranger"]
    return value.where(chosen, 0.0).astype("float64")
