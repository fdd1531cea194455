"""Why a file is held or cannot be read, in Chinese: reasons are written down in English."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from data_contracts.shipped_yaml import read_shipped

__all__ = ["say_reason"]

_FILE = "file_reasons.yaml"
_PLACE = re.compile(r"\\\{(\w+)\\\}")
_INNER = "text"  # what stands there is a reason of its own


class _Sentence(BaseModel):
    """A sentence in both languages, with words in braces for what differs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)

    def pattern(self) -> re.Pattern[str]:
        """What the English sentence looks like, with or without its full stop."""
        named = _PLACE.sub(_group, re.escape(self.en.removesuffix(".")))
        return re.compile(rf"{named}\.?", re.DOTALL)


def say_reason(reason: str, language: str) -> str:
    """Return the reason of a file in ``zh`` or ``en``, without a full stop; one that has no Chinese
    stays English.
    """
    said = reason.removesuffix(".")
    if not language.startswith("zh"):
        return said
    for pattern, chinese in _patterns():
        if found := pattern.fullmatch(said):
            values = found.groupdict()
            if _INNER in values:
                values[_INNER] = f"{say_reason(values[_INNER], language)}。"
            return chinese.format(**values)
    return said


@cache
def _patterns() -> Sequence[tuple[re.Pattern[str], str]]:
    sentences = TypeAdapter(list[_Sentence]).validate_python(
        read_shipped(Path(__file__).parent / _FILE)
    )
    return [(sentence.pattern(), sentence.zh) for sentence in sentences]


def _group(place: re.Match[str]) -> str:
    return r"\w+" if place[1] == "_" else rf"(?P<{place[1]}>.*?)"
