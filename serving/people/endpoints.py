"""The API of people by pseudonym."""

from typing import Annotated

from fastapi import Depends

from serving.auth import Role, Viewer, allow
from serving.dependencies import Now, ServicesOfApp
from serving.people import service
from serving.people.schemas import Person, Rescore
from serving.routing import ApiRouter

__all__ = ["router"]

router = ApiRouter(prefix="/people", tags=["people"])


@router.post("/{person}/rescore", response_model=Rescore)
def rescore_person(
    person: Person,
    viewer: Annotated[Viewer, Depends(allow(Role.ANALYST, Role.ENGINEER, Role.ADMIN))],
    services: ServicesOfApp,
    now: Now,
) -> object:
    """Score one person afresh from all that is known now; nothing is published by it. Every call is audited."""
    return service.rescore(services, viewer=viewer, person=person, at=now)
