"""The pages of the outreach lists: look, print, take away, and enter what came back on paper."""

from datetime import date, datetime, time
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.orm import Session

from serving.access.dependencies import Decider, Now, Reading, ServicesOfApp, Writing
from serving.casework.follow_ups.service import count_due as follow_ups_due
from serving.context.services import Services
from serving.http.errors import ProblemError
from serving.outreach import results, service
from serving.outreach.endpoints import ListId, sheet_response
from serving.outreach.schemas import Entered, NewEntry, Refused
from serving.outreach.schemas import Form as ListForm
from serving.outreach.service import ListRequest
from serving.presentation.templating import language_of, render_page, see_other
from serving.presentation.translations import N_
from serving.vocabulary.roles import Viewer
from serving.vocabulary.times import SHANGHAI
from serving.web.forms import form_problem

__all__ = ["router"]

router = APIRouter(prefix="/outreach")
Community = Annotated[str | None, Query(max_length=60, pattern=r"^[^\x00-\x1f]+$")]
Column = Annotated[list[Annotated[str, Field(max_length=8000)]], Field(max_length=1000)]
NO_ENTRIES = Entered(recorded=[], refused=[])


class NewListForm(BaseModel):
    """What the page sends for a list to be issued."""

    community: Annotated[str, Field(max_length=60, pattern=r"^[^\x00-\x1f]+$")]
    day: date
    form: ListForm


class ResultsForm(BaseModel):
    """What the form of a list sends: a column a field, a line a person.

    Lines without a result are left out.
    """

    day: date
    met_by: Annotated[str, Field(max_length=200)] = ""
    position: Column
    version: Column
    result: Column
    at: Column
    channel: Column
    note: Column
    paid_cny: Column
    prevented_cny: Column

    def lines(self) -> list[dict[str, str]]:
        """Return the lines by field; raises a 422 problem for columns of different lengths."""
        names = (
            "position",
            "version",
            "result",
            "at",
            "channel",
            "note",
            "paid_cny",
            "prevented_cny",
        )
        try:
            return [
                dict(zip(names, line, strict=True))
                for line in zip(*(getattr(self, name) for name in names), strict=True)
            ]
        except ValueError:
            raise form_problem(ValueError()) from None


@router.get("")
def show_outreach(
    *,
    request: Request,
    viewer: Decider,
    session: Writing,
    services: ServicesOfApp,
    now: Now,
    community: Community = None,
    day: date | None = None,
) -> Response:
    """Show whom to reach in a community on a day. An officer's first community is there at once."""
    day = day or _usual_day(session, now)
    known = service.communities_with_alerts(
        session, viewer=viewer, day=day, settings=services.settings
    )
    if community is None and viewer.communities is not None and known:
        community = known[0]
    context: dict[str, Any] = {
        "viewer": viewer,
        "day": day,
        "communities": known,
        "community": community,
    }
    if community is not None:
        list_request = _list_request(request, viewer, community, day, now)
        context["rows"] = service.preview_list(
            session, list_request, vault=services.vault, settings=services.settings
        )
        context["published"] = service.is_published(session, day, settings=services.settings)
        context["due"] = follow_ups_due(session, viewer=viewer, community_id=community, day=day)
        context["lists"] = results.list_page(session, viewer=viewer, community_id=community).items
    return render_page(request, "outreach.html", context | {"now": now})


@router.post("/lists")
def make_list(
    *,
    request: Request,
    form: Annotated[NewListForm, Form()],
    viewer: Decider,
    session: Writing,
    services: ServicesOfApp,
    now: Now,
) -> Response:
    """Issue a list: a page to print, or a file."""
    list_request = _list_request(request, viewer, form.community, form.day, now)
    made = service.issue_list(
        session, list_request, form=form.form, vault=services.vault, settings=services.settings
    )
    if form.form == "print":
        return see_other(f"/outreach/lists/{made.list_id}/print")
    return sheet_response(made, form=form.form, language=list_request.language)


@router.get("/lists")
def find_list(
    number: Annotated[str, Query(max_length=20)], viewer: Decider, session: Reading
) -> Response:
    """Lead from the number on a sheet of paper to its form."""
    made = results.issued_list(session, viewer=viewer, list_id=number.strip())
    return see_other(f"/outreach/lists/{made.list_id}")


@router.get("/lists/{list_id}/print")
def print_list(
    *,
    list_id: ListId,
    request: Request,
    viewer: Decider,
    session: Writing,
    services: ServicesOfApp,
    now: Now,
) -> Response:
    """Show a list as it is printed; one that has expired shows nobody any more."""
    made = results.issued_list(session, viewer=viewer, list_id=list_id)
    context: dict[str, Any] = {
        "viewer": viewer,
        "made": made,
        "expired": made.expires_at <= now,
        "now": now,
    }
    if not context["expired"]:
        list_request = _list_request(request, viewer, made.community_id, made.day, now)
        rows = service.reopen_list(
            session,
            list_request,
            made=made,
            form="print",
            vault=services.vault,
            settings=services.settings,
        )
        context["published"] = service.is_published(session, made.day, settings=services.settings)
        context["grids"] = [
            (grid, [(position, row) for position, row in rows.items() if row.grid_id == grid])
            for grid in sorted({row.grid_id for row in rows.values()})
        ]
    return render_page(request, "print.html", context)


@router.get("/lists/{list_id}")
def show_list(
    *,
    list_id: ListId,
    request: Request,
    viewer: Decider,
    session: Writing,
    services: ServicesOfApp,
    now: Now,
) -> Response:
    """Show the form to enter what came back on paper."""
    return _entry_page(
        request, viewer, session, services, now, list_id=list_id, entered=NO_ENTRIES, form=None
    )


@router.post("/lists/{list_id}")
def enter_results(
    *,
    list_id: ListId,
    request: Request,
    form: Annotated[ResultsForm, Form()],
    viewer: Decider,
    session: Writing,
    services: ServicesOfApp,
    now: Now,
) -> Response:
    """Record the lines that can be recorded, then show the form with those that cannot, why, and as
    they were typed.
    """
    lines = {line["position"]: line for line in form.lines() if line["result"]}
    entries, refused = [], []
    for line in lines.values():
        try:
            entries.append(_entry(line, day=form.day, met_by=form.met_by))
        except ValueError as error:
            refused.append(_unusable_line(line, error))
    entered = NO_ENTRIES
    if entries:
        entered = results.record_entries(
            session,
            viewer=viewer,
            list_id=list_id,
            entries=entries,
            at=now,
            settings=services.settings,
        )
    entered = Entered(recorded=entered.recorded, refused=[*entered.refused, *refused])
    return _entry_page(
        request, viewer, session, services, now, list_id=list_id, entered=entered, form=form
    )


def _entry_page(
    request: Request,
    viewer: Viewer,
    session: Session,
    services: Services,
    now: datetime,
    *,
    list_id: str,
    entered: Entered,
    form: ResultsForm | None,
) -> Response:
    made = results.issued_list(session, viewer=viewer, list_id=list_id)
    listed = results.list_with_items(session, viewer=viewer, list_id=list_id, at=now)
    list_request = _list_request(request, viewer, made.community_id, made.day, now)
    rows = service.reopen_list(
        session,
        list_request,
        made=made,
        form="entry",
        vault=services.vault,
        settings=services.settings,
    )
    context = {
        "viewer": viewer,
        "made": listed,
        "names": {position: row.name for position, row in rows.items()},
        "entered": entered,
        "refused": {one.position: one for one in entered.refused},
        "form": form,
        "typed": {line["position"]: line for line in form.lines()} if form else {},
    }
    return render_page(request, "outreach_results.html", context)


def _entry(line: dict[str, str], *, day: date, met_by: str) -> NewEntry:
    """Return a line of the form as an entry; raises ValueError for what cannot be used."""
    found_at = datetime.combine(day, time.fromisoformat(line["at"]), SHANGHAI)
    fields = {name: value for name, value in line.items() if name != "at" and value}
    return NewEntry.model_validate(
        fields | {"found_at": found_at, "met_by": met_by.strip() or None}
    )


def _unusable_line(line: dict[str, str], error: ValueError) -> Refused:
    problem = form_problem(error)
    if not line["position"].isdecimal():
        raise problem from None
    remedy = (
        problem.remedy
        if isinstance(error, ValidationError)
        else N_("Write the time of the visit, such as 14:30.")
    )
    return Refused(position=int(line["position"]), detail=str(problem), remedy=remedy, current=None)


def _list_request(
    request: Request, viewer: Viewer, community: str, day: date, now: datetime
) -> ListRequest:
    return ListRequest(
        viewer=viewer, community_id=community, day=day, at=now, language=language_of(request)
    )


def _usual_day(session: Session, now: datetime) -> date:
    try:
        return service.latest_day_with_list(session)
    except ProblemError:
        return now.astimezone(SHANGHAI).date()
