"""What reading one delivered file gave."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

__all__ = ["Reading"]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The rows of a file as its contract wants them, and what was found on the way.

    ``rows`` has one row per delivered row, with the contract's columns and types (null where a
    value could not be read), and

    - ``_row`` (Int64): the row in the file, from 1, the headings and what stands before them
      counted, as a spreadsheet shows it (of Parquet the rows alone),
    - ``_problems`` (List[String]): codes that reject the row, such as ``started_at.unreadable``,
    - ``_warnings`` (List[String]): codes of what somebody should mend though the row is taken,
    - ``_raw`` (String): where there are problems, warnings or words that nobody knows, the
      delivered values as JSON by the headings of the file, raw identifiers among them; else null.

    ``skipped`` counts the rows that are left out because the mapping or the layout of the file says
    so, by reason in plain words; they are not in ``rows``. ``warnings`` are sentences about the
    file that somebody should read, ``notes`` harmless ones; neither holds a delivered value.
    """

    rows: pl.DataFrame
    skipped: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
