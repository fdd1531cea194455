"""The plain pages: the ranked alerts, one alert, the suspects, and the login."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from serving.alerts import service as alerts
from serving.alerts.schemas import AlertId
from serving.auth import COOKIE, Role, Viewer, allow, require_same_origin
from serving.dependencies import Now, Reading, Services, ServicesOfApp, Writing
from serving.dispositions import service as dispositions
from serving.dispositions.schemas import NewDisposition, Note, Result
from serving.errors import ProblemError
from serving.paging import Cursor
from serving.store import SuspectKind
from serving.suspects import service as suspects
from serving.suspects.schemas import SuspectKey
from serving.talks.service import talk_script
from serving.users.service import TokenKind, end_session, open_session
from serving.watchlists.service import latest_day
from serving.web.templating import language_of, render

__all__ = ["router"]

router = APIRouter()
Reader = Annotated[Viewer, Depends(allow(*Role))]
SuspectReader = Annotated[Viewer, Depends(allow(*suspects.READERS))]
Revealer = Annotated[Viewer, Depends(allow(*suspects.REVEALERS))]
Decider = Annotated[Viewer, Depends(allow(Role.ANALYST, Role.OFFICER, Role.ADMIN))]

SUSPECTS_A_PAGE = 50


class LoginForm(BaseModel):
    """What the login page sends."""

    token: Annotated[str, Field(max_length=200)]


class DispositionForm(BaseModel):
    """What the form under an alert sends."""

    result: Result
    note: Note = ""
    version: Annotated[int, Field(ge=0)]
    snooze_days: Annotated[int, Field(ge=0, le=3650)] = 0


@router.get("/")
def show_queue(request: Request, viewer: Reader, session: Reading) -> Response:
    """Show the alerts of the latest list's day, the most urgent first."""
    try:
        watchlist = latest_day(session, viewer=viewer)
    except ProblemError:
        watchlist = None
    return render(request, "queue.html", {"viewer": viewer, "watchlist": watchlist})


@router.get("/alerts/{alert_id}")
def show_alert(
    *, alert_id: AlertId, request: Request, viewer: Reader, session: Reading, services: ServicesOfApp
) -> Response:
    """Show one alert: why, how sure, what to say, what was found."""
    alert = alerts.alert_detail(session, viewer=viewer, alert_id=alert_id)
    context = {
        "viewer": viewer,
        "alert": alert,
        "chart": alerts.chart_of(alert, language_of(request)),
        "talk": talk_script(alert.scam_type),
        "published": suspects.published(session, keys=[*alert.suspect_numbers, *alert.suspect_accounts])
        if viewer.role in suspects.READERS
        else frozenset(),
        "act_by": alert.issued_at + timedelta(minutes=services.settings.act_within_minutes[alert.level]),
        "may_decide": viewer.role is not Role.ENGINEER,
    }
    return render(request, "alert.html", context)


@router.post("/alerts/{alert_id}/dispositions")
def decide(
    *,
    alert_id: AlertId,
    form: Annotated[DispositionForm, Form()],
    viewer: Decider,
    session: Writing,
    now: Now,
    services: ServicesOfApp,
) -> Response:
    """Record what was found and show the alert again."""
    new = NewDisposition(
        result=form.result,
        note=form.note,
        version=form.version,
        snoozed_until=now + timedelta(days=form.snooze_days) if form.snooze_days else None,
    )
    max_snooze = timedelta(days=services.settings.max_snooze_days)
    dispositions.dispose(session, viewer=viewer, alert_id=alert_id, new=new, at=now, max_snooze=max_snooze)
    return _see(f"/alerts/{alert_id}")


@router.get("/suspects")
def show_suspects(
    request: Request,
    viewer: SuspectReader,
    session: Reading,
    kind: SuspectKind = "number",
    cursor: Cursor = None,
) -> Response:
    """Show the latest suspect numbers or accounts, the likeliest first."""
    page = suspects.suspect_page(session, kind=kind, cursor=cursor, limit=SUSPECTS_A_PAGE)
    return render(request, "suspects.html", {"viewer": viewer, "page": page, "kind": kind, "continued": bool(cursor)})


@router.get("/suspects/{key}")
def show_suspect(key: SuspectKey, request: Request, viewer: SuspectReader, session: Reading) -> Response:
    """Show one suspect under its pseudonym."""
    return _suspect_page(request, viewer, session, key=key, value=None)


@router.post("/suspects/{key}")
def reveal_suspect(
    *,
    key: SuspectKey,
    request: Request,
    viewer: Revealer,
    session: Writing,
    services: ServicesOfApp,
    now: Now,
) -> Response:
    """Show one suspect with the number or account behind the pseudonym; audited."""
    revealed = suspects.reveal(session, viewer=viewer, key=key, vault=services.vault, at=now)
    return _suspect_page(request, viewer, session, key=key, value=revealed.value)


def _suspect_page(request: Request, viewer: Viewer, session: Session, *, key: str, value: str | None) -> Response:
    context = {
        "viewer": viewer,
        "suspect": suspects.suspect_detail(session, key=key),
        "named_by": alerts.alerts_naming(session, viewer=viewer, key=key),
        "value": value,
        "may_reveal": viewer.role in suspects.REVEALERS,
    }
    return render(request, "suspect.html", context)


@router.get("/login")
def show_login(
    request: Request, session: Writing, services: ServicesOfApp, now: Now, token: str | None = None
) -> Response:
    """Show the login, or exchange the token of a login link at once, so that it stays in no address bar."""
    if token is None:
        return render(request, "login.html", {"failed": False})
    return _log_in(request, session, services, now, secret=token, kinds=("login",))


@router.post("/login")
def log_in(
    request: Request, session: Writing, services: ServicesOfApp, now: Now, form: Annotated[LoginForm, Form()]
) -> Response:
    """Log in with a token."""
    require_same_origin(request)
    return _log_in(request, session, services, now, secret=form.token.strip(), kinds=("bearer", "login"))


@router.post("/logout")
def log_out(request: Request, viewer: Reader, session: Writing, now: Now) -> Response:
    """Log out."""
    end_session(session, secret=request.cookies.get(COOKIE, ""), at=now, actor=viewer.name)
    response = _see("/login")
    response.delete_cookie(COOKIE)
    return response


def _log_in(
    request: Request,
    session: Writing,
    services: Services,
    now: Now,
    *,
    secret: str,
    kinds: tuple[TokenKind, ...],
) -> Response:
    lifetime = services.settings.session_lifetime
    opened = open_session(session, secret=secret, kinds=kinds, at=now, lifetime=lifetime)
    if opened is None:
        return render(request, "login.html", {"failed": True}, status=HTTPStatus.UNAUTHORIZED)
    response = _see("/")
    response.set_cookie(
        COOKIE,
        opened,
        max_age=int(lifetime.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=services.settings.secure_cookies,
    )
    return response


def _see(path: str) -> RedirectResponse:
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)
