"""The API of suspects."""

from typing import Annotated

from fastapi import Depends

from serving.access.auth import allow_roles
from serving.access.dependencies import Now, Reading, ServicesOfApp, Writing
from serving.alerts.people.schemas import RevealRequest
from serving.alerts.suspects import service
from serving.alerts.suspects.schemas import RevealedSuspect, SuspectDetail, SuspectKey, SuspectPage
from serving.http.paging import Cursor, Limit
from serving.http.routing import ApiRouter
from serving.vocabulary.alerts import SuspectKind
from serving.vocabulary.roles import Viewer

__all__ = ["router"]

router = ApiRouter(prefix="/suspects", tags=["suspects"])
Reader = Annotated[Viewer, Depends(allow_roles(*service.READERS))]
Revealer = Annotated[Viewer, Depends(allow_roles(*service.REVEALERS))]


@router.get("")
def list_suspects(
    _viewer: Reader,
    session: Reading,
    kind: SuspectKind = "number",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> SuspectPage:
    """List the latest suspect numbers or accounts, the likeliest first."""
    return service.suspect_page(session, kind=kind, cursor=cursor, limit=limit)


@router.get("/{key}")
def read_suspect(key: SuspectKey, _viewer: Reader, session: Reading) -> SuspectDetail:
    """Read what was last published about a number or an account."""
    return service.suspect_detail(session, key=key)


@router.post("/{key}/reveal")
def reveal_suspect(
    *,
    key: SuspectKey,
    request: RevealRequest,
    viewer: Revealer,
    session: Writing,
    services: ServicesOfApp,
    now: Now,
) -> RevealedSuspect:
    """Read the number or account behind a pseudonym. Every call is audited with its reason."""
    return service.reveal_suspect(
        session,
        viewer=viewer,
        key=key,
        reason=request.reason,
        vault=services.vault,
        settings=services.settings,
        at=now,
    )
