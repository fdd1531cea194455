"""What a mapping can say of one dataset of a source. Every key says one thing; what is not said is
as the contract has it, or is found out from the file.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    WithJsonSchema,
    model_validator,
)

from data_contracts.mappings.layout import Layout

__all__ = ["CONTENT", "Amount", "DatasetMapping", "Part", "Text", "Texts", "Values"]

#: Record numbers that are made from what a record says.
CONTENT = "content"


def _as_text(value: object) -> object:
    """A scalar as it stands in a file: 1 for 1.0, true for True, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else value


def _as_list(value: object) -> object:
    return value if isinstance(value, list | tuple) else [] if value is None else [value]


_SCALAR: dict[str, Any] = {"type": ["string", "number", "boolean", "null"]}
Text = Annotated[str, BeforeValidator(_as_text), WithJsonSchema(_SCALAR)]
Texts = Annotated[
    tuple[Text, ...],
    BeforeValidator(_as_list),
    WithJsonSchema({"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR}]}),
]
Values = Mapping[Text, Text]


class Amount(BaseModel):
    """Where the amount is, if one column and a direction do not say it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    debit: Texts = Field(default=(), description="heading of what leaves the account")
    credit: Texts = Field(default=(), description="heading of what arrives on the account")
    signed: Texts = Field(
        default=(), description="heading of an amount with a sign for the direction"
    )
    negative: Literal["debit", "credit"] = Field(
        default="debit", description="the direction of a negative amount in the signed column"
    )

    @model_validator(mode="after")
    def _is_one_way(self) -> "Amount":
        if bool(self.signed) == bool(self.debit or self.credit):
            raise ValueError("write either signed, or debit and credit")
        if not self.signed and not (self.debit and self.credit):
            raise ValueError("write both debit and credit")
        return self

    @property
    def headings(self) -> tuple[str, ...]:
        """Every heading that it names."""
        return (*self.debit, *self.credit, *self.signed)


class Part(BaseModel):
    """A part of a field that holds several things."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    heading: Text = Field(description="the heading of the field")
    at: str | None = Field(default=None, min_length=1, description="the field is split at this")
    part: int = Field(default=1, ge=1, description="which part, from 1")
    pattern: str | None = Field(
        default=None, description="a regular expression with one group, which is the part"
    )

    @model_validator(mode="after")
    def _is_one_way(self) -> "Part":
        if (self.at is None) == (self.pattern is None):
            raise ValueError("write either at, or pattern")
        return self


class DatasetMapping(Layout):
    """All that a source's files of one dataset say in their own way."""

    headings_contain: Texts = Field(
        default=(), description="words by which the line of the headings is known"
    )
    sheets: Texts = Field(default=(), description="the sheets of a spreadsheet that are read")
    format: str | None = Field(
        default=None, description="a shipped format to start from; `forestall sources formats`"
    )
    headings: Mapping[Text, str] = Field(
        default_factory=dict,
        description="heading in the file: column of the contract. Of several headings for one "
        "column the first counts that says something",
    )
    amount: Amount | None = Field(
        default=None, description="two amount columns, or one with a sign, instead of a direction"
    )
    join: Mapping[str, Texts] = Field(
        default_factory=dict,
        description="column: headings that are joined with a space, such as date and time",
    )
    split: Mapping[str, Part] = Field(
        default_factory=dict, description="column: a part of the field under a heading"
    )
    preamble: Mapping[str, str] = Field(
        default_factory=dict,
        description="column: a regular expression with one group, looked for in the lines before "
        "the headings",
    )
    constants: Mapping[str, Text] = Field(
        default_factory=dict, description="column: what it holds in every row that says nothing"
    )
    record_numbers: Texts = Field(
        default=(),
        description="`content`, or the headings from which record numbers are made, where the "
        "source has none that are its own",
    )
    values: Mapping[str, Values] = Field(
        default_factory=dict,
        description="column: {value in the file: value of the contract}. `*` stands for any "
        "letters, an empty key for an empty cell",
    )
    moments: Mapping[str, Texts] = Field(
        default_factory=dict,
        description="column: how dates and times are written, such as `yy-MM-dd HH:mm`, or `excel`",
    )
    durations: Mapping[str, Texts] = Field(
        default_factory=dict,
        description="column: how durations are written: words, h:m:s, m:s, minutes",
    )
    nothing: Texts = Field(default=(), description="words that say that there is nothing")
    rates: Mapping[str, Annotated[Decimal, Field(gt=0)]] = Field(
        default_factory=dict, description="currency: CNY for one unit of it"
    )
    reversals: Mapping[Text, Texts] = Field(
        default_factory=dict, description="heading: the values that mark a reversal"
    )
    keep: Mapping[Text, Texts] = Field(
        default_factory=dict,
        description="heading or column: rows with another value are left out and counted",
    )
    drop: Mapping[Text, Texts] = Field(
        default_factory=dict,
        description="heading or column: rows with one of these values are left out and counted",
    )
    delay_s: NonNegativeInt | None = Field(
        default=None, description="seconds from a record to its delivery"
    )
    record_key: Texts = Field(
        default=(), description="the columns that tell one record from another within a day"
    )
    replaces: bool = Field(
        default=False,
        description="a file that comes again under its name with other rows replaces the earlier",
    )

    @property
    def layout(self) -> Layout:
        """Where the table is in a file."""
        return Layout(**{name: getattr(self, name) for name in Layout.model_fields})

    @property
    def columns_said(self) -> frozenset[str]:
        """The columns of the contract that this mapping itself says how to fill."""
        by_amount = ("amount", "direction") if self.amount else ()
        numbered = ("record_id",) if self.record_numbers else ()
        return frozenset(
            (
                *self.headings.values(),
                *self.join,
                *self.split,
                *self.preamble,
                *self.constants,
                *by_amount,
                *numbered,
            )
        )

    @property
    def column_of(self) -> dict[str, str]:
        """Every heading that this mapping names, with a column that it helps to fill."""
        amounts = self.amount.headings if self.amount else ()
        joined = {heading: column for column, all_ in self.join.items() for heading in all_}
        parts = {part.heading: column for column, part in self.split.items()}
        return {**dict.fromkeys(amounts, "amount"), **joined, **parts, **self.headings}

    def laid_over(self, base: "DatasetMapping") -> "DatasetMapping":
        """Return this mapping with everything that only ``base`` says.

        A column that this one says how to fill is filled its way alone.
        """
        own = self.columns_said
        merged: dict[str, Any] = {
            name: getattr(self if name in self.model_fields_set else base, name)
            for name in type(self).model_fields
        }
        merged["headings"] = {
            heading: column for heading, column in base.headings.items() if column not in own
        } | dict(self.headings)
        for name in ("join", "split", "preamble", "constants"):
            theirs = {c: said for c, said in getattr(base, name).items() if c not in own}
            merged[name] = theirs | dict(getattr(self, name))
        merged["amount"] = self.amount or (None if "amount" in own else base.amount)
        merged["record_numbers"] = self.record_numbers or (
            () if "record_id" in own else base.record_numbers
        )
        merged["values"] = {
            column: {**base.values.get(column, {}), **self.values.get(column, {})}
            for column in {**base.values, **self.values}
        }
        for name in ("moments", "durations", "rates", "reversals", "keep", "drop"):
            merged[name] = {**getattr(base, name), **getattr(self, name)}
        said = self.model_fields_set | base.model_fields_set
        return DatasetMapping.model_construct(_fields_set=set(said), **merged)
