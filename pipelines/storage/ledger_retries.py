"""What became of rejected rows that were tried again, added to the counts of the load that rejected
them: rows = accepted + quarantined + duplicates + skipped + held stays true of every load.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, Select, case, func, select

from pipelines.storage.ledger_tables import BATCHES, FILES, RETRIES

__all__ = ["Retry", "count_with_retries"]

BECAME = ("accepted", "duplicates", "skipped")
COMMITTED = BATCHES.c.state == "committed"


@dataclass(frozen=True, kw_only=True)
class Retry:
    """Rejected rows of the load of ``path`` in batch ``of_batch`` that left the quarantine:
    ``rows`` are their numbers in the file, as many as accepted + duplicates + skipped.
    """

    path: str
    of_batch: int
    accepted: int
    duplicates: int
    skipped: int
    rows: tuple[int, ...]


def count_with_retries() -> Select[tuple[object, ...]]:
    """The committed loads of files with what became of their rows until now."""
    left = _left_rows()
    counts = {name: func.coalesce(left.c[name], 0) for name in BECAME}
    now: dict[str, ColumnElement[int]] = {name: FILES.c[name] + counts[name] for name in counts}
    now["quarantined"] = FILES.c.quarantined - sum(counts.values())
    columns = [
        _status(now["quarantined"])
        if column.name == "status"
        else now[column.name].label(column.name)
        if column.name in now
        else column
        for column in FILES.c
        if column.name != "batch"
    ]
    is_of_load = (left.c.of_batch == FILES.c.batch) & (left.c.path == FILES.c.path)
    joined = FILES.join(BATCHES, BATCHES.c.batch == FILES.c.batch).outerjoin(left, is_of_load)
    return select(*columns).select_from(joined).where(COMMITTED)


def _left_rows() -> FromClause:
    """How many rows left the quarantine, by load and by what became of them."""
    sums = [func.sum(RETRIES.c[name]).label(name) for name in BECAME]
    query = select(RETRIES.c.of_batch, RETRIES.c.path, *sums).join(BATCHES).where(COMMITTED)
    return query.group_by(RETRIES.c.of_batch, RETRIES.c.path).subquery("left_rows")


def _status(quarantined: ColumnElement[int]) -> ColumnElement[str]:
    """The status of a load; files loaded before there was one are told by their counts."""
    return case(
        ((FILES.c.status == "partly") & (quarantined == 0), "accepted"),
        (FILES.c.status != "", FILES.c.status),
        (FILES.c.held > 0, "held"),
        (FILES.c.reason != "", "unreadable"),
        (quarantined > 0, "partly"),
        else_="accepted",
    ).label("status")
