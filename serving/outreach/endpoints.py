"""The API of outreach lists."""

from datetime import date
from typing import Annotated

from fastapi import Depends, Header, Path, Response
from fastapi.responses import JSONResponse

from serving.auth import Role, Viewer, allow
from serving.dependencies import Now, ServicesOfApp, Writing
from serving.outreach import service
from serving.outreach.schemas import Format, OutreachList
from serving.outreach.sheets import MEDIA_TYPES, write_outreach
from serving.routing import ApiRouter
from serving.wording import Language

__all__ = ["router"]

router = ApiRouter(prefix="/outreach", tags=["outreach"])
SHEETS = {MEDIA_TYPES["csv"].partition(";")[0]: {"example": "级别,最迟处置时间,…"}, MEDIA_TYPES["xlsx"]: {}}


@router.get("/{community_id}", response_model=OutreachList, responses={200: {"content": SHEETS}})
def read_outreach(
    *,
    community_id: Annotated[str, Path(max_length=60, pattern=r"^[^\x00-\x1f]+$", examples=["C01"])],
    viewer: Annotated[Viewer, Depends(allow(Role.ANALYST, Role.OFFICER, Role.ADMIN))],
    session: Writing,
    services: ServicesOfApp,
    now: Now,
    day: date | None = None,
    format: Format | None = None,  # noqa: A002
    lang: Language = "zh",
    accept: Annotated[str, Header()] = "*/*",
) -> Response:
    """Read whom to reach in a community on a day (default: the day of the latest list). Every call is audited.

    The form is `format`, else what the Accept header asks for, else JSON.
    """
    day = day or service.latest_day_with_list(session)
    rows = service.outreach_rows(
        session,
        viewer=viewer,
        community_id=community_id,
        day=day,
        vault=services.vault,
        settings=services.settings,
        at=now,
        language=lang,
    )
    form = format or service.format_of(accept)
    if form == "json":
        outreach = OutreachList(community_id=community_id, day=day, rows=rows)
        return JSONResponse(outreach.model_dump(mode="json"))
    headers = {"Content-Disposition": f'attachment; filename="outreach-{day}.{form}"'}
    return Response(write_outreach(rows, format=form, language=lang), media_type=MEDIA_TYPES[form], headers=headers)
