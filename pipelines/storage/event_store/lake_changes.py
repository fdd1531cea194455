"""What the lake holds that the store does not, and the reverse."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.storage.event_store.parts.days import day_start, known_day
from pipelines.storage.lake import Lake
from pipelines.storage.lake_schemas import DAY, EVENTS, TABLES

__all__ = ["LakeRecords", "Span", "files_by_day", "first_moved_days"]


@dataclass(frozen=True)
class Span:
    """Days that are added together: the first, the last, and how many there are with any record."""

    first: int
    last: int
    days: int


@dataclass(frozen=True, eq=False)
class LakeRecords:
    """Records of the lake by the day on which they became known: of each dataset and day the data
    files that hold any, and how many.
    """

    lake: Lake
    files: Mapping[str, Mapping[int, Mapping[str, int]]]

    def spans(self, *, since: int | None, most: int) -> list[Span]:
        """The days with any record, from ``since`` on and in order, days of few records together:
        at most so many, or those of one day.
        """
        rows: Counter[int] = Counter()
        for by_day in self.files.values():
            for day, files in by_day.items():
                rows[day] += sum(files.values())
        spans: list[Span] = []
        held = 0
        for day in sorted(day for day in rows if since is None or day >= since):
            held += rows[day]
            if spans and held <= most:
                spans[-1] = Span(spans[-1].first, day, spans[-1].days + 1)
            else:
                spans.append(Span(day, day, 1))
                held = rows[day]
        return spans

    def of_span(self, dataset: str, span: Span, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The records of one dataset and some days, a data file at a time."""
        start, end = day_start(span.first), day_start(span.last + 1)
        by_day = self.files[dataset].items()
        files = {file for day, held in by_day if span.first <= day <= span.last for file in held}
        for file in sorted(files):
            yield (
                self.lake.scan_files(dataset, [file])
                .select(columns)
                .filter(pl.col("known_at") >= start, pl.col("known_at") < end)
                .collect()
            )


def files_by_day(lake: Lake, dataset: str, files: Sequence[str]) -> dict[int, dict[str, int]]:
    """Which of ``files`` hold records that became known on each day, and how many."""
    found: dict[int, dict[str, int]] = {}
    for file in files:
        days = lake.scan_files(dataset, [file]).group_by(day=known_day()).len().collect()
        for day, number in days.iter_rows():
            found.setdefault(day, {})[file] = number
    return found


def first_moved_days(
    lake: Lake, before: Mapping[str, Sequence[str]], fresh: dict[str, list[str]]
) -> list[int | None]:
    """Where files of ``before`` are no longer the lake's: the first day of any record that is in
    none of the ``fresh`` ones, and of any that is new in these. Files that hold nothing new are
    taken out of ``fresh``, as when many have been merged into one.
    """
    days: list[int | None] = []
    for dataset in EVENTS:
        # What left for its age is older than all that the store is asked for.
        left = lake.files_there(
            dataset, sorted(set(before.get(dataset, ())) - set(lake.files(dataset)))
        )
        if left:
            on = [name for name in TABLES[dataset] if name != DAY]
            old, new = lake.scan_files(dataset, left), lake.scan_files(dataset, fresh[dataset])
            moved = [
                one.join(other, on=on, how="anti", nulls_equal=True)
                .select(known_day().min())
                .collect()
                .item()
                for one, other in ((old, new), (new, old))
            ]
            days.extend(moved)
            if moved == [None, None]:
                fresh[dataset] = []
    return days
