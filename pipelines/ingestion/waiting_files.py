"""Why a file waits for somebody: too much of it is bad, or it is probably not what it seems."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

import polars as pl

from data_contracts.words.counts import choose_form, count_things
from data_contracts.words.rejection_words import CONFLICT_CODE
from pipelines.settings import IngestLimits
from pipelines.storage.ledger import Arrival, LoadedFile

__all__ = [
    "VOLUME_PAST",
    "Hold",
    "hold_bad_files",
    "hold_cut_digits",
    "hold_far_day",
    "hold_fewer_rows",
    "hold_other_values",
    "hold_same_rows",
    "hold_short_correction",
    "hold_two_registers",
    "last_plausible_day",
    "warn_of_volume",
]

ACCEPT_REMEDY = "If the file is right as it is, ingest the folder with --accept {path}."
SPREADSHEET_DIGITS = 15  # a spreadsheet keeps so many and writes zeros for the others
CHANCE_ZEROS = 6  # digits that are zero by chance in one of a million files
VOLUME_PAST = timedelta(days=14)
VOLUME_DAYS = 5  # of the past at least


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Why a file is held: a short name of the kind, and in words the reason and what to do."""

    kind: str
    reason: str
    remedy: str


def last_plausible_day(
    days: Collection[date], *, received_on: date, newest: date | None, limits: IngestLimits
) -> date:
    """The last of the days of folders that can be meant: each lies at most ``ahead_days`` after the
    one before it, after today or after the ``newest`` day loaded.

    Where nothing was loaded before and all lie in the future, as in a simulated district, they are
    taken from the first on.
    """
    step = timedelta(days=limits.ahead_days)
    last = max(received_on, newest or received_on)
    for place, day in enumerate(sorted(set(days))):
        if day <= last + step or (place == 0 and newest is None):
            last = max(last, day)
    return last


def hold_far_day(path: str, *, day: date, last: date) -> Hold | None:
    """Hold a file of a ``day`` after the ``last`` that is plausible: one such row would be the
    newest moment of all, from which everything is asked.
    """
    if day <= last:
        return None
    return Hold(
        kind="far_day",
        reason=f"its folder is of {day}, {(day - last).days} days after everything else that was "
        "delivered",
        remedy="Move it into the folder of the day that it was delivered for. "
        + ACCEPT_REMEDY.format(path=path),
    )


def hold_bad_files(
    sizes: Mapping[str, int],
    *,
    bad: pl.DataFrame,
    limits: IngestLimits,
    are_all_enough: bool = True,
) -> dict[str, Hold]:
    """Files with too large a share of bad rows; a small file if all are bad, where that is
    enough.
    """
    return {
        path: Hold(
            kind="bad_rows",
            reason=_bad_reason(
                bad.filter(pl.col("_file") == path), size=sizes[path], limits=limits
            ),
            remedy="Mend the source's mapping or ask the source for the file anew, then ingest "
            f"with --retry-held; to take the good rows only, ingest with --accept {path}.",
        )
        for path, number in _count(bad).items()
        if _is_too_many(number, size=sizes[path], limits=limits)
        or (are_all_enough and number == sizes[path])
    }


def hold_other_values(
    sizes: Mapping[str, int],
    *,
    bad: pl.DataFrame,
    conflicts: pl.DataFrame,
    limits: IngestLimits,
) -> dict[str, Hold]:
    """Files in which records that came before have other values: they count as bad rows."""
    bad_rows = _count(bad)
    return {
        path: Hold(
            kind="other_values",
            reason=f"{number} of {sizes[path]} rows "
            f"{choose_form(number, 'is a record', 'are records')} that came before with other "
            f"values ({CONFLICT_CODE})",
            remedy="If the file corrects the earlier one, ingest the folder with --replace "
            f"{path}; to keep the earlier rows, with --accept {path}.",
        )
        for path, number in _count(conflicts).items()
        if _is_too_many(number + bad_rows.get(path, 0), size=sizes[path], limits=limits)
    }


def hold_same_rows(
    sizes: Mapping[str, int],
    *,
    repeats: pl.DataFrame,
    new_sources: Mapping[str, str],
    limits: IngestLimits,
) -> dict[str, Hold]:
    """Files of new sources (by path) whose rows are mostly those of another source; ``repeats`` has
    ``_file`` and ``origin``, the source that had delivered the row.
    """
    held = {}
    for path, source in new_sources.items():
        origins = Counter(repeats.filter(pl.col("_file") == path)["origin"].to_list())
        origins.pop(source, None)
        if not origins:
            continue
        number, size = origins.total(), sizes[path]
        enough = size >= limits.held_min_rows or number == size
        if enough and number >= limits.same_source_share * size:
            other = origins.most_common(1)[0][0]
            held[path] = Hold(
                kind="same_rows",
                reason=f"{number} of {size} rows of the new source {source} "
                f"{choose_form(number, 'is that', 'are those')} of {other}",
                remedy=f"If it is a copy, remove it or name it after {other}; if {source} is a "
                f"source of its own, declare it with `forestall sources declare {source}`.",
            )
    return held


def hold_cut_digits(
    rows: pl.DataFrame, *, columns: Sequence[str], limits: IngestLimits
) -> dict[str, Hold]:
    """Files in which most long account numbers of a column end in zeros from the 16th digit on, or
    of few account numbers all, with more zeros than chance gives.
    """
    if not columns:
        return {}
    long = pl.concat(_long_accounts(rows.lazy(), column=column) for column in columns)
    zeros = pl.when("cut").then(pl.col("account").str.len_chars() - SPREADSHEET_DIGITS)
    number, size = pl.col("cut").sum(), pl.len()
    counts = (
        long.group_by("_file", "column", maintain_order=True)
        .agg(number.alias("number"), size.alias("size"), zeros.sum().alias("zeros"))
        .with_columns(pl.col("number", "size", "zeros").sum().over("_file").name.prefix("all_"))
        .filter(_are_cut(limits) | _are_few_and_cut(limits))
        .collect()
    )
    return {
        path: Hold(
            kind="cut_digits",
            reason=f"{number} of {size} values of {column} "
            f"{choose_form(number, 'ends', 'end')} in zeros from the 16th digit on "
            "(as in 0000), as after a spreadsheet",
            remedy="Ask the source for a file that no spreadsheet has saved. "
            + ACCEPT_REMEDY.format(path=path),
        )
        for path, column, number, size in counts.select(
            "_file", "column", "number", "size"
        ).iter_rows()
    }


def _long_accounts(rows: pl.LazyFrame, *, column: str) -> pl.LazyFrame:
    """The distinct account numbers of each file that a spreadsheet could have cut."""
    account = pl.col(column)
    tail = account.str.slice(SPREADSHEET_DIGITS)
    return (
        rows.filter((account.str.len_chars() > SPREADSHEET_DIGITS) & account.str.contains(r"^\d+$"))
        .select(
            "_file",
            pl.lit(column).alias("column"),
            account.alias("account"),
            tail.str.contains("^0+$").alias("cut"),
        )
        .unique(["_file", "account"])
    )


def _are_cut(limits: IngestLimits) -> pl.Expr:
    enough = pl.col("size") >= limits.cut_digits_min_accounts
    return enough & (pl.col("number") > pl.col("size") / 2)


def _are_few_and_cut(limits: IngestLimits) -> pl.Expr:
    """Whether all long accounts of a file are cut, of whatever column: a spreadsheet spares none,
    and so many zeros come about once in a million files.
    """
    few = pl.col("all_size") < limits.cut_digits_min_accounts
    whole = pl.col("all_number") == pl.col("all_size")
    return few & whole & (pl.col("all_zeros") >= CHANCE_ZEROS)


def hold_fewer_rows(
    path: str, *, dataset: str, before: int, missing: int, rows: int, limits: IngestLimits
) -> Hold | None:
    """A register that lacks too many of the ``before`` entries of the one that it would replace."""
    if missing < limits.register_drop_rows or missing <= limits.register_drop_share * before:
        return None
    return Hold(
        kind="fewer_rows",
        reason=f"{missing} of the {before} entries of {dataset} "
        f"{choose_form(missing, 'is', 'are')} missing in the {count_things(rows, 'row')} of "
        f"this file, more than {limits.register_drop_share:.0%}",
        remedy="Ask the source for the whole register. " + ACCEPT_REMEDY.format(path=path),
    )


def hold_two_registers(path: str, *, dataset: str, others: Sequence[str]) -> Hold:
    """One of several files that would each be the whole register."""
    return Hold(
        kind="two_registers",
        reason=f"the folder holds {len(others) + 1} files of {dataset}, which is replaced as a "
        f"whole: also {', '.join(others)}",
        remedy=f"Leave one of them in the folder, or say which counts with --accept {path}.",
    )


def hold_short_correction(
    path: str, *, rows: int, replaced: int, limits: IngestLimits
) -> Hold | None:
    """A file that calls itself a correction and has far fewer rows than what it would replace."""
    if replaced - rows < limits.register_drop_rows or rows >= replaced * (
        1 - limits.register_drop_share
    ):
        return None
    return Hold(
        kind="short_correction",
        reason=f"the correction has {count_things(rows, 'row')}, and {replaced} would go for it",
        remedy="A correction replaces the whole earlier file: ask for all of its rows. If it is "
        f"whole, ingest the folder with --replace {path}.",
    )


def warn_of_volume(
    files: Sequence[LoadedFile],
    *,
    whole_days: Mapping[str, date],
    arrivals: Sequence[Arrival],
    history: Mapping[tuple[str, date], int],
    limits: IngestLimits,
) -> Iterator[tuple[str, str]]:
    """Paths of files (those of ``whole_days``) after which their source has far fewer or more rows
    of that day than usual, with a sentence that says so.

    ``history`` has the rows by source and day that were there before; usual is the median of the
    14 days before, if there are at least 5.
    """
    totals = Counter(history)
    for item in arrivals:
        if item.event_day is not None:
            totals[item.source, item.event_day] += item.rows
    for file in files:
        day = whole_days.get(file.path)
        if day is None or file.reason:
            continue
        past = [
            totals[file.source, day - timedelta(days=back)]
            for back in range(1, VOLUME_PAST.days + 1)
            if totals[file.source, day - timedelta(days=back)]
        ]
        usual, rows = median(past) if len(past) >= VOLUME_DAYS else 0, totals[file.source, day]
        if usual < limits.volume_min_rows:
            continue
        figures = f"rows of {day} than usual, {rows} against {usual:.0f}"
        if rows < usual * limits.volume_fall:
            yield file.path, f"{file.source} has fewer {figures}: ask whether the day is whole"
        elif rows > usual * limits.volume_jump:
            yield file.path, f"{file.source} has more {figures}: ask whether all are of this day"


def _is_too_many(number: int, *, size: int, limits: IngestLimits) -> bool:
    return size >= limits.held_min_rows and number > limits.held_share * size


def _bad_reason(bad: pl.DataFrame, *, size: int, limits: IngestLimits) -> str:
    codes = Counter(bad["reasons"].explode().to_list())
    most = ", ".join(f"{code} ({number})" for code, number in codes.most_common(3))
    verb = choose_form(bad.height, "is", "are")
    return f"{bad.height} of {size} rows {verb} bad, more than {limits.held_share:.0%}: {most}"


def _count(rows: pl.DataFrame) -> dict[str, int]:
    return dict(rows.group_by("_file").len().iter_rows())
