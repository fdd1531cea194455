"""The pages of coming in and going out."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from pydantic import BaseModel, Field

from serving.access.auth import COOKIE, allow_roles, require_same_origin
from serving.access.dependencies import Now, Services, ServicesOfApp, Writing
from serving.access.users import oidc
from serving.access.users.factor_login import pass_factor
from serving.access.users.lockout import forgive_attempt
from serving.access.users.passwords import MAX_LENGTH
from serving.access.users.second_factor import makes_codes
from serving.access.users.sessions import (
    OpenedSession,
    count_arrival,
    end_session,
    log_in,
    note_refusal,
    open_for,
    open_session,
)
from serving.access.users.tokens import TokenKind
from serving.database.engine import write_transaction
from serving.http.errors import ProblemError
from serving.presentation.templating import render_page, see_other
from serving.vocabulary.roles import Role, Viewer

__all__ = ["CodeForm", "address_of", "router", "with_cookie"]

router = APIRouter()
Reader = Annotated[Viewer, Depends(allow_roles(*Role))]
Typed = Annotated[str, Field(max_length=MAX_LENGTH)]
QueryText = Annotated[str, Query(max_length=2000)]
BEGUN_COOKIE = "forestall_begun"
BEGUN_FOR_S = 600


class LoginForm(BaseModel):
    """What the login page sends: a name with a password, a token, or that of a link."""

    name: Typed = ""
    password: Typed = ""
    token: Typed = ""
    link: Typed = ""


class CodeForm(BaseModel):
    """What the page of the second factor sends."""

    code: Annotated[str, Field(max_length=40)]


@router.get("/login")
def show_login(
    request: Request,
    services: ServicesOfApp,
    token: Annotated[str | None, Query(max_length=MAX_LENGTH)] = None,
) -> Response:
    """Show the login, or a button that uses the token of a link: who only looks at the link, as
    previews and scanners do, uses nothing up and leaves no trace.
    """
    if token is None:
        return _login_page(request, services)
    return render_page(request, "link.html", {"secret": token})


@router.post("/login")
def come_in(
    request: Request, services: ServicesOfApp, now: Now, form: Annotated[LoginForm, Form()]
) -> Response:
    """Log in with a name and a password, or with a token."""
    require_same_origin(request)
    if form.link:
        kinds: tuple[TokenKind, ...] = ("login", "invitation")
        return _come_in_by_token(request, services, now, secret=form.link, kinds=kinds)
    if form.token:
        secret = form.token.strip()
        return _come_in_by_token(request, services, now, secret=secret, kinds=("bearer", "login"))
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
    return with_cookie(see_other(opened.path), opened, services)


@router.get("/login/code")
def ask_for_code(request: Request) -> Response:
    """Show where the code of the second factor is typed."""
    return render_page(request, "code.html", {"problem": None})


@router.post("/login/code")
def come_in_by_code(
    request: Request, services: ServicesOfApp, now: Now, form: Annotated[CodeForm, Form()]
) -> Response:
    """Finish a login with the code of the second factor, or a recovery code."""
    require_same_origin(request)
    try:
        opened = pass_factor(
            services.engine,
            settings=services.settings,
            sealer=makes_codes(services.sealer),
            secret=request.cookies.get(COOKIE, ""),
            code=form.code,
            address=address_of(request),
            at=now,
        )
    except ProblemError as problem:
        page = render_page(request, "code.html", {"problem": problem}, status=problem.status)
        page.headers.update(problem.headers)
        return page
    return with_cookie(see_other(opened.path), opened, services)


@router.get("/login/provider")
def go_to_provider(services: ServicesOfApp) -> Response:
    """Send the browser to the identity provider, with a cookie that only this login can be finished
    with.
    """
    address, pending = oidc.begin_login(services.settings)
    response = see_other(address)
    response.set_cookie(
        BEGUN_COOKIE,
        pending.as_cookie(),
        max_age=BEGUN_FOR_S,
        path=oidc.CALLBACK,
        httponly=True,
        samesite="lax",  # the way back begins at the provider
        secure=services.settings.secure_cookies,
    )
    return response


@router.get(oidc.CALLBACK)
def come_back_from_provider(
    *,
    request: Request,
    services: ServicesOfApp,
    now: Now,
    state: QueryText = "",
    code: QueryText = "",
    error: QueryText = "",
) -> Response:
    """Finish a login that the identity provider has vouched for."""
    try:
        opened = _vouched_for(request, services, now, state=state, code="" if error else code)
    except ProblemError as problem:
        return _login_page(request, services, _noted(request, services, now, problem))
    response = with_cookie(_sent_on(request, "/"), opened, services)
    response.delete_cookie(BEGUN_COOKIE, path=oidc.CALLBACK)
    return response


@router.post("/logout")
def log_out(request: Request, viewer: Reader, session: Writing, now: Now) -> Response:
    """Log out."""
    end_session(session, secret=request.cookies.get(COOKIE, ""), at=now, actor=viewer.name)
    response = see_other("/login")
    response.delete_cookie(COOKIE)
    return response


def with_cookie(response: Response, opened: OpenedSession, services: Services) -> Response:
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


def _vouched_for(
    request: Request, services: Services, now: Now, *, state: str, code: str
) -> OpenedSession:
    pending = oidc.PendingLogin.of_cookie(request.cookies.get(BEGUN_COOKIE, ""))
    who = oidc.finish_login(services.settings, pending=pending, state=state, code=code, at=now)
    with write_transaction(services.engine) as session:
        user = oidc.user_for_identity(session, who, at=now)
        return open_for(
            session,
            user=user,
            settings=services.settings,
            by="provider",
            address=address_of(request),
            at=now,
        )


def _noted(request: Request, services: Services, now: Now, problem: ProblemError) -> ProblemError:
    """Audit that the provider vouched for nobody; return what is said of it, which is to wait where
    an address has tried too often.
    """
    address = address_of(request)
    try:
        count_arrival(services.engine, settings=services.settings, address=address, at=now)
    except ProblemError as too_many:
        return too_many
    with write_transaction(services.engine) as session:
        note_refusal(session, by="provider", address=address, at=now)
    return problem


def _come_in_by_token(
    request: Request, services: Services, now: Now, *, secret: str, kinds: tuple[TokenKind, ...]
) -> Response:
    address = address_of(request)
    try:
        guard = count_arrival(services.engine, settings=services.settings, address=address, at=now)
    except ProblemError as too_many:
        return _login_page(request, services, too_many)
    try:
        with write_transaction(services.engine) as session:
            opened = open_session(
                session,
                secret=secret,
                kinds=kinds,
                settings=services.settings,
                at=now,
                address=address,
            )
            if opened is not None:
                forgive_attempt(session, guard)
    except ProblemError as refused:
        return _login_page(request, services, refused)
    if opened is None:
        problem = ProblemError(
            401,
            "This token is unknown, used up or expired.",
            remedy="Ask an administrator for a new one.",
        )
        return _login_page(request, services, problem)
    return with_cookie(_sent_on(request, opened.path), opened, services)


def _sent_on(request: Request, target: str) -> Response:
    """Send the browser on to ``target``.

    Who follows a link on another site's page gets a page of ours first: the browser would keep our
    strict cookie from a redirect that began elsewhere.
    """
    if request.headers.get("sec-fetch-site") == "cross-site":
        return render_page(request, "arrived.html", {"target": target})
    return see_other(target)


def _login_page(
    request: Request, services: Services, problem: ProblemError | None = None
) -> Response:
    context = {"problem": problem, "provider": services.settings.oidc_issuer is not None}
    response = render_page(
        request, "login.html", context, status=problem.status if problem else HTTPStatus.OK
    )
    if problem:
        response.headers.update(problem.headers)
    return response
