"""A delivered table before its contract is looked at: values under headings, and what fitted under
none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from data_contracts.mappings.layout import Layout

__all__ = ["MISFITS", "RawTable"]

#: Schema of the rows that could not be put under the headings.
MISFITS = pl.Schema({"_row": pl.Int64(), "_problems": pl.List(pl.String()), "_raw": pl.String()})


@dataclass(frozen=True, kw_only=True)
class RawTable:
    """What a file holds, by its own headings.

    ``values`` has one row per delivered row that fits under the headings; ``numbers`` (Int64) says
    which row of the file it is, from 1 after the headings. ``misfits`` are the rows that do not
    fit, as ``_row``, ``_problems`` (one code of the row) and ``_raw`` (JSON of its fields).
    ``skipped`` counts what is no row of the table (total lines), by what it is;
    ``preamble`` are the lines before the headings, which are on ``heading_line``;
    ``layout`` is what was found out of delimiter and sheet. ``signs_repeat`` says whether minus
    signs only repeat the direction, where these rows are too few to tell it (else None).
    """

    values: pl.DataFrame
    numbers: pl.Series
    misfits: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=MISFITS))
    skipped: Mapping[str, int] = field(default_factory=dict)
    preamble: tuple[str, ...] = ()
    heading_line: int = 1
    layout: Layout = field(default_factory=Layout)
    warnings: tuple[str, ...] = ()
    signs_repeat: bool | None = None

    def numbered_by_line(self) -> "RawTable":
        """This table with its rows numbered as the file shows them: the headings, and what stands
        before them, are counted.
        """
        return replace(
            self,
            numbers=self.numbers + self.heading_line,
            misfits=self.misfits.with_columns(pl.col("_row") + self.heading_line),
        )

    def with_warning(self, words: str) -> "RawTable":
        """This table with one more warning."""
        return replace(self, warnings=(words, *self.warnings))
