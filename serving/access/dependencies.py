"""The dependencies of endpoints: a session that sees what the viewer may see, the time, and the
services.
"""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from serving.access.auth import NO_COMMUNITIES, MaybeViewer, allow_roles
from serving.context.services import Clock, Now, Services, ServicesOfApp
from serving.database.engine import read_transaction, write_transaction
from serving.vocabulary.roles import Role, Viewer

__all__ = ["Clock", "Decider", "Now", "Reading", "Services", "ServicesOfApp", "Writing"]

Decider = Annotated[Viewer, Depends(allow_roles(Role.ANALYST, Role.OFFICER, Role.ADMIN))]


def read_session(services: ServicesOfApp, viewer: MaybeViewer) -> Iterator[Session]:
    """Give a session that sees one moment of the database."""
    with read_transaction(services.engine, communities=_scope_of(viewer)) as session:
        yield session


def write_session(
    request: Request, services: ServicesOfApp, viewer: MaybeViewer
) -> Iterator[Session]:
    """Give a session that is committed before the answer leaves, so that no answer promises what
    was not kept.

    A request that carries an idempotency key stops here if it was answered before.
    """
    with write_transaction(services.engine, communities=_scope_of(viewer)) as session:
        once = getattr(request.state, "once", None)
        if once is not None and viewer is not None:
            once.before(session, viewer=viewer)
        yield session


def _scope_of(viewer: Viewer | None) -> frozenset[str] | None:
    """Return the communities of ``viewer``, None for all; nobody has none."""
    return NO_COMMUNITIES if viewer is None else viewer.communities


Reading = Annotated[Session, Depends(read_session, scope="function")]
Writing = Annotated[Session, Depends(write_session, scope="function")]
