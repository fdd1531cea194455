"""The pages of coming in and going out."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import BaseModel, Field

from serving.auth import COOKIE, Role, Viewer, allow, require_same_origin
from serving.dependencies import Now, Services, ServicesOfApp, Writing
from serving.users.service import TokenKind, end_session, open_session
from serving.web.templating import render, see_other

__all__ = ["router"]

router = APIRouter()
Reader = Annotated[Viewer, Depends(allow(*Role))]


class LoginForm(BaseModel):
    """What the login page sends."""

    token: Annotated[str, Field(max_length=200)]


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
    response = see_other("/login")
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
    response = see_other("/")
    response.set_cookie(
        COOKIE,
        opened,
        max_age=int(lifetime.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=services.settings.secure_cookies,
    )
    return response
