"""Code books: a small integer for each person, number and account, given out once and never reused.

A pseudonym is long and random; the store works with codes. A book is append-only: each part holds
the names that came with one load, in the order of their codes. A name is found by its key: the
first 63 bits of the pseudonym as an integer that sorts as the names do. Two of 25 million names
share a key with odds of one in thirty thousand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.storage.event_store.parts.frame_files import read_frame, write_frame
from pipelines.storage.event_store.parts.merging import take_shorter

__all__ = ["BookPart", "CodeBook", "name_keys"]

Integers = npt.NDArray[np.int64]

PSEUDONYM_BYTES, PREFIX_BYTES = 19, 3  # as in data_contracts.pseudonyms: n1_ and 16 characters
DIGITS = 11  # of six bits each, of which 63 are kept
ALPHABET = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"  # sorted
RANKS = np.zeros(256, dtype=np.int64)
RANKS[np.frombuffer(ALPHABET.encode(), dtype=np.uint8)] = np.arange(64)


def name_keys(names: pl.Series) -> Integers:
    """The key of each name; names without nulls."""
    digits = (
        pl.when(names.str.len_bytes() == PSEUDONYM_BYTES)
        .then(names.str.slice(PREFIX_BYTES, DIGITS))
        .otherwise(names.str.slice(0, DIGITS))
        .str.pad_end(DIGITS, "\0")
    )
    text = pl.select(digits).to_series().str.join("").item() if len(names) else ""
    ranks = RANKS[np.frombuffer(text.encode(), dtype=np.uint8).reshape(-1, DIGITS)]
    keys = np.zeros(len(names), dtype=np.int64)
    for place in range(DIGITS - 1):
        keys = (keys << 6) | ranks[:, place]
    return (keys << 3) | (ranks[:, DIGITS - 1] >> 3)


@dataclass(frozen=True)
class BookPart:
    """One file of a book: the codes from ``first`` on, ``length`` of them."""

    file: str
    first: int
    length: int


@dataclass(frozen=True, eq=False)
class CodeBook:
    """The names of one kind below ``folder``; ``parts`` follow each other without a gap."""

    folder: Path
    parts: tuple[BookPart, ...] = ()

    def __len__(self) -> int:
        return sum(part.length for part in self.parts)

    @cached_property
    def frames(self) -> tuple[pl.DataFrame, ...]:
        """The parts: ``name``, ``key`` and what else was added, in code order; ``sorted_key`` and
        ``sorted_code`` are the same keys in order, with their codes.
        """
        return tuple(read_frame(self.folder / part.file) for part in self.parts)

    def find(self, keys: Integers) -> Integers:
        """The code of each key, -1 where it is not in the book."""
        codes = np.full(len(keys), -1, dtype=np.int64)
        order = np.argsort(keys, kind="stable")  # neighbours in the book lie on the same page
        wanted = keys[order]
        for frame in self.frames:
            known = frame["sorted_key"].to_numpy()
            place = np.searchsorted(known, wanted)
            inside = place < len(known)
            hit = np.zeros(len(wanted), dtype=np.bool_)
            hit[inside] = known[place[inside]] == wanted[inside]
            codes[order[hit]] = frame["sorted_code"].to_numpy()[place[hit]]
        return codes

    def with_names(self, fresh: pl.DataFrame) -> "CodeBook":
        """The book with new names (``name`` and whatever else there is, none of them in it yet, no
        two alike) written behind the others.
        """
        if fresh.is_empty():
            return self
        frame = fresh.with_columns(key=pl.Series(name_keys(fresh["name"])))
        kept, merged = take_shorter(self.parts, len(frame))
        first = sum(part.length for part in kept)
        before = [read_frame(self.folder / one.file).select(frame.columns) for one in merged]
        whole = pl.concat([*before, frame])
        order = np.argsort(whole["key"].to_numpy(), kind="stable")
        whole = whole.with_columns(
            sorted_key=whole["key"].gather(pl.Series(order)),
            sorted_code=pl.Series(order + first),
        )
        file = write_frame(whole, folder=self.folder)
        return CodeBook(self.folder, (*kept, BookPart(file, first, len(whole))))

    def rows(self, columns: Sequence[str], *, schema: pl.Schema) -> pl.DataFrame:
        """``columns`` of all names in code order."""
        empty = pl.DataFrame(schema=schema).select(columns)
        return pl.concat([empty, *(frame.select(columns) for frame in self.frames)])
