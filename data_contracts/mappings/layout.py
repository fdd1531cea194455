"""How the lines and sheets of a source's files are laid out, where it cannot be found out."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

__all__ = ["Encoding", "Layout"]


def _known_encoding(value: str) -> str:
    try:
        "x".encode(value)
    except (LookupError, ValueError):  # none of this name, or one that gives no text
        raise ValueError(f"{value} is no encoding; write utf-8, gb18030 or utf-16") from None
    return value


Encoding = Annotated[str, AfterValidator(_known_encoding)]


class Layout(BaseModel):
    """Where a file's table is. Everything that is not said is found out from the file.

    ``heading_row`` is the line of the headings, from 1; ``headings_contain`` are headings by which
    that line is known instead. ``skip_last`` lines at the end are left out. ``sheets`` are the
    sheets of a spreadsheet that are read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoding: Encoding | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    heading_row: PositiveInt | None = None
    headings_contain: tuple[str, ...] = ()
    skip_last: NonNegativeInt = 0
    sheets: tuple[str, ...] = ()
