"""What officers read of a reason, as declared in ``everyday_reasons.yaml``."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from data_contracts.shipped_yaml import read_shipped

__all__ = ["EverydayWords", "load_everyday_reasons"]

_FILE = "everyday_reasons.yaml"


class EverydayWords(BaseModel):
    """One reason in everyday words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


@cache
def load_everyday_reasons() -> Mapping[str, EverydayWords]:
    """Return the words by the code of the reason.

    Raises pydantic's ValidationError if the file is not as it should be.
    """
    return TypeAdapter(dict[str, EverydayWords]).validate_python(
        read_shipped(Path(__file__).parent / _FILE)
    )
