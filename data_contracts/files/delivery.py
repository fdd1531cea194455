"""Reading one delivered file: Parquet or CSV, in any guise partners send, into the contract's
columns and types.
"""

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import polars.selectors as cs

from data_contracts.contract import Column, Contract
from data_contracts.errors import DeliveryError
from data_contracts.files.completion import complete_rows, leave_out_rows
from data_contracts.files.reading import Reading
from data_contracts.forms.registry import FORMS, WARNINGS
from data_contracts.forms.text import parse_choice, text
from data_contracts.mappings.mapping import SourceMapping
from data_contracts.mappings.translation.tables import Translation, translate_table

__all__ = ["read_delivery"]

_PARQUET_MAGIC = b"PAR1"
_FOREIGN_MAGICS = {
    b"PK\x03\x04": "a ZIP or Excel file",
    b"\x1f\x8b": "a gzip file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
}
_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_CUT = ("unexpected end of data", "incomplete multibyte sequence", "truncated data")
_SURPLUS = "_surplus"
_TOO_MANY_FIELDS = "row.too_many_fields"
_REDELIVER = "Ask the source to deliver the file again."


def read_delivery(path: Path, *, contract: Contract, mapping: SourceMapping) -> Reading:
    """Read and normalise one delivered file.

    Raises ``DeliveryError`` where the file cannot be read as a whole; its message holds no
    delivered value.
    """
    raw = _surplus_marked(
        _read_parquet(path) if _is_parquet(path) else _read_csv(path, mapping=mapping)
    )
    if raw.is_empty() and contract.event_column is not None:
        raise DeliveryError(f"{path.name} holds headings and no rows.", remedy=_REDELIVER)
    translation = translate_table(
        raw.with_row_index("_row", offset=1),
        contract=contract,
        mapping=mapping.of(contract.dataset),
        name=path.name,
    )
    delivered = translation.rows.select(pl.exclude("^_.*$"))
    clean = delivered.select(
        _normalised(delivered[column.name], column=column, path=path)
        for column in contract.columns
        if column.name in delivered.columns
    )
    checked = _with_codes(clean, delivered=delivered, contract=contract, translation=translation)
    rows, left_out = leave_out_rows(complete_rows(checked, contract=contract), contract=contract)
    return Reading(
        rows=rows,
        skipped={**translation.skipped, **left_out},
        warnings=translation.warnings,
        notes=(*translation.notes, *_ignored_note(list(translation.ignored), path=path)),
    )


def _ignored_note(headings: list[str], *, path: Path) -> tuple[str, ...]:
    if not headings:
        return ()
    return (
        f"{path.name}: {len(headings)} columns that the contract does not know are ignored: "
        f"{_named(headings)}",
    )


def _is_parquet(path: Path) -> bool:
    """Tell Parquet from CSV by content; in a file that is not what its name says, nobody knows what
    else is wrong.
    """
    size = path.stat().st_size
    if size == 0:
        raise DeliveryError(f"{path.name} is empty (0 bytes).", remedy=_REDELIVER)
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(max(size - 4, 0))
        tail = file.read(4)
    for magic, what in _FOREIGN_MAGICS.items():
        if head.startswith(magic):
            raise DeliveryError(
                f"{path.name} is {what} under a wrong name.", remedy="Deliver Parquet or CSV."
            )
    named_parquet = path.suffix.lower() == ".parquet"
    if (head == _PARQUET_MAGIC) != named_parquet:
        is_what = "Parquet" if head == _PARQUET_MAGIC else "not Parquet"
        raise DeliveryError(
            f"{path.name} is mislabelled: its content is {is_what}.", remedy=_REDELIVER
        )
    if named_parquet and (tail != _PARQUET_MAGIC or size < 12):
        raise DeliveryError(
            f"{path.name} is truncated: the end of the Parquet file is missing.", remedy=_REDELIVER
        )
    return named_parquet


def _read_parquet(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, hive_partitioning=False, glob=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        kind = type(error).__name__  # the message itself could quote delivered values
        raise DeliveryError(
            f"{path.name} is a damaged Parquet file ({kind}).", remedy=_REDELIVER
        ) from None


def _read_csv(path: Path, *, mapping: SourceMapping) -> pl.DataFrame:
    content = _decoded(path, encoding=mapping.encoding)
    first, _, body = content.lstrip("\n").partition("\n")
    headings = [
        heading.strip()
        for heading in next(csv.reader([first], delimiter=(mapping.delimiter or ",")), [])
    ]
    if len(set(headings)) < len(headings):
        raise DeliveryError(f"{path.name} has the same heading twice.", remedy=_REDELIVER)
    _reject_cut_end(body, width=len(headings), path=path, delimiter=(mapping.delimiter or ","))
    try:
        return pl.read_csv(
            io.BytesIO(body.encode()),
            has_header=False,
            separator=(mapping.delimiter or ","),
            schema=dict.fromkeys([*headings, _SURPLUS], pl.String),
            missing_columns="insert",
            truncate_ragged_lines=True,
            raise_if_empty=False,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        kind = type(error).__name__
        raise DeliveryError(
            f"{path.name} is not well-formed CSV ({kind}); often a quotation mark is not closed.",
            remedy=_REDELIVER,
        ) from None


def _decoded(path: Path, *, encoding: str | None) -> str:
    """Decode by byte order mark, else as UTF-8, else as GB18030 (which holds GBK and GB2312); line
    ends become LF.
    """
    content = path.read_bytes()
    marked = next(
        (name for mark, name in _BYTE_ORDER_MARKS.items() if content.startswith(mark)), None
    )
    for candidate in filter(None, (marked, encoding, "utf-8", "gb18030")):
        try:
            decoded = content.decode(candidate)
        except UnicodeDecodeError as error:
            # Only the end of ASCII text says nothing about which of the encodings was cut.
            if error.reason in _CUT and not content[: error.start].isascii():
                raise DeliveryError(
                    f"{path.name} is truncated in the middle of a character.", remedy=_REDELIVER
                ) from None
            continue
        if "\x00" in decoded:
            break
        return decoded.replace("\r\n", "\n").replace("\r", "\n")
    raise DeliveryError(
        f"{path.name} is not text in UTF-8 or GB18030.",
        remedy="Deliver CSV in one of these encodings.",
    )


def _reject_cut_end(body: str, *, width: int, path: Path, delimiter: str) -> None:
    """Reject a file whose last line neither ends nor has all its fields: a value may be cut unseen,
    too.
    """
    if not body or body.endswith("\n"):
        return
    last = body.rpartition("\n")[2]
    if len(next(csv.reader([last], delimiter=delimiter), [])) < width:
        raise DeliveryError(
            f"{path.name} is truncated: its last line breaks off.", remedy=_REDELIVER
        )


def _surplus_marked(raw: pl.DataFrame) -> pl.DataFrame:
    return (
        raw
        if _SURPLUS in raw.columns
        else raw.with_columns(pl.lit(None, dtype=pl.String).alias(_SURPLUS))
    )


def _named(headings: list[str]) -> str:
    """Headings for a log. A file without headings would show its first row's values, so digits are
    masked.
    """
    return ", ".join(re.sub(r"\d", "#", heading)[:24] for heading in headings[:10])


def _normalised(values: pl.Series, *, column: Column, path: Path) -> pl.Series:
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
            f"{path.name}: the column {column.name} has a type that cannot be read "
            f"({values.dtype}).",
            remedy=_REDELIVER,
        ) from None


def _with_codes(
    clean: pl.DataFrame, *, delivered: pl.DataFrame, contract: Contract, translation: Translation
) -> pl.DataFrame:
    """Add ``_row``, and to the rows that could not be read in full ``_problems``, ``_warnings`` and
    ``_raw``.
    """
    numbered = clean.with_columns(translation.rows["_row"].cast(pl.Int64))
    surplus = translation.rows[_SURPLUS].is_not_null()
    found = {_TOO_MANY_FIELDS: surplus} if surplus.any() else {}
    problems = found | _unread(clean, delivered=delivered) | dict(translation.problems)
    warnings = _doubtful(delivered, contract=contract)
    coded = numbered.with_columns(
        _codes(problems, rows=clean.height).alias("_problems"),
        _codes(warnings, rows=clean.height).alias("_warnings"),
    )
    if not problems and not warnings:
        return coded.with_columns(pl.lit(None, dtype=pl.String).alias("_raw"))
    as_text = delivered.cast({cs.numeric() | cs.temporal(): pl.String}, strict=False)
    has_code = coded.select((pl.concat_list("_problems", "_warnings").list.len() > 0).alias("any"))
    raw = as_text.select(
        pl.when(has_code["any"]).then(pl.struct(pl.all()).struct.json_encode()).alias("_raw")
    )
    return coded.with_columns(raw["_raw"])


def _codes(masks: Mapping[str, pl.Series], *, rows: int) -> pl.Series:
    """The codes of each row."""
    if not masks:
        return pl.Series([[]], dtype=pl.List(pl.String)).new_from_index(0, rows)
    return pl.DataFrame(masks).select(
        pl.concat_list(pl.when(code).then(pl.lit(code)) for code in masks)
        .list.drop_nulls()
        .alias("codes")
    )["codes"]


def _unread(clean: pl.DataFrame, *, delivered: pl.DataFrame) -> dict[str, pl.Series]:
    """Masks of the rows where something was delivered and nothing understood, by reason code; only
    codes that occur.
    """
    masks = {}
    for column, dtype in clean.schema.items():
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
