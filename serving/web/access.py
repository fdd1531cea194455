"""The pages of coming in and going out."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import BaseModel, Field

from serving.auth import COOKIE, Role, Viewer, allow, require_same_origin
from serving.database import writing
from serving.dependencies import Now, Services, ServicesOfApp, Writing
from serving.errors import ProblemError
from serving.users.passwords import MAX_LENGTH
from serving.users.sessions import Opened, end_session, log_in, open_session
from serving.users.tokens import TokenKind
from serving.web.templating import render, see_other

__all__ = ["address_of", "router", "with_cookie"]

router = APIRouter()
Reader = Annotated[Viewer, Depends(allow(*Role))]
Typed = Annotated[str, Field(max_length=MAX_LENGTH)]


class LoginForm(BaseModel):
    """What the login page sends: a name with a password, or a token."""

    name: Typed = ""
    password: Typed = ""
    token: Typed = ""


@router.get("/login")
def show_login(request: Request, services: ServicesOfApp, now: Now, token: str | None = None) -> Response:
    """Show the login, or exchange the token of a link at once, so that it stays in no address bar."""
    if token is None:
        return _login_page(request, services)
    return _come_in_by_token(request, services, now, secret=token, kinds=("login", "invitation"))


@router.post("/login")
def come_in(request: Request, services: ServicesOfApp, now: Now, form: Annotated[LoginForm, Form()]) -> Response:
    """Log in with a name and a password, or with a token."""
    require_same_origin(request)
    if form.token:
        return _come_in_by_token(request, services, now, secret=form.token.strip(), kinds=("bearer", "login"))
    try:
        opened = log_in(
            services.engine,
            settings=services.settings,
            name=form.name.strip(),
            password=form.password,
            address=address_of(request),
            at=now,
        )
    except ProblemError as problem:
        return _login_page(request, services, problem)
    return with_cookie(see_other("/account" if opened.renewing else "/"), opened, services)


@router.post("/logout")
def log_out(request: Request, viewer: Reader, session: Writing, now: Now) -> Response:
    """Log out."""
    end_session(session, secret=request.cookies.get(COOKIE, ""), at=now, actor=viewer.name)
    response = see_other("/login")
    response.delete_cookie(COOKIE)
    return response


def with_cookie(response: Response, opened: Opened, services: Services) -> Response:
    """Let ``response`` bring the cookie of a session that was opened."""
    response.set_cookie(
        COOKIE,
        opened.secret,
        max_age=int(services.settings.session_lifetime.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=services.settings.secure_cookies,
    )
    return response


def address_of(request: Request) -> str:
    """Return where a request comes from, as far as the server or its trusted proxy can tell."""
    return request.client.host if request.client else ""


def _come_in_by_token(
    request: Request, services: Services, now: Now, *, secret: str, kinds: tuple[TokenKind, ...]
) -> Response:
    with writing(services.engine) as session:
        opened = open_session(
            session,
            secret=secret,
            kinds=kinds,
            settings=services.settings,
            at=now,
            address=address_of(request),
        )
    if opened is None:
        problem = ProblemError(
            401, "This token is unknown, used up or expired.", remedy="Ask an administrator for a new one."
        )
        return _login_page(request, services, problem)
    target = "/account" if opened.renewing else "/"
    return with_cookie(_sent_on(request, target), opened, services)


def _sent_on(request: Request, target: str) -> Response:
    """Send the browser on to ``target``.

    Who follows a link on another site's page gets a page of ours first: the browser would keep our strict cookie from a
    redirect that began elsewhere.
    """
    if request.headers.get("sec-fetch-site") == "cross-site":
        return render(request, "arrived.html", {"target": target})
    return see_other(target)


def _login_page(request: Request, services: Services, problem: ProblemError | None = None) -> Response:
    context = {"problem": problem, "provider": services.settings.oidc_issuer is not None}
    response = render(request, "login.html", context, status=problem.status if problem else HTTPStatus.OK)
    if problem:
        response.headers.update(problem.headers)
    return response
