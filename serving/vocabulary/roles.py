"""Who somebody is to us: roles, and whoever sends a request."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["Role", "Viewer"]


class Role(StrEnum):
    """What somebody may do."""

    ANALYST = "analyst"
    OFFICER = "officer"
    ENGINEER = "engineer"
    ADMIN = "admin"


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """Who is asking. ``communities`` are the only ones they may see; None means all.

    Somebody who is ``renewing`` may do nothing but choose a password, or set up a second factor if
    ``enrolling``. Who ``manages`` may give out
    users, passwords and tokens, if the role allows it. What comes of a machine's token, ``token``
    by number, is good until ``good_until`` and gives out nothing that lasts longer.
    """

    name: str
    role: Role
    communities: frozenset[str] | None
    renewing: bool = False
    enrolling: bool = False
    manages: bool = False
    token: int | None = None
    good_until: datetime | None = None
