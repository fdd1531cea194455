"""Who is asking, and whether they may.

A machine sends a bearer token; a person logs in and gets a cookie. Either is a random secret of
which the database keeps the SHA-256 digest only. A cookie is believed for changes only if the
browser says that the request comes from our own pages: with ``SameSite=Strict`` beside it no form
needs a token of its own against forged requests. Requests with a bearer token cannot be forged,
since no browser adds that header by itself.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from serving.access.credentials import digest_of
from serving.access.repository import UserRepository
from serving.context.services import Now, Services, ServicesOfApp
from serving.database.engine import read_transaction, write_transaction
from serving.database.tables import TokenRow
from serving.http.boundary.middleware import CAME_IN
from serving.http.errors import ProblemError
from serving.vocabulary.roles import Role, Viewer

__all__ = [
    "COOKIE",
    "NO_COMMUNITIES",
    "MaybeViewer",
    "allow_enrolment",
    "allow_managers",
    "allow_own_credentials",
    "allow_own_tokens",
    "allow_renewal",
    "allow_roles",
    "require_login",
    "require_same_origin",
    "shown_digest",
    "viewer_of",
    "viewer_still",
]

log = logging.getLogger("serving.access")

COOKIE = "forestall_session"
NO_COMMUNITIES: frozenset[str] = frozenset()
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
STREAM = "text/event-stream"
LASTING = ("bearer", "session")  # who came in for good, not only to choose a password
# The last use of a token is known this exactly, so that not every request writes
USE_NOTED_EVERY = timedelta(minutes=1)

Bearer = Annotated[
    HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False, bearerFormat="fst_…"))
]


def maybe_viewer(
    request: Request, services: ServicesOfApp, now: Now, bearer: Bearer
) -> Viewer | None:
    """Return who sends the request, None when that is unknown.

    Raises a 403 problem for a change that another site's page sends with our cookie, or a token for
    reading only.
    """
    if not bearer and _cookie(request):
        require_same_origin(request)
    # A session of its own, closed at once: held open, it would keep a writer of the same request
    # from committing.
    with read_transaction(services.engine) as session:
        token = _shown_token(session, request, services, now=now)
        setattr(request.state, CAME_IN, token is not None)
        if token is None:
            return None
        viewer = _to_viewer(token)
        stale = token.last_used_at is None or token.last_used_at <= now - USE_NOTED_EVERY
        # A page that only listens does not prolong the session
        is_stream = STREAM in request.headers.get("accept", "")
    if token.read_only and request.method not in SAFE_METHODS:
        raise ProblemError(
            403, "This token is for reading only.", remedy="Use a token that may write."
        )
    if stale and not is_stream:
        _note_use(services, token_id=token.id, at=now)
    return viewer


def viewer_still(request: Request, services: Services) -> Viewer | None:
    """Return who sent the request, as they are now: None once they were shut out or logged out."""
    with read_transaction(services.engine) as session:
        token = _shown_token(session, request, services, now=services.clock())
        return None if token is None or token.kind not in LASTING else _to_viewer(token)


def shown_digest(request: Request) -> str:
    """Return the digest of the secret that a request shows, empty where it shows none."""
    secret, _ = _shown_secret(request)
    return digest_of(secret) if secret else ""


def _shown_secret(request: Request) -> tuple[str | None, bool]:
    """Return the secret, and whether it came as a bearer's."""
    scheme, secret = get_authorization_scheme_param(request.headers.get("authorization"))
    is_bearer = scheme.lower() == "bearer" and bool(secret)
    return (secret, True) if is_bearer else (_cookie(request), False)


def _shown_token(
    session: Session, request: Request, services: Services, *, now: datetime
) -> TokenRow | None:
    secret, is_bearer = _shown_secret(request)
    if not secret:
        return None
    return UserRepository(session).valid_token(
        digest=digest_of(secret),
        kinds=("bearer",) if is_bearer else ("session", "renewal", "enrolment"),
        now=now,
        idle_since=now - services.settings.session_idle,
    )


MaybeViewer = Annotated[Viewer | None, Depends(maybe_viewer)]


async def viewer_of(request: Request, viewer: MaybeViewer, bearer: Bearer) -> Viewer:
    """Return who sends the request; raises a 401 problem when that is unknown."""
    if viewer is not None and not viewer.renewing:
        return viewer
    known = bearer or _cookie(request)
    raise _unauthenticated(
        "The token is unknown, expired or revoked." if known else "Nobody is logged in."
    )


def allow_roles(*roles: Role) -> Callable[..., Awaitable[Viewer]]:
    """Return the dependency that lets these roles in: 401 for nobody, 403 for somebody else."""

    async def permitted(viewer: Annotated[Viewer, Depends(viewer_of)]) -> Viewer:
        if viewer.role not in roles:
            raise ProblemError(403, f"The role {viewer.role} may not do this.")
        return viewer

    permitted.roles = frozenset(roles)  # type: ignore[attr-defined]  # the description of the API reads them
    return permitted


def allow_managers(*roles: Role) -> Callable[..., Awaitable[Viewer]]:
    """Return the dependency that lets these roles in to give out users, passwords and tokens: a 403
    problem for a token that was not issued for that.
    """

    async def permitted(viewer: Annotated[Viewer, Depends(allow_roles(*roles))]) -> Viewer:
        _require_managing(viewer)
        return viewer

    permitted.roles = frozenset(roles)  # type: ignore[attr-defined]  # the description of the API reads them
    return permitted


async def allow_renewal(viewer: MaybeViewer, bearer: Bearer) -> Viewer:
    """Return who is logged in on the pages, be it only to choose a password.

    Raises a 401 problem for others, a token among them.
    """
    if viewer is None or bearer:
        raise _unauthenticated("Nobody is logged in.")
    return viewer


async def allow_own_tokens(viewer: Annotated[Viewer, Depends(allow_renewal)]) -> Viewer:
    """Return who is logged in on the pages and may give out tokens of their own.

    Raises a 401 problem for others, a 403 problem for a login with a token that gives out none.
    """
    _require_managing(viewer)
    return viewer


async def allow_own_credentials(viewer: Annotated[Viewer, Depends(allow_own_tokens)]) -> Viewer:
    """Return who is logged in on the pages and may change what they come in with.

    Raises a 401 problem for others, a 403 problem for a login with a machine's token.
    """
    require_login(viewer)
    return viewer


async def allow_enrolment(viewer: Annotated[Viewer, Depends(allow_own_credentials)]) -> Viewer:
    """Return who is logged in on the pages and may set up a second factor.

    Raises a 401 problem for others, as for who has yet to choose a password, a 403 problem for a
    login with a machine's token.
    """
    if viewer.renewing and not viewer.enrolling:
        raise _unauthenticated("Nobody is logged in.")
    return viewer


def _require_managing(viewer: Viewer) -> None:
    if not viewer.manages:
        raise ProblemError(
            403,
            "Users, passwords and tokens are not managed with this token.",
            remedy="Log in with a password, or use a token that was issued for it.",
        )


def require_login(viewer: Viewer) -> None:
    """Raise a 403 problem where a machine's token, or a login with one, would make something that
    outlives it: a password, a second factor or an administrator.
    """
    if viewer.token is not None:
        raise ProblemError(
            403,
            "Passwords, second factors and administrators are not managed with a token.",
            remedy="Log in with a password or a link.",
        )


def require_same_origin(request: Request) -> None:
    """Raise a 403 problem when a browser sends a change from somebody else's page."""
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    _, _, origin = request.headers.get("origin", "").partition("://")
    if (site != "same-origin") if site else (origin != request.headers.get("host")):
        raise ProblemError(
            403,
            "This change does not come from our own pages.",
            remedy="Use the form on the page itself.",
        )


def _cookie(request: Request) -> str:
    return request.cookies.get(COOKIE, "")


def _to_viewer(token: TokenRow) -> Viewer:
    role = Role(token.role or token.user.role)
    of = token if token.kind == "bearer" else token.parent
    communities = frozenset(item.community_id for item in token.user.communities)
    return Viewer(
        name=token.user.name,
        role=role,
        communities=communities if role is Role.OFFICER else None,
        renewing=token.kind in {"renewal", "enrolment"},
        enrolling=token.kind == "enrolment",
        manages=token.manages,
        token=of.id if of else None,
        good_until=of.expires_at if of else None,
    )


def _note_use(services: Services, *, token_id: int, at: datetime) -> None:
    try:
        with write_transaction(services.engine) as session:
            UserRepository(session).note_use(token_id, at=at)
    except OperationalError:  # somebody else is writing for long: the next request will note it
        log.info("the last use of a token could not be noted")


def _unauthenticated(detail: str) -> ProblemError:
    return ProblemError(401, detail, headers={"WWW-Authenticate": 'Bearer realm="forestall"'})
