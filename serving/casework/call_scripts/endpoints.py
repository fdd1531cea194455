"""The API of call scripts."""

from typing import Annotated

from fastapi import Depends, Path, Query

from serving.access.auth import allow_roles
from serving.casework.call_scripts import service
from serving.casework.call_scripts.schemas import CallScript
from serving.http.routing import ApiRouter
from serving.vocabulary.roles import Role, Viewer

__all__ = ["router"]

router = ApiRouter(prefix="/talks", tags=["talks"])


@router.get("/{scam_type}")
def read_talk(
    scam_type: Annotated[str, Path(max_length=60, pattern=r"^[^\x00-\x1f]+$", examples=["police"])],
    _viewer: Annotated[Viewer, Depends(allow_roles(*Role))],
    already_paid: Annotated[
        bool,
        Query(description="The words to somebody whose money has gone: have it stopped, report."),
    ] = False,
) -> CallScript:
    """Read what to ask and what to say.

    A scam type without a script of its own gets the one of `unknown`.
    """
    return service.call_script_for(scam_type, already_paid=already_paid)
