"""From a delivered table to the columns of a contract, as the source's mapping says.

What comes out is still text in usual spellings; ``data_contracts.forms`` reads it, and the contract
judges it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from data_contracts.contract import Column, Contract
from data_contracts.errors import DeliveryError
from data_contracts.mappings.clock_words import read_durations, read_moments
from data_contracts.mappings.language import CONTENT, DatasetMapping
from data_contracts.mappings.shipped_formats import ShippedFormat, plain_heading, recognise_format
from data_contracts.mappings.translation.amounts import (
    convert_currencies,
    pick_amounts,
    repeats_direction,
    take_signs,
)
from data_contracts.mappings.translation.choices import (
    as_text,
    choose_values,
    is_one_of,
    matched_words,
)
from data_contracts.mappings.translation.findings import (
    describe_choices,
    describe_gaps,
    refuse_second_preamble,
)
from data_contracts.mappings.translation.record_numbers import number_records
from data_contracts.mappings.translation.ways import Ways, find_ways

__all__ = ["SIGNS_REPEAT", "Translation", "translate_table"]

#: The note of a file in which a minus is no reversal.
SIGNS_REPEAT = "the amounts of one direction have a minus, which says no more than it"

#: Words by which banks themselves mark a reversal, under the headings of their own remarks.
_REVERSAL_HEADINGS = ("摘要", "摘要说明", "交易摘要", "摘要内容", "交易类型", "业务类型")
_REVERSAL_WORDS = ("冲正*", "冲销", "冲账", "抹账", "抹帐", "反交易", "撤销交易", "交易撤销")
#: What an identifier is at least made of, by its form.
_FORMS_LIKE = {"account_number": r"^[\s'=\"]*[0-9A-Za-z][0-9A-Za-z\s-]{3,}[\s'\"]*$"}
_MOSTLY = 0.5


@dataclass(frozen=True, kw_only=True)
class Translation:
    """A table in the contract's columns.

    ``rows`` has the columns of the contract that are there, and those of the file that begin with
    ``_``. ``skipped`` counts rows that the mapping leaves out, by reason; ``problems`` marks rows
    that must be rejected, by code. ``ignored`` are headings that mean nothing to the contract,
    ``filled_by`` says in words what fills each column.
    """

    rows: pl.DataFrame
    skipped: Mapping[str, int] = field(default_factory=dict)
    problems: Mapping[str, pl.Series] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    filled_by: Mapping[str, str] = field(default_factory=dict)
    format: str | None = None


def translate_table(
    raw: pl.DataFrame,
    *,
    contract: Contract,
    mapping: DatasetMapping,
    preamble: Sequence[str] = (),
    name: str = "the file",
    signs_repeat: bool | None = None,
    odd_lines: Mapping[int, str] | None = None,
) -> Translation:
    """Bring a table to the columns of ``contract``.

    ``raw`` has a column a heading; what begins with ``_`` passes through. ``preamble`` are the
    lines before the headings, ``odd_lines`` those within the table that may be like them, by row.
    ``signs_repeat`` says what a minus means; without it the rows do.
    Raises ``DeliveryError`` if a column is missing, or claimed twice; its message holds no
    delivered value.
    """
    headings = [heading for heading in raw.columns if not heading.startswith("_")]
    fitting = recognise_format(headings, dataset=contract.dataset)
    ways, chosen = _choose_ways(
        headings, contract=contract, mapping=mapping, fitting=fitting, preamble=preamble
    )
    recognised = fitting if chosen is not mapping else None
    if not ways.is_whole:
        raise describe_gaps(ways, headings, contract=contract, name=name, recognised=recognised)
    refuse_second_preamble(odd_lines or {}, preamble=preamble, mapping=chosen, name=name)
    table, skipped = _wanted_rows(_without_nothing(raw, mapping=chosen), mapping=chosen, name=name)
    columns, problems, notes = _columns(
        table, ways=ways, contract=contract, mapping=chosen, signs_repeat=signs_repeat
    )
    rows, left_out = _kept_rows(
        columns.with_columns(table.select(pl.col("^_.*$")), **problems), mapping=chosen
    )
    found = {code: rows[code] for code in problems}
    return Translation(
        rows=rows.drop(problems),
        skipped={**skipped, **left_out},
        problems={code: mask for code, mask in found.items() if mask.any()},
        warnings=describe_choices(
            ways,
            headings,
            preamble=preamble,
            mapping=mapping,
            recognised=recognised,
            fitting=fitting if _looks_wrong(columns, contract=contract) else None,
            name=name,
        ),
        notes=tuple(f"{name}: {note}" for note in notes),
        ignored=_ignored(headings, ways=ways, mapping=chosen),
        filled_by=_filled_by(ways, mapping=chosen),
        format=recognised.name if recognised else mapping.format,
    )


def _looks_wrong(columns: pl.DataFrame, *, contract: Contract) -> bool:
    """Whether what identifies somebody mostly has not the form that the contract wants: then the
    mapping takes it from the wrong heading.
    """
    for rule in contract.rules:
        column = contract.column(rule.column)
        if rule.name != "malformed" or column.privacy != "identifier" or not column.required:
            continue
        if column.name in columns.columns and _FORMS_LIKE.get(column.form):
            said = as_text(columns[column.name]).drop_nulls()
            alike = said.str.contains(_FORMS_LIKE[column.form])
            if len(said) and float(alike.mean() or 0) < _MOSTLY:  # type: ignore[arg-type]
                return True
    return False


def _ignored(headings: Sequence[str], *, ways: Ways, mapping: DatasetMapping) -> tuple[str, ...]:
    """The headings that help to fill no column and to leave out no row."""
    named = (*mapping.keep, *mapping.drop, *mapping.reversals, *mapping.record_numbers)
    plain = {plain_heading(heading) for heading in named}
    return tuple(
        heading
        for heading in headings
        if heading not in ways.used and plain_heading(heading) not in plain
    )


def _filled_by(ways: Ways, *, mapping: DatasetMapping) -> dict[str, str]:
    numbers = {"record_id": "what the record says"} if mapping.record_numbers else {}
    return {**numbers, **ways.words}


def _choose_ways(
    headings: Sequence[str],
    *,
    contract: Contract,
    mapping: DatasetMapping,
    fitting: ShippedFormat | None,
    preamble: Sequence[str],
) -> tuple[Ways, DatasetMapping]:
    """The ways of the mapping, or where it does not do, those of the format that the headings fit
    with the mapping laid over it.
    """
    ways = find_ways(headings, contract=contract, mapping=mapping, preamble=preamble)
    if ways.is_whole or fitting is None:
        return ways, mapping
    over = mapping.laid_over(fitting.mapping)
    by_format = find_ways(headings, contract=contract, mapping=over, preamble=preamble)
    if by_format.is_whole or len(by_format.missing) < len(ways.missing):
        return by_format, over
    return ways, mapping


def _without_nothing(raw: pl.DataFrame, *, mapping: DatasetMapping) -> pl.DataFrame:
    """Empty the cells that only say that there is nothing, in the source's words."""
    if not mapping.nothing:
        return raw
    words = {word.strip() for word in mapping.nothing}
    texts = [pl.col(name) for name, dtype in raw.schema.items() if dtype == pl.String]
    return raw.with_columns(
        pl.when(~one.str.strip_chars().is_in(words)).then(one).alias(one.meta.output_name())
        for one in texts
    )


def _wanted_rows(
    raw: pl.DataFrame, *, mapping: DatasetMapping, name: str
) -> tuple[pl.DataFrame, dict[str, int]]:
    """The rows that the mapping keeps by the file's own headings, and how many it leaves out."""
    actual = {plain_heading(heading): heading for heading in raw.columns}
    columns = mapping.columns_said | {"status", "kind", "currency", "amount", "direction"}
    skipped: dict[str, int] = {}
    for key, words, kept in _filters(mapping):
        heading = actual.get(plain_heading(key))
        if heading is None and key not in columns:
            raise DeliveryError(
                f"{name} has no heading {key}, by which its mapping leaves rows out.",
                remedy="Correct the heading under keep or drop in the source's mapping.",
            )
        if heading is not None:
            raw, left_out = _filtered(raw, column=heading, key=key, words=words, kept=kept)
            skipped |= left_out
    return raw, skipped


def _kept_rows(
    rows: pl.DataFrame, *, mapping: DatasetMapping
) -> tuple[pl.DataFrame, dict[str, int]]:
    """The rows that the mapping keeps by columns of the contract."""
    skipped: dict[str, int] = {}
    for key, words, kept in _filters(mapping):
        if key in rows.columns:
            rows, left_out = _filtered(rows, column=key, key=key, words=words, kept=kept)
            skipped |= left_out
    return rows, skipped


def _filters(mapping: DatasetMapping) -> list[tuple[str, tuple[str, ...], bool]]:
    kept = [(key, words, True) for key, words in mapping.keep.items()]
    return kept + [(key, words, False) for key, words in mapping.drop.items()]


def _filtered(
    rows: pl.DataFrame, *, column: str, key: str, words: tuple[str, ...], kept: bool
) -> tuple[pl.DataFrame, dict[str, int]]:
    """The rows that are wanted, and how many are not, by reason."""
    matched = matched_words(rows[column], words=words)
    wanted = matched.is_not_null() if kept else matched.is_null()
    if wanted.all():
        return rows, {}
    if kept:
        said = " or ".join(word or "empty" for word in words)
        reasons = {f"{key} is not {said}": int((~wanted).sum())}
    else:
        counts = matched.drop_nulls().value_counts().sort(matched.name)
        reasons = {f"{key} is {word or 'empty'}": number for word, number in counts.iter_rows()}
    return rows.filter(wanted), reasons


def _columns(
    table: pl.DataFrame,
    *,
    ways: Ways,
    contract: Contract,
    mapping: DatasetMapping,
    signs_repeat: bool | None,
) -> tuple[pl.DataFrame, dict[str, pl.Series], tuple[str, ...]]:
    """The columns of the contract, marks of rows that say two things, and notes."""
    columns = _filled(table, ways=ways)
    for name, choices in mapping.values.items():
        if name in columns:
            known = _known_words(contract.column(name))
            columns[name] = choose_values(columns[name], choices={**known, **choices})
    for name, patterns in mapping.moments.items():
        if name in columns:
            ends_day = contract.column(name).form == "moment"
            read = read_moments(as_text(columns[name]), patterns=patterns, ends_day=ends_day)
            columns[name] = read
    for name, words in mapping.durations.items():
        if name in columns:
            columns[name] = read_durations(as_text(columns[name]), ways=words)
    problems: dict[str, pl.Series] = {}
    notes: tuple[str, ...] = ()
    if "amount" in contract.schema and "kind" in contract.schema:
        problems, notes = _fill_amounts(
            columns, table, ways=ways, mapping=mapping, signs_repeat=signs_repeat
        )
    if mapping.record_numbers:
        made = _record_numbers(columns, table, contract=contract, mapping=mapping)
        own = columns.get("record_id")
        columns["record_id"] = made if own is None else as_text(own).fill_null(made)
    order = [name for name in contract.schema if name in columns]
    return pl.DataFrame([columns[name].alias(name) for name in order]), problems, notes


def _known_words(column: Column) -> dict[str, str]:
    """The words of the contract, so that a mapping's word for any letters stands behind them."""
    return column.values_by_label | {value: value for value in column.values}


def _filled(table: pl.DataFrame, *, ways: Ways) -> dict[str, pl.Series]:
    columns = {name: table[heading] for name, heading in ways.plain.items()}
    composed = {name: found for name, found in ways.columns.items() if name not in columns}
    made = table.with_columns(
        pl.coalesce([pl.when(_text(one) != "").then(_text(one)) for one in found]).alias(f"_{name}")
        for name, found in composed.items()
    )
    return columns | {name: made[f"_{name}"] for name in composed}


def _text(value: pl.Expr) -> pl.Expr:
    return value.cast(pl.String, strict=False).str.strip_chars()


def _fill_amounts(
    columns: dict[str, pl.Series],
    table: pl.DataFrame,
    *,
    ways: Ways,
    mapping: DatasetMapping,
    signs_repeat: bool | None,
) -> tuple[dict[str, pl.Series], tuple[str, ...]]:
    """Fill in amount, direction, kind and currency; change ``columns``."""
    notes: tuple[str, ...] = ()
    if ways.amount is not None:
        signed = pick_amounts(table, way=ways.amount)
        if "direction" not in columns and signed.direction is not None:
            columns["direction"] = signed.direction
    else:
        signed = take_signs(columns["amount"])
    columns["amount"] = signed.amount.alias("amount")
    undone = signed.is_negative
    if signs_repeat is None:
        signs_repeat = repeats_direction(undone, direction=columns["direction"])
    if signs_repeat:
        notes = (SIGNS_REPEAT,)
        undone = undone & ~undone
    undone = undone | _marked_reversals(table, mapping=mapping)
    if undone.any():
        kind = columns.get("kind")
        said = as_text(kind) if kind is not None else undone.clear(len(undone)).cast(pl.String)
        mark = pl.Series(["reversal"] * len(undone), dtype=pl.String)
        columns["kind"] = mark.zip_with(undone, said).alias("kind")
    if mapping.rates and "currency" in columns:
        columns["amount"], columns["currency"] = convert_currencies(
            columns["amount"], currencies=columns["currency"], rates=mapping.rates
        )
    return dict(signed.problems), notes


def _marked_reversals(table: pl.DataFrame, *, mapping: DatasetMapping) -> pl.Series:
    """Rows that a word marks as reversals: the mapping's, or those that banks use."""
    signs = mapping.reversals or dict.fromkeys(_REVERSAL_HEADINGS, _REVERSAL_WORDS)
    actual = {plain_heading(heading): heading for heading in table.columns}
    marked = pl.repeat(value=False, n=table.height, eager=True, dtype=pl.Boolean)
    for heading, words in signs.items():
        found = actual.get(plain_heading(heading))
        if found is not None:
            marked = marked | is_one_of(table[found], words=words)
    return marked


def _record_numbers(
    columns: Mapping[str, pl.Series],
    table: pl.DataFrame,
    *,
    contract: Contract,
    mapping: DatasetMapping,
) -> pl.Series:
    people = [column.name for column in contract.columns if column.privacy == "identifier"]
    if mapping.record_numbers == (CONTENT,):
        said = {name: series for name, series in columns.items() if name != "record_id"}
        return number_records(
            pl.DataFrame([one.alias(name) for name, one in said.items()]),
            of_people=[name for name in people if name in said],
        )
    actual = {plain_heading(heading): heading for heading in table.columns}
    wanted = map(plain_heading, mapping.record_numbers)
    chosen = [actual[key] for key in wanted if key in actual]
    if not chosen:
        raise DeliveryError(
            f"the file has none of the headings {', '.join(mapping.record_numbers)}, from which "
            "its source's mapping makes record numbers.",
            remedy="Correct the headings under record_numbers in the source's mapping.",
        )
    column_of = {plain_heading(heading): c for heading, c in mapping.column_of.items()}
    content = table.select(chosen)
    return number_records(
        content, of_people=[one for one in chosen if column_of.get(plain_heading(one)) in people]
    )
