"""Reading one delivered file: Parquet, CSV, a workbook or an archive of these, in any guise that
partners send, into the contract's columns and types.
"""

import json
import operator
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import reduce

import polars as pl
import polars.selectors as cs

from data_contracts.contract import Column, Contract
from data_contracts.errors import DeliveryError
from data_contracts.files.completion import complete_rows, leave_out_rows
from data_contracts.files.containers import DeliveredFile, read_tables
from data_contracts.files.read_result import Reading
from data_contracts.files.tables.headings import ContractHeadings
from data_contracts.files.tables.raw_table import RawTable
from data_contracts.files.tables.table_rows import masked_names
from data_contracts.forms.registry import FORMS, WARNINGS
from data_contracts.forms.text import parse_choice, text
from data_contracts.mappings.language import DatasetMapping
from data_contracts.mappings.mapping import SourceMapping
from data_contracts.mappings.translation.tables import Translation, translate_table
from data_contracts.words.counts import choose_form, count_things

__all__ = ["PREAMBLE", "join_readings", "read_delivery", "understand_table"]

PREAMBLE = "_preamble"

_REDELIVER = "Ask the source to deliver the file again."


def read_delivery(path: DeliveredFile, *, contract: Contract, mapping: SourceMapping) -> Reading:
    """Read and normalise one delivered file.

    Raises ``DeliveryError`` where the file cannot be read as a whole; its message holds no
    delivered value.
    """
    said = mapping.of(contract.dataset)
    tables = read_tables(
        path, layout=said.layout, wanted=ContractHeadings(contract=contract, mapping=said)
    )
    readings = [
        understand_table(table, contract=contract, mapping=said, name=path.name)[0]
        for table in tables
    ]
    return join_readings(readings)


def understand_table(
    raw: RawTable, *, contract: Contract, mapping: DatasetMapping, name: str
) -> tuple[Reading, Translation]:
    """Read the rows of a delivered table as its contract wants them, and say how its headings were
    taken.
    """
    translation = _translated(raw, contract=contract, mapping=mapping, name=name)
    delivered = translation.rows.select(pl.exclude("^_.*$"))
    clean = delivered.select(
        _normalised(delivered[column.name], column=column, name=name)
        for column in contract.columns
        if column.name in delivered.columns
    )
    checked = _with_codes(
        clean, delivered=delivered, contract=contract, translation=translation, raw=raw
    )
    rows, left_out = leave_out_rows(complete_rows(checked, contract=contract), contract=contract)
    reading = Reading(
        rows=_with_misfits(rows, misfits=raw.misfits),
        skipped={**raw.skipped, **translation.skipped, **left_out},
        warnings=(*raw.warnings, *translation.warnings),
        notes=(*translation.notes, *_ignored_note(translation.ignored, name=name)),
    )
    return reading, translation


def join_readings(readings: Sequence[Reading]) -> Reading:
    """Several tables of a file as one; the rows of each go on where those of the one before end."""
    if len(readings) == 1:
        return readings[0]
    parts, skipped, last = [], Counter[str](), 0
    for reading in readings:
        parts.append(reading.rows.with_columns(pl.col("_row") + last))
        skipped.update(reading.skipped)
        last += reading.rows.height + sum(reading.skipped.values())
        last = max(last, *parts[-1]["_row"].to_list()[-1:])
    return Reading(
        rows=pl.concat(parts),
        skipped=dict(skipped),
        warnings=tuple(words for reading in readings for words in reading.warnings),
        notes=tuple(words for reading in readings for words in reading.notes),
    )


def _translated(
    raw: RawTable, *, contract: Contract, mapping: DatasetMapping, name: str
) -> Translation:
    try:
        return translate_table(
            raw.values.with_columns(raw.numbers.alias("_row")),
            contract=contract,
            mapping=mapping,
            preamble=raw.preamble,
            name=name,
            signs_repeat=raw.signs_repeat,
            odd_lines=_odd_lines(raw) if raw.preamble else None,
        )
    except DeliveryError as error:
        if not raw.preamble:
            raise
        before = raw.heading_line - 1
        lines = "Line 1 looks" if before == 1 else f"Lines 1 to {before} look"
        raise DeliveryError(
            f"{error} {lines} like a preamble; the headings seem to be on line {raw.heading_line}.",
            remedy=f"{error.remedy} If the headings are on another line, write "
            f"`{contract.dataset}: {{heading_row: NUMBER}}` in the mapping.",
        ) from None


def _odd_lines(raw: RawTable) -> dict[int, str]:
    """The lines that do not fit under the headings or leave most of them empty, by row."""
    said = {
        row: json.loads(line)["fields"] for row, line in raw.misfits.select("_row", "_raw").rows()
    }
    texts = raw.values.select(cs.string().fill_null(""))
    filled = pl.sum_horizontal(cs.string().str.strip_chars() != "")
    sparse = texts.with_columns(raw.numbers.alias("_row")).filter(filled * 2 <= raw.values.width)
    said |= {row: fields for *fields, row in sparse.rows()}
    return {row: ",".join(fields) for row, fields in said.items()}


def _ignored_note(headings: Sequence[str], *, name: str) -> tuple[str, ...]:
    if not headings:
        return ()
    return (
        f"{name}: {count_things(len(headings), 'column')} that the contract does not know "
        f"{choose_form(len(headings), 'is', 'are')} ignored: "
        f"{masked_names(headings)}",
    )


def _normalised(values: pl.Series, *, column: Column, name: str) -> pl.Series:
    try:
        if values.dtype.is_nested() and not column.type.is_nested():
            raise pl.exceptions.InvalidOperationError
        if column.values or column.spellings:
            own = {value: value for value in column.values}
            clean = parse_choice(values, allowed=column.values_by_label | own)
        else:
            clean = FORMS[column.form](values)
        return clean.cast(column.type).alias(column.name)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        raise DeliveryError(
            f"{name}: the column {column.name} has a type that cannot be read ({values.dtype}).",
            remedy=_REDELIVER,
        ) from None


def _with_codes(
    clean: pl.DataFrame,
    *,
    delivered: pl.DataFrame,
    contract: Contract,
    translation: Translation,
    raw: RawTable,
) -> pl.DataFrame:
    """Add ``_row``, and to the rows that could not be read in full ``_problems``, ``_warnings`` and
    ``_raw``.
    """
    numbered = clean.with_columns(translation.rows["_row"].cast(pl.Int64))
    problems = _unread(clean, delivered=delivered) | dict(translation.problems)
    warnings = _doubtful(delivered, contract=contract)
    unknown = _unknown_words(clean, contract=contract)
    coded = numbered.with_columns(
        _codes(problems, rows=clean.height).alias("_problems"),
        _codes(warnings, rows=clean.height).alias("_warnings"),
    )
    masks = [*problems.values(), *warnings.values(), *unknown]
    if not masks:
        return coded.with_columns(pl.lit(None, dtype=pl.String).alias("_raw"))
    is_odd = reduce(operator.or_, (mask.fill_null(value=False) for mask in masks))
    odd = _delivered_rows(raw, numbers=coded["_row"].filter(is_odd))
    return coded.join(odd, on="_row", how="left", maintain_order="left")


def _delivered_rows(raw: RawTable, *, numbers: pl.Series) -> pl.DataFrame:
    """The rows of these ``numbers`` as they were delivered: ``_row``, and ``_raw`` as JSON by the
    headings of the file, with the lines before them under ``PREAMBLE``.
    """
    values = raw.values.filter(raw.numbers.is_in(numbers.implode())).with_columns(
        (cs.date() | cs.datetime()).dt.to_string("iso:strict"),
        cs.numeric().cast(pl.String),
        (cs.duration() | cs.time()).cast(pl.String, strict=False),
    )
    if raw.preamble:
        values = values.with_columns(pl.lit("\n".join(raw.preamble)).alias(PREAMBLE))
    return pl.DataFrame(
        {
            "_row": raw.numbers.filter(raw.numbers.is_in(numbers.implode())).cast(pl.Int64),
            "_raw": values.select(pl.struct(pl.all()).struct.json_encode()).to_series(),
        },
        schema={"_row": pl.Int64, "_raw": pl.String},
    )


def _unknown_words(clean: pl.DataFrame, *, contract: Contract) -> list[pl.Series]:
    """Masks of the rows with a word that a mapping could explain; only those that occur."""
    masks = (
        ~clean[column.name].is_in(list(column.values))
        for column in contract.columns
        if column.values and not column.open_values and column.name in clean.columns
    )
    return [mask for mask in masks if mask.any()]


def _codes(masks: Mapping[str, pl.Series], *, rows: int) -> pl.Series:
    """The codes of each row."""
    if not masks:
        return pl.Series([[]], dtype=pl.List(pl.String)).new_from_index(0, rows)
    return pl.DataFrame(masks).select(
        pl.concat_list(pl.when(code).then(pl.lit(code)) for code in masks)
        .list.drop_nulls()
        .alias("codes")
    )["codes"]


def _with_misfits(rows: pl.DataFrame, *, misfits: pl.DataFrame) -> pl.DataFrame:
    """Put the rows that fit under no heading between the others."""
    if misfits.is_empty():
        return rows
    no_codes = pl.lit([], dtype=pl.List(pl.String))
    odd = misfits.with_columns(no_codes.alias("_warnings"))
    return pl.concat([rows, odd], how="diagonal").sort("_row")


def _unread(clean: pl.DataFrame, *, delivered: pl.DataFrame) -> dict[str, pl.Series]:
    """Masks of the rows where something was delivered and nothing understood, by reason code; only
    codes that occur.
    """
    masks = {}
    for column, dtype in clean.schema.items():
        if not clean[column].null_count():
            continue
        given = delivered[column]
        if dtype == pl.String and given.dtype == pl.String:  # it stays text, for a rule to judge
            continue
        said = text(given) if given.dtype == pl.String else given
        masks[f"{column}.unreadable"] = said.is_not_null() & clean[column].is_null()
    return {code: mask for code, mask in masks.items() if mask.any()}


def _doubtful(delivered: pl.DataFrame, *, contract: Contract) -> dict[str, pl.Series]:
    """Masks of the rows of which a form takes note, by code; only codes that occur."""
    masks = {
        f"{column.name}.{name}": mask(delivered[column.name])
        for column in contract.columns
        if column.name in delivered.columns
        for name, mask in WARNINGS.get(column.form, {}).items()
    }
    return {code: mask for code, mask in masks.items() if mask.any()}
