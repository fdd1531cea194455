"""The API of how the system does, for whatever watches it."""

from typing import Annotated

from fastapi import Depends

from serving.access.auth import allow_roles
from serving.access.dependencies import Now, Reading
from serving.http.routing import ApiRouter
from serving.operations.promotion import PROMOTERS
from serving.operations.service import read_overview
from serving.operations.status import Status, status_of
from serving.presentation.translations import get_translator
from serving.vocabulary.languages import Language
from serving.vocabulary.roles import Viewer

__all__ = ["router"]

router = ApiRouter(prefix="/operations", tags=["operations"])
Engineer = Annotated[Viewer, Depends(allow_roles(*PROMOTERS))]


@router.get("")
def read_operations(_viewer: Engineer, session: Reading, now: Now, lang: Language = "en") -> Status:
    """Read how runs, deliveries and models do, and what of it needs action."""
    return status_of(read_overview(session, at=now), get_translator(lang))
