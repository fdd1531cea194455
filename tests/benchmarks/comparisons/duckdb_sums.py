"""Windowed sums in DuckDB: relationships by window functions, sums by a range join or by ASOF
joins on running totals.
"""

from collections.abc import Iterable

import duckdb
import numpy.typing as npt
import polars as pl

from features.catalogue.definitions import WindowedSum
from tests.benchmarks.comparisons.peer_tables import CALL_SUMS, PeerTables, window_ms, windows_of

__all__ = ["DuckDBSums"]

CONTACTS = """
CREATE OR REPLACE TABLE contacts AS
WITH mine AS (
    SELECT owner, calls.peer, peer_kind, known_at, epoch_us(known_at) // 1000 AS known_ms,
        duration_s, service = 'voice' AS is_voice, direction = 'in' AS is_in,
        service = 'voice' AND duration_s > 0 AS is_answered
    FROM calls JOIN holdings ON calls.number = holdings.number
        AND coalesce(started_at >= since_at, true) AND coalesce(started_at < until_at, true)
    WHERE calls.peer NOT IN (SELECT peer FROM public_services)
), firsts AS (
    SELECT *, coalesce(known_at - lag(known_at) OVER (PARTITION BY owner, peer ORDER BY known_at)
        > INTERVAL 30 DAY, true) AS is_first
    FROM mine
)
SELECT *, known_at - max(CASE WHEN is_first THEN known_at END) OVER (
    PARTITION BY owner, peer ORDER BY known_at ROWS UNBOUNDED PRECEDING
) < INTERVAL 15 DAY AS is_stranger
FROM firsts
"""


class DuckDBSums:
    """A DuckDB in memory with the tables of a peer; everything below is plain SQL on them."""

    def __init__(self, tables: PeerTables) -> None:
        self._connection = duckdb.connect()
        self._run("SET TimeZone = 'Asia/Shanghai'")
        self._create("calls", tables.calls)
        self._create("holdings", tables.holdings)
        self._create("public_services", tables.public)

    def close(self) -> None:
        """Give back the memory."""
        self._connection.close()

    def lay_out(self) -> int:
        """Contacts and running totals; return how many contacts."""
        contacts = self.build_contacts()
        self.build_running_totals()
        return contacts

    def build_contacts(self) -> int:
        """The contacts of residents with the state of each relationship; return how many."""
        self._run(CONTACTS)
        return self._count("contacts")

    def build_running_totals(self) -> int:
        """The running total of each sum by owner and moment; return how many rows."""
        totals = ", ".join(
            f"sum({_amount(one)}) OVER (PARTITION BY owner ORDER BY known_ms) AS {one.name}"
            for one in CALL_SUMS
        )
        self._run(
            f"CREATE OR REPLACE TABLE running AS SELECT DISTINCT owner, known_ms, {totals} "
            "FROM contacts"
        )
        return self._count("running")

    def set_points(self, points: pl.DataFrame) -> None:
        """Ask about these ``points``: ``point``, ``owner``, ``at_ms``."""
        self._create("points", points)

    def sums_by_range_join(self) -> npt.NDArray:
        """Every sum in every window (points, sums): one join with all events of a month."""
        longest = max(window_ms(window) for window in windows_of(CALL_SUMS))
        sums = ", ".join(
            f"coalesce(sum({_amount(one)}) FILTER (known_ms >= at_ms - {window_ms(window)}), 0)"
            f' AS "{one.name}_{window}"'
            for one, window in _columns()
        )
        return self._values(
            f"SELECT point, {sums} FROM points LEFT JOIN contacts ON points.owner = contacts.owner "
            f"AND known_ms < at_ms AND known_ms >= at_ms - {longest} GROUP BY point"
        )

    def sums_by_asof_join(self) -> npt.NDArray:
        """The same from the running totals: an ASOF join for the moment and one for each window."""
        spans = {"now": 0, **{f"w{one}": window_ms(one) for one in windows_of(CALL_SUMS)}}
        joins = " ".join(
            f"ASOF LEFT JOIN running {name} ON points.owner = {name}.owner "
            f"AND points.at_ms - {span} > {name}.known_ms"
            for name, span in spans.items()
        )
        sums = ", ".join(
            f"coalesce(now.{one.name}, 0) - coalesce(w{window}.{one.name}, 0)"
            f' AS "{one.name}_{window}"'
            for one, window in _columns()
        )
        return self._values(f"SELECT point, {sums} FROM points {joins}")

    def profiles_by_range_join(self) -> npt.NDArray:
        """What each number did to the district before each moment, of the points' ``owner``, as
        peer: (points, 12).
        """
        return self._values(PROFILES)

    def _create(self, name: str, frame: pl.DataFrame) -> None:
        self._connection.register("given", frame.to_arrow())
        self._run(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM given")
        self._connection.unregister("given")

    def _values(self, query: str) -> npt.NDArray:
        table = self._connection.sql(f"{query} ORDER BY point").to_arrow_table()
        frame = pl.DataFrame(table).drop("point")
        return frame.cast(pl.Float64).to_numpy()

    def _count(self, name: str) -> int:
        ((count,),) = self._run(f"SELECT count(*) FROM {name}")
        return int(count)

    def _run(self, query: str) -> list[tuple[int, ...]]:
        """Run it to its end: a result half read keeps the connection busy."""
        return self._connection.execute(query).fetchall()


def _columns() -> Iterable[tuple[WindowedSum, str]]:
    return ((one, window) for one in CALL_SUMS for window in one.windows)


def _amount(declared: WindowedSum) -> str:
    """What an event adds: the catalogue's own words are SQL."""
    chosen = f"({declared.where or 'true'})"
    if declared.over == "stranger_contacts":
        chosen = f"(is_stranger AND {chosen})"
    return f"CASE WHEN {chosen} THEN {declared.value or '1'} ELSE 0 END"


def _share(part: str, whole: str) -> str:
    return f"count(*) FILTER ({part}) / nullif(count(*) FILTER ({whole}), 0)"


DAY_MS = 86_400_000
FORTNIGHT = f"known_ms >= at_ms - {14 * DAY_MS}"
RANG = f"{FORTNIGHT} AND is_in AND is_voice"
PICKED_UP = f"{FORTNIGHT} AND is_in AND is_answered"
PROFILES = f"""
SELECT point,
    count(*) FILTER (is_first AND known_ms >= at_ms - {DAY_MS}) AS reach_24h,
    count(*) FILTER (is_first AND known_ms >= at_ms - {3 * DAY_MS}) AS reach_3d,
    count(*) FILTER (is_first AND {FORTNIGHT}) AS reach_14d,
    count(*) FILTER ({FORTNIGHT}) AS contacts,
    (any_value(at_ms) - min(known_ms)) / {DAY_MS} AS age_d,
    {_share(f"{FORTNIGHT} AND is_in", FORTNIGHT)} AS in_share,
    {_share(f"{FORTNIGHT} AND NOT is_voice", FORTNIGHT)} AS sms_share,
    {_share(PICKED_UP, RANG)} AS answer_share,
    {_share(f"{PICKED_UP} AND duration_s <= 25", PICKED_UP)} AS hang_up_share,
    count(*) FILTER ({FORTNIGHT} AND is_answered AND duration_s >= 120) AS engaged,
    count(*) FILTER ({FORTNIGHT} AND is_answered AND duration_s >= 600) AS long,
    coalesce(sum(duration_s) FILTER ({FORTNIGHT}), 0)
        / greatest(1, count(*) FILTER ({FORTNIGHT} AND is_voice)) AS talk_mean_s
FROM points LEFT JOIN contacts ON points.peer = contacts.peer
    AND known_ms < at_ms AND known_ms >= at_ms - {30 * DAY_MS}
GROUP BY point
"""
