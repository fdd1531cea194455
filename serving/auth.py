"""Who is asking, and whether they may.

A machine sends a bearer token; a person logs in with one and gets a cookie that holds another. Either is a random
secret of which the database keeps the SHA-256 digest only. A cookie is believed for changes only if the browser says
that the request comes from our own pages.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from serving.database import reading
from serving.dependencies import Now, ServicesOfApp
from serving.errors import ProblemError
from serving.users.repository import UserRepository

__all__ = ["COOKIE", "Role", "Viewer", "allow", "digest_of", "new_secret", "require_same_origin", "viewer_of"]

COOKIE = "forestall_session"
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False, bearerFormat="fst_…"))]
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Role(StrEnum):
    """What somebody may do."""

    ANALYST = "analyst"
    OFFICER = "officer"
    ENGINEER = "engineer"
    ADMIN = "admin"


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """Who is asking. ``communities`` are the only ones they may see; None means all."""

    name: str
    role: Role
    communities: frozenset[str] | None

    def may_see(self, community_id: str) -> bool:
        """Say whether this community is theirs to see."""
        return self.communities is None or community_id in self.communities


def new_secret() -> str:
    """Return a fresh token of 256 random bits."""
    return "fst_" + secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """Return what the database keeps of a token."""
    return hashlib.sha256(secret.encode()).hexdigest()


def allow(*roles: Role) -> Callable[..., Viewer]:
    """Return the dependency that lets these roles in: 401 for nobody, 403 for somebody else."""

    def permitted(viewer: Annotated[Viewer, Depends(viewer_of)]) -> Viewer:
        if viewer.role not in roles:
            raise ProblemError(403, f"The role {viewer.role} may not do this.")
        return viewer

    permitted.roles = frozenset(roles)  # type: ignore[attr-defined]  # the tests read who may do what
    return permitted


def viewer_of(request: Request, services: ServicesOfApp, now: Now, bearer: Bearer) -> Viewer:
    """Return who sends the request; raises a 401 problem when that cannot be told."""
    secret, kind = (bearer.credentials, "bearer") if bearer else (request.cookies.get(COOKIE, ""), "session")
    if not secret:
        raise _unknown("Nobody is logged in.")
    if kind == "session":
        require_same_origin(request)
    # A session of its own, closed at once: held open, it would keep a writer of the same request from committing.
    with reading(services.engine) as session:
        return _holder(UserRepository(session), secret=secret, kind=kind, now=now)


def require_same_origin(request: Request) -> None:
    """Raise a 403 problem when a browser sends a change from somebody else's page."""
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    origin = urlsplit(request.headers.get("origin", "")).netloc
    if (site != "same-origin") if site else (origin != request.headers.get("host")):
        raise ProblemError(
            403, "This change does not come from our own pages.", remedy="Use the form on the page itself."
        )


def _holder(users: UserRepository, *, secret: str, kind: str, now: datetime) -> Viewer:
    token = users.valid_token(digest=digest_of(secret), kind=kind, now=now)
    if token is None:
        raise _unknown("The token is unknown, expired or revoked.")
    role = Role(token.user.role)
    communities = frozenset(item.community_id for item in token.user.communities)
    return Viewer(name=token.user.name, role=role, communities=communities if role is Role.OFFICER else None)


def _unknown(detail: str) -> ProblemError:
    return ProblemError(401, detail, headers={"WWW-Authenticate": 'Bearer realm="forestall"'})
