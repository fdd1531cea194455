"""The API of outreach lists."""

from typing import Annotated

from fastapi import Header, Path, Query, Response
from fastapi.responses import JSONResponse, StreamingResponse

from serving.access.dependencies import Decider, Now, Reading, ServicesOfApp, Writing
from serving.http.fields import CommunityId, IsoDay
from serving.http.paging import Cursor, Limit
from serving.http.routing import ApiRouter
from serving.outreach import results, service
from serving.outreach.schemas import (
    Entered,
    Format,
    IssuedListPage,
    IssuedListWithItems,
    NewEntries,
    OutreachList,
)
from serving.outreach.sheets import MEDIA_TYPES, csv_lines, write_outreach
from serving.vocabulary.languages import Language

__all__ = ["ListId", "router", "sheet_response"]

ListId = Annotated[str, Path(pattern=r"^[Ll][A-Za-z2-7]{7}$", examples=["L7K3F7QM"])]
SHEETS = {
    MEDIA_TYPES["csv"].partition(";")[0]: {"example": "级别,最迟处置时间,…"},
    MEDIA_TYPES["xlsx"]: {},
}
router = ApiRouter(tags=["outreach"])


@router.get(
    "/outreach/{community_id}", response_model=OutreachList, responses={200: {"content": SHEETS}}
)
def read_outreach(
    *,
    community_id: CommunityId,
    viewer: Decider,
    session: Writing,
    services: ServicesOfApp,
    now: Now,
    day: IsoDay | None = None,
    format: Format | None = None,  # noqa: A002
    lang: Language = "zh",
    accept: Annotated[str, Header()] = "*/*",
) -> Response:
    """Read whom to reach in a community on a day (default: the day of the latest list).

    Every call makes a list with an id of its own, which is audited. The form is `format`, else what
    the Accept header asks for, else JSON.
    """
    form = format or service.format_of(accept)
    day = day or service.latest_day_with_list(session)
    list_request = service.ListRequest(
        viewer=viewer, community_id=community_id, day=day, at=now, language=lang
    )
    outreach = service.issue_list(
        session, list_request, form=form, vault=services.vault, settings=services.settings
    )
    return sheet_response(outreach, form=form, language=lang)


@router.get("/outreach-lists")
def list_outreach_lists(
    *,
    viewer: Decider,
    session: Reading,
    community_id: Annotated[str | None, Query(max_length=60, pattern=r"^[^\x00-\x1f]+$")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> IssuedListPage:
    """List the issued lists: who took them, when, until when they are valid.

    The newest first.
    """
    return results.list_page(
        session, viewer=viewer, community_id=community_id, cursor=cursor, limit=limit
    )


@router.get("/outreach-lists/{list_id}")
def read_outreach_list(
    list_id: ListId, viewer: Decider, session: Reading, now: Now
) -> IssuedListWithItems:
    """Read a list without names: what was found since about each of its people."""
    return results.list_with_items(session, viewer=viewer, list_id=list_id, at=now)


@router.post("/outreach-lists/{list_id}/results")
def enter_results(
    *,
    list_id: ListId,
    new: NewEntries,
    viewer: Decider,
    session: Writing,
    now: Now,
    services: ServicesOfApp,
) -> Entered:
    """Enter what came back on paper.

    An entry whose alert has moved on is refused; the others are recorded.
    """
    return results.record_entries(
        session,
        viewer=viewer,
        list_id=list_id,
        entries=new.entries,
        at=now,
        settings=services.settings,
    )


def sheet_response(outreach: OutreachList, *, form: Format, language: Language) -> Response:
    """Return the list as JSON, as CSV line by line, or as XLSX."""
    if form == "json":
        return JSONResponse(outreach.model_dump(mode="json"))
    name = f"outreach-{outreach.day}-{outreach.list_id}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if form == "csv":
        lines = csv_lines(outreach, language=language)
        return StreamingResponse(lines, media_type=MEDIA_TYPES["csv"], headers=headers)
    content = write_outreach(outreach, format=form, language=language)
    return Response(content, media_type=MEDIA_TYPES["xlsx"], headers=headers)
