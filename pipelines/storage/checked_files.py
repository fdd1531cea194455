"""Which files were compared with their digests since they were last touched.

A file is read as a whole for that, once; from then on a look at its size and times does. What a
disk changes under a file that nobody touches is found by ``forestall verify``.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from pipelines.storage.sqlite import create_database, fetch_rows, write_transaction

__all__ = ["CHECKED_FILES", "CheckedFiles"]

CHECKED_FILES = "checked.db"  # below the event store, which is made from the lake as well

SCHEMA = "CREATE TABLE checked (file TEXT PRIMARY KEY, mark TEXT NOT NULL) WITHOUT ROWID"


class CheckedFiles:
    """The files that were found whole, each with the mark that it bore then; kept in a database
    file that may be removed at any time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def unchecked(self, marks: Mapping[str, str]) -> list[str]:
        """Those of the files, by name, that were not found whole under these marks."""
        create_database(self._path, schema=SCHEMA)
        query = (
            "SELECT given.key FROM json_each(?) AS given LEFT JOIN checked ON file = given.key"
            " AND mark = given.value WHERE mark IS NULL ORDER BY given.key"
        )
        rows = fetch_rows(self._path, query=query, values=(json.dumps(dict(marks)),))
        return [str(name) for (name,) in rows]

    def remember(self, marks: Mapping[str, str]) -> None:
        """Remember that these files were found whole."""
        with write_transaction(self._path) as connection:
            connection.executemany("INSERT OR REPLACE INTO checked VALUES (?, ?)", marks.items())
