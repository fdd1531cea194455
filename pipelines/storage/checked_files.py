"""Which files were compared with their digests since they were last touched.

A file is read as a whole for that, once; from then on a look at its size and times does. What a
disk changes under a file that nobody touches is found by ``forestall verify``.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from data_contracts.errors import LakeError
from data_contracts.words.counts import choose_form, count_things
from pipelines.storage.sqlite import create_database, fetch_rows, write_transaction

__all__ = ["CHECKED_FILES", "CheckedFiles", "refuse_damaged"]

CHECKED_FILES = "checked.db"  # below the event store, which is made from the lake as well

NAMED = 3  # of damaged files so many are named
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

    def find_changed(
        self, marks: Mapping[str, str], *, is_whole: Callable[[str], bool]
    ) -> list[str]:
        """Those of the files that are not what was written; only those that were not found whole
        under these marks are asked about, and the whole ones are remembered.
        """
        unchecked = self.unchecked(marks)
        whole = {file: marks[file] for file in unchecked if is_whole(file)}
        if whole:
            self.remember(whole)
        return [file for file in unchecked if file not in whole]

    def remember(self, marks: Mapping[str, str]) -> None:
        """Remember that these files were found whole."""
        with write_transaction(self._path) as connection:
            connection.executemany("INSERT OR REPLACE INTO checked VALUES (?, ?)", marks.items())


def refuse_damaged(files: Sequence[str], *, thing: str, of: str, remedy: str) -> None:
    """Raise ``LakeError`` naming the first of ``files``, if there are any."""
    if files:
        more = ", …" if len(files) > NAMED else ""
        raise LakeError(
            f"{count_things(len(files), thing)} of {of} "
            f"{choose_form(len(files), 'is', 'are')} not what was written: "
            f"{', '.join(files[:NAMED])}{more}",
            remedy=remedy,
        )
