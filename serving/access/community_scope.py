"""Who may see which community. Officers see their own ones only; it is decided here for everybody.

PostgreSQL narrows every transaction once more by itself (``serving/database/engine.py``).
"""

from typing import Any, TypeVar

from sqlalchemy import Select

from serving.vocabulary.roles import Viewer

__all__ = ["may_see", "visible_to"]

Found = TypeVar("Found", bound=tuple[Any, ...])


def may_see(viewer: Viewer, community_id: str) -> bool:
    """Return whether this community is theirs to see."""
    return viewer.communities is None or community_id in viewer.communities


def visible_to(viewer: Viewer, statement: Select[Found]) -> Select[Found]:
    """Return ``statement`` narrowed to the communities that ``viewer`` may see.

    They are those of the first table that it selects, which has a column ``community_id``.
    """
    if viewer.communities is None:
        return statement
    table = statement.column_descriptions[0]["entity"]
    return statement.where(table.community_id.in_(viewer.communities))
