"""Cursor pages: a cursor says where the last page ended, so rows added meanwhile neither repeat nor
hide others.
"""

import base64
import json
import re
from typing import Annotated, Any

from fastapi import Query

from serving.http.errors import ProblemError

__all__ = ["Cursor", "Limit", "decode_cursor", "encode_cursor"]

UNKEPT = re.compile("[\0\ud800-\udfff]")

Limit = Annotated[int, Query(ge=1, le=200, description="Rows a page.")]
Cursor = Annotated[
    str | None,
    Query(
        max_length=200,
        description="`next_cursor` of the page before; leave it out for the first page.",
    ),
]


def encode_cursor(*position: Any) -> str:
    """Return the cursor of a position, the values that the rows are sorted by."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *types: type) -> tuple[Any, ...]:
    """Return the position of ``cursor``; raises a 400 problem for one that we did not make."""
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):  # not base64, not UTF-8, not JSON, or too deep
        position = None
    if (
        not isinstance(position, list)
        or [type(value) for value in position] != list(types)
        or _beyond(position)
    ):
        raise ProblemError(
            400, "The cursor is not one of ours.", remedy="Start again without a cursor."
        )
    return tuple(position)


def _beyond(position: list[Any]) -> bool:
    # No column holds such a number, and no database such a text
    return any(
        abs(value) >= 2**31 if isinstance(value, int) else bool(UNKEPT.search(str(value)))
        for value in position
    )
