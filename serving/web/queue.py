"""The pages of the queue: what waits, taking the next one, and the search."""

from http import HTTPStatus
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from serving.access.auth import allow_roles
from serving.access.dependencies import Decider, Now, Reading, ServicesOfApp, Writing
from serving.alerts.schemas import AlertId
from serving.alerts.search import service as searching
from serving.alerts.search.schemas import SearchRequest
from serving.alerts.watchlists.repository import WatchlistRepository
from serving.casework.claims import service as claims
from serving.casework.claims.schemas import Colleague
from serving.casework.queue import service as queues
from serving.casework.queue.schemas import QueueQuery
from serving.http.errors import ProblemError
from serving.http.fields import Code
from serving.presentation.templating import render_page, see_other
from serving.vocabulary.alerts import Level
from serving.vocabulary.dispositions import Status
from serving.vocabulary.roles import Role, Viewer
from serving.web.forms import Blank

__all__ = ["router"]

router = APIRouter()
Reader = Annotated[Viewer, Depends(allow_roles(*Role))]
Searcher = Annotated[Viewer, Depends(allow_roles(*searching.SEARCHERS))]
TAKERS = (Role.ANALYST, Role.OFFICER, Role.ADMIN)


class Filters(BaseModel):
    """What the filters of the page send; a field left empty asks for everything."""

    model_config = ConfigDict(extra="ignore")  # the language stands in the address as well

    level: Annotated[Level | None, Blank] = None
    scam_type: Annotated[Code | None, Blank] = None
    community_id: Annotated[Code | None, Blank] = None
    status: Annotated[Literal["waiting", "all"] | Status | None, Blank] = None
    assignee: Annotated[Code | None, Blank] = None
    since: Annotated[int | None, Field(ge=0, lt=2**31), Blank] = None
    page: Annotated[int, Field(ge=1, le=1000)] = 1
    nothing: Annotated[bool, Field(description="Nothing was left to take.")] = False

    def query(self) -> QueueQuery:
        """Return what the queue is given for."""
        given = self.model_dump(exclude={"nothing"}, exclude_none=True)
        return QueueQuery.model_validate(given)

    def address(self, page: int) -> str:
        """Return the address of another page with the same filters."""
        kept = self.model_dump(exclude={"nothing", "page"}, exclude_none=True)
        return f"/?{urlencode(kept | {'page': page})}"


class AssignForm(BaseModel):
    """To whom an alert goes."""

    to: Colleague


@router.get("/")
def show_queue(
    *,
    request: Request,
    filters: Annotated[Filters, Query()],
    viewer: Reader,
    session: Reading,
    services: ServicesOfApp,
    now: Now,
) -> Response:
    """Show what waits for somebody, the most urgent first."""
    queue = queues.build_queue(
        session, viewer=viewer, query=filters.query(), at=now, settings=services.settings
    )
    context = {
        "viewer": viewer,
        "queue": queue,
        "latest": WatchlistRepository(session).latest(),
        "filters": filters,
        "now": now,
        "may_take": viewer.role in TAKERS,
        "may_search": viewer.role in searching.SEARCHERS and services.finder is not None,
    }
    return render_page(request, "queue.html", context)


@router.post("/queue/next")
def take_next(viewer: Decider, session: Writing, services: ServicesOfApp, now: Now) -> Response:
    """Take the most urgent alert that nobody has, and show it."""
    try:
        taken = queues.take_next(session, viewer=viewer, at=now, settings=services.settings)
    except ProblemError as problem:
        if problem.status != HTTPStatus.NOT_FOUND:
            raise
        return see_other("/?nothing=true")
    return see_other(f"/alerts/{taken.alert_id}")


@router.post("/alerts/{alert_id}/claim")
def claim_alert(
    alert_id: AlertId, viewer: Decider, session: Writing, services: ServicesOfApp, now: Now
) -> Response:
    """Take one alert and show it; where somebody else has it, its page says who."""
    try:
        claims.claim_alert(
            session, viewer=viewer, alert_id=alert_id, at=now, settings=services.settings
        )
    except ProblemError as problem:
        if problem.status != HTTPStatus.CONFLICT:
            raise
    return see_other(f"/alerts/{alert_id}")


@router.post("/alerts/{alert_id}/release")
def release_alert(alert_id: AlertId, viewer: Decider, session: Writing, now: Now) -> Response:
    """Give one alert back and show the queue."""
    claims.release_alert(session, viewer=viewer, alert_id=alert_id, at=now)
    return see_other("/")


@router.post("/alerts/{alert_id}/assign")
def assign_alert(
    *,
    alert_id: AlertId,
    form: Annotated[AssignForm, Form()],
    viewer: Decider,
    session: Writing,
    services: ServicesOfApp,
    now: Now,
) -> Response:
    """Give one alert to a colleague and show it again."""
    claims.assign_alert(
        session, viewer=viewer, alert_id=alert_id, to=form.to, at=now, settings=services.settings
    )
    return see_other(f"/alerts/{alert_id}")


@router.post("/search")
def show_search(
    *,
    request: Request,
    form: Annotated[SearchRequest, Form()],
    viewer: Searcher,
    session: Writing,
    services: ServicesOfApp,
    now: Now,
) -> Response:
    """Show whose alerts a real number or ID leads to.

    It stands in no address and is shown nowhere again.
    """
    found = searching.find_by_identifier(
        session, viewer=viewer, value=form.value, finder=services.finder, at=now
    )
    return render_page(request, "search.html", {"viewer": viewer, "found": found, "address": "/"})
