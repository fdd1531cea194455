"""The API of suppressions."""

from typing import Annotated

from fastapi import Depends, Path

from serving.access.auth import allow_roles
from serving.access.dependencies import Decider, Now, Reading, ServicesOfApp, Writing
from serving.casework.suppressions import service
from serving.casework.suppressions.schemas import Lift, NewSuppression, Suppression, SuppressionPage
from serving.http.paging import Cursor, Limit
from serving.http.routing import ApiRouter
from serving.vocabulary.roles import Role, Viewer

__all__ = ["SuppressionId", "Suppressor", "router"]

Suppressor = Annotated[Viewer, Depends(allow_roles(Role.ANALYST, Role.ADMIN))]
SuppressionId = Annotated[int, Path(ge=1, lt=2**31, examples=[3])]
router = ApiRouter(prefix="/suppressions", tags=["suppressions"])


@router.get("")
def list_suppressions(
    *, viewer: Decider, session: Reading, now: Now, cursor: Cursor = None, limit: Limit = 50
) -> SuppressionPage:
    """List who is not alerted for a while, why, until when and who answers for it.

    The newest first.
    """
    return service.suppression_page(session, viewer=viewer, at=now, cursor=cursor, limit=limit)


@router.post("", status_code=201, response_model=Suppression)
def add_suppression(
    new: NewSuppression, viewer: Suppressor, session: Writing, now: Now, services: ServicesOfApp
) -> object:
    """Keep a person from being alerted until it expires, unless new money moves. 409 if one is in
    force.
    """
    return service.suppress_person(
        session, viewer=viewer, new=new, at=now, settings=services.settings
    )


@router.post("/{suppression_id}/lift", response_model=Suppression)
def lift_suppression(
    suppression_id: SuppressionId, lift: Lift, viewer: Suppressor, session: Writing, now: Now
) -> object:
    """End a suppression before its time. 409 if it is over already."""
    return service.lift_suppression(
        session, viewer=viewer, suppression_id=suppression_id, reason=lift.reason, at=now
    )
