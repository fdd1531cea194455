"""What officers read of a reason, as declared in ``everyday_reasons.yaml``."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from data_contracts.shipped_yaml import read_shipped

__all__ = ["EverydayWords", "load_everyday_reasons", "present_code"]

_FILE = "everyday_reasons.yaml"


class EverydayWords(BaseModel):
    """One reason in everyday words; ``formerly`` is its code in reasons that were stored before."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)
    formerly: str | None = None


@cache
def load_everyday_reasons() -> Mapping[str, EverydayWords]:
    """Return the words by the code of the reason.

    Raises pydantic's ValidationError if the file is not as it should be.
    """
    return TypeAdapter(dict[str, EverydayWords]).validate_python(
        read_shipped(Path(__file__).parent / _FILE)
    )


def present_code(code: str) -> str:
    """Return what a stored reason's code is today: itself, unless it has been given another."""
    return _present_codes().get(code, code)


@cache
def _present_codes() -> Mapping[str, str]:
    everyday = load_everyday_reasons()
    return {words.formerly: code for code, words in everyday.items() if words.formerly}
