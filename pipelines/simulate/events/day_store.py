"""Events drawn ahead of their day, kept on disk until it comes: a long district takes no more
memory than a short one.
"""

from __future__ import annotations

from dataclasses import Field, fields
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from pipelines.simulate.events.columns import CallEvents, PaymentEvents
from pipelines.simulate.people.numbering import Ints

__all__ = ["DayStore"]

Events = TypeVar("Events", CallEvents, PaymentEvents)
PAGE = 200_000  # events in memory before they are written


class DayStore(Generic[Events]):
    """The events of one kind in ``folder``, a file a day; those of other days are left out."""

    def __init__(self, folder: Path, kind: type[Events], *, days: int) -> None:
        self._folder, self._days = folder, days
        self._kind: type[Events] = kind
        self._page: list[Events] = []
        folder.mkdir(parents=True)

    def add(self, events: Events) -> None:
        """Keep events of any days."""
        self._page.append(events)
        if sum(map(len, self._page)) >= PAGE:
            self._turn_page()

    def take(self, day: int) -> Events:
        """The events of a day in order of time, those of one second as they were added; they are
        kept no longer.
        """
        self._turn_page()
        file = self._folder / f"{day}.bin"
        rows = np.fromfile(file, np.int64) if file.exists() else np.zeros(0, np.int64)
        file.unlink(missing_ok=True)
        columns = fields(self._kind)
        table = zip(columns, rows.reshape(-1, len(columns)).T, strict=True)
        found = self._kind(**{one.name: _as_declared(one, column) for one, column in table})
        in_order: Events = found.take(np.argsort(found.at, kind="stable"))
        return in_order

    def _turn_page(self) -> None:
        if not self._page:
            return
        parts = self._kind.join(self._page).by_day(self._days)
        self._page = []
        for day, part in enumerate(parts):
            if len(part):
                columns = [getattr(part, one.name) for one in fields(part)]
                with (self._folder / f"{day}.bin").open("ab") as file:
                    np.stack(columns, axis=1).astype(np.int64).tofile(file)


def _as_declared(column: Field[Any], values: Ints) -> Any:
    return values.astype(bool) if column.type == "Flags" else values
