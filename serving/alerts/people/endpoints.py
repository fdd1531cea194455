"""The API of people by pseudonym."""

from typing import Annotated

from fastapi import Depends

from serving.access.auth import allow_roles
from serving.access.dependencies import Now, ServicesOfApp, Writing
from serving.alerts.people import service
from serving.alerts.people.schemas import Person, Rescore, RevealedPerson, RevealRequest
from serving.alerts.schemas import AlertId
from serving.http.routing import ApiRouter
from serving.vocabulary.roles import Role, Viewer

__all__ = ["router"]

router = ApiRouter(tags=["people"])


@router.post("/people/{person}/rescore", response_model=Rescore)
def rescore_person(
    person: Person,
    viewer: Annotated[Viewer, Depends(allow_roles(Role.ANALYST, Role.ENGINEER, Role.ADMIN))],
    services: ServicesOfApp,
    now: Now,
) -> object:
    """Score one person afresh from all that is known now; nothing is published by it.

    Every call is audited.
    """
    return service.rescore_person(services, viewer=viewer, person=person, at=now)


@router.post("/alerts/{alert_id}/reveal")
def reveal_person(
    *,
    alert_id: AlertId,
    request: RevealRequest,
    viewer: Annotated[Viewer, Depends(allow_roles(*service.REVEALERS))],
    session: Writing,
    services: ServicesOfApp,
    now: Now,
) -> RevealedPerson:
    """Read who the person of an alert is. Every call is audited with its reason."""
    return service.reveal_person(
        session,
        viewer=viewer,
        alert_id=alert_id,
        reason=request.reason,
        vault=services.vault,
        settings=services.settings,
        at=now,
    )
