"""What the lake holds that the store does not, and the reverse."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.storage.event_store.parts.days import day_start, known_day
from pipelines.storage.lake import Lake
from pipelines.storage.schemas import DAY, EVENTS, TABLES

__all__ = ["LakeRecords", "files_by_day", "first_moved_days"]


@dataclass(frozen=True, eq=False)
class LakeRecords:
    """Records of the lake by the day on which they became known: of each dataset and day the data
    files that hold any.
    """

    lake: Lake
    files: Mapping[str, Mapping[int, Sequence[str]]]

    @property
    def days(self) -> list[int]:
        """The days on which anything became known, in order."""
        return sorted({day for by_day in self.files.values() for day in by_day})

    def of_day(self, dataset: str, day: int, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The records of one dataset and day, a data file at a time."""
        start, end = day_start(day), day_start(day + 1)
        for file in self.files[dataset].get(day, ()):
            yield (
                self.lake.scan_files(dataset, [file])
                .select(columns)
                .filter(pl.col("known_at") >= start, pl.col("known_at") < end)
                .collect()
            )


def files_by_day(lake: Lake, dataset: str, files: Sequence[str]) -> dict[int, list[str]]:
    """Which of ``files`` hold records that became known on each day."""
    found: dict[int, list[str]] = {}
    for file in files:
        days = lake.scan_files(dataset, [file]).select(known_day()).unique().collect()
        for day in days["known_at"]:
            found.setdefault(day, []).append(file)
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
        left = sorted(set(before.get(dataset, ())) - set(lake.files(dataset)))
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
