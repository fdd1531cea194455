"""Versions on the wire: an ETag names the version that was read, If-Match the one that a change is
based on.
"""

from typing import Annotated, Any

from fastapi import Header
from pydantic import BaseModel

from serving.http.errors import MEDIA_TYPE, ProblemError

__all__ = ["MATCH_RESPONSES", "IfMatch", "IfMatchRow", "etag_of", "version_conflict", "version_of"]


def _if_match(example: str) -> Any:
    return Header(
        alias="If-Match",
        max_length=100,
        description="The ETag of what was read. Without it nothing is written (428).",
        examples=[example],
    )


IfMatch = Annotated[str | None, _if_match('"0"')]
"""For what begins empty: its first version is 0."""
IfMatchRow = Annotated[str | None, _if_match('"1"')]
"""For a row of its own: its first version is 1."""
MATCH_RESPONSES: dict[int | str, dict[str, Any]] = {
    412: {
        "description": "It has moved on since it was read; `current` is how it stands now.",
        "content": {MEDIA_TYPE: {}},
    },
    428: {"description": "If-Match is missing.", "content": {MEDIA_TYPE: {}}},
}


def etag_of(version: int) -> str:
    """Return the ETag of a version."""
    return f'"{version}"'


def version_of(if_match: str | None) -> int:
    """Return the version that If-Match names, -1 for one that we never made.

    A 428 problem without any.
    """
    if if_match is None:
        raise ProblemError(
            428,
            "A change has to say which version it is based on.",
            remedy="Read it, then send its ETag as If-Match.",
        )
    tag = if_match.strip()
    digits = tag[1:-1]
    ours = (
        len(tag) > 2
        and tag[0] == tag[-1] == '"'
        and digits.isascii()
        and digits.isdigit()
        and len(digits) < 10
    )
    return int(digits) if ours else -1


def version_conflict(*, version: int, current: BaseModel | None) -> ProblemError:
    """Return the 412 problem for a change based on an older version, with how it stands now."""
    return ProblemError(
        412,
        "Somebody else has changed this meanwhile.",
        remedy="Look at how it stands now, then send the change again with its ETag.",
        headers={"ETag": etag_of(version)},
        version=version,
        current=current.model_dump(mode="json") if current else None,
    )
