"""What somebody can do about an outcome of a delivery, as declared in ``remedies.yaml``."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from data_contracts.shipped_yaml import read_shipped

__all__ = ["FILE_CODES", "Remedy", "load_remedies", "remedy_of"]

_FILE = "remedies.yaml"
_OTHER = "other"
FILE_CODES = "file."  # how the codes of outcomes of a whole file begin


class _Words(BaseModel):
    """A text in both languages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Remedy(_Words):
    """What to do, in both languages; ``title`` names an outcome of a whole file, ``mapping`` says
    whether a mapping of the source can mend it.
    """

    title: _Words | None = None
    mapping: bool = False


@cache
def load_remedies() -> Mapping[str, Remedy]:
    """Return the remedies by code or name of a rule.

    Raises pydantic's ValidationError if the file is not as it should be.
    """
    return TypeAdapter(dict[str, Remedy]).validate_python(
        read_shipped(Path(__file__).parent / _FILE)
    )


def remedy_of(code: str) -> Remedy:
    """Return what can be done about ``duration_s.negative``, ``file.bad_rows`` and the like."""
    remedies = load_remedies()
    name = code.partition(".")[2]
    return remedies.get(code) or remedies.get(name) or remedies[_OTHER]
