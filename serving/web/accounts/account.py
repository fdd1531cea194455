"""The page of one's own account: password and machines' tokens."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import BaseModel, Field

from serving.access.auth import (
    COOKIE,
    allow_enrolment,
    allow_own_credentials,
    allow_own_tokens,
    allow_renewal,
    allow_roles,
)
from serving.access.dependencies import Now, Services, ServicesOfApp, Writing
from serving.access.repository import UserRepository
from serving.access.users import service, tokens
from serving.access.users.endpoints import TokenId
from serving.access.users.factor_login import leave_factor, open_after_enrolment
from serving.access.users.passwords import MAX_LENGTH
from serving.access.users.schemas import NewToken, TokenName
from serving.access.users.second_factor import (
    begin_enrolment,
    confirm_enrolment,
    has_factor,
    is_required,
    makes_codes,
    new_recovery_codes,
    recovery_codes_left,
)
from serving.access.users.sessions import change_password, end_other_sessions
from serving.database.engine import read_transaction, write_transaction
from serving.http.errors import ProblemError
from serving.presentation.templating import render_page, see_other
from serving.vocabulary.roles import Role, Viewer
from serving.web.accounts.login import CodeForm, address_of, with_cookie

__all__ = ["router"]

router = APIRouter(prefix="/account")
Reader = Annotated[Viewer, Depends(allow_roles(*Role))]
Renewing = Annotated[Viewer, Depends(allow_renewal)]
Owner = Annotated[Viewer, Depends(allow_own_credentials)]
Issuer = Annotated[Viewer, Depends(allow_own_tokens)]
Enroller = Annotated[Viewer, Depends(allow_enrolment)]
Password = Annotated[str, Field(max_length=MAX_LENGTH)]


class PasswordForm(BaseModel):
    """What the form of the password sends; ``current`` stays empty where there is none yet."""

    current: Password = ""
    new: Password
    again: Password
    keeps_tokens: bool = False


class TokenForm(BaseModel):
    """What the form of a new token sends."""

    name: TokenName
    days: Annotated[int, Field(ge=1, le=3650)] = 90
    role: Annotated[Role | None, Field()] = None
    read_only: bool = False
    manages: bool = False


@router.get("")
def show_account(request: Request, viewer: Renewing, services: ServicesOfApp, now: Now) -> Response:
    """Show one's account, or only the choice of a password to who came with an invitation or an
    expired one.
    """
    return _account_page(request, viewer, services, now)


@router.post("/password")
def choose_password(
    request: Request,
    viewer: Owner,
    services: ServicesOfApp,
    now: Now,
    form: Annotated[PasswordForm, Form()],
) -> Response:
    """Change one's password; every other session of the user ends."""
    if viewer.enrolling:
        raise ProblemError(403, "Set up the second factor first.", remedy="It is on this page.")
    try:
        _require_typed_twice(form)
        opened = change_password(
            services.engine,
            settings=services.settings,
            name=viewer.name,
            current=None if viewer.renewing else form.current,
            new=form.new,
            keeps_tokens=form.keeps_tokens,
            address=address_of(request),
            at=now,
        )
    except ProblemError as problem:
        return _account_page(request, viewer, services, now, problem=problem)
    return with_cookie(see_other(opened.path), opened, services)


@router.post("/factor")
def set_up_factor(
    request: Request, viewer: Enroller, services: ServicesOfApp, now: Now
) -> Response:
    """Show the secret of a second factor for one's device, this once."""
    sealer = makes_codes(services.sealer)
    with write_transaction(services.engine) as session:
        user = UserRepository(session).by_name(viewer.name)
        assert user is not None  # noqa: S101 -- who has come in is there
        enrolment = begin_enrolment(session, user, sealer=sealer)
    return _account_page(request, viewer, services, now, enrolment=enrolment)


@router.post("/factor/confirm")
def confirm_factor(
    request: Request,
    viewer: Enroller,
    services: ServicesOfApp,
    now: Now,
    form: Annotated[CodeForm, Form()],
) -> Response:
    """Let the second factor count once its device has shown a code; show the recovery codes, this
    once.
    """
    sealer, (codes, hashes) = makes_codes(services.sealer), new_recovery_codes()
    opened = None
    with write_transaction(services.engine) as session:
        user = UserRepository(session).by_name(viewer.name)
        assert user is not None  # noqa: S101 -- who has come in is there
        again = confirm_enrolment(
            session, user, code=form.code, hashes=hashes, sealer=sealer, at=now
        )
        if again is None and viewer.enrolling:
            secret = request.cookies.get(COOKIE, "")
            opened = open_after_enrolment(
                session, settings=services.settings, secret=secret, user=user, at=now
            )
    if again is not None:
        problem = ProblemError(422, "This code is not right.", remedy="Type the one it shows now.")
        return _account_page(request, viewer, services, now, problem=problem, enrolment=again)
    viewer = replace(viewer, renewing=False, enrolling=False)
    page = _account_page(request, viewer, services, now, codes=codes)
    return with_cookie(page, opened, services) if opened else page


@router.post("/factor/remove")
def remove_own_factor(
    request: Request,
    _reader: Reader,
    viewer: Owner,
    services: ServicesOfApp,
    now: Now,
    form: Annotated[CodeForm, Form()],
) -> Response:
    """Remove one's second factor with one of its codes, where the role does without."""
    try:
        leave_factor(
            services.engine,
            settings=services.settings,
            sealer=makes_codes(services.sealer),
            name=viewer.name,
            code=form.code,
            address=address_of(request),
            at=now,
        )
    except ProblemError as problem:
        return _account_page(request, viewer, services, now, problem=problem)
    return see_other("/account")


@router.post("/sessions")
def log_out_elsewhere(request: Request, viewer: Reader, session: Writing, now: Now) -> Response:
    """End every other session of the user."""
    end_other_sessions(session, name=viewer.name, secret=request.cookies.get(COOKIE, ""), at=now)
    return see_other("/account")


@router.post("/tokens")
def issue_token(
    request: Request,
    _reader: Reader,
    viewer: Issuer,
    services: ServicesOfApp,
    now: Now,
    form: Annotated[TokenForm, Form()],
) -> Response:
    """Issue a token for a machine and show its secret, this once."""
    longest = timedelta(days=services.settings.token_days)
    new = NewToken(**form.model_dump())
    try:
        with write_transaction(services.engine) as session:
            issued = tokens.issue_machine_token(
                session,
                user=viewer.name,
                new=new,
                longest=longest,
                at=now,
                actor=viewer.name,
                by=viewer,
            )
    except ProblemError as problem:
        return _account_page(request, viewer, services, now, problem=problem)
    return _account_page(request, viewer, services, now, issued=issued)


@router.post("/tokens/{token_id}/revoke")
def revoke_token(token_id: TokenId, viewer: Reader, session: Writing, now: Now) -> Response:
    """Revoke one of one's own tokens."""
    tokens.revoke_machine_token(
        session, token_id=token_id, owner=viewer.name, at=now, actor=viewer.name
    )
    return see_other("/account")


def _require_typed_twice(form: PasswordForm) -> None:
    if form.new != form.again:
        raise ProblemError(422, "The two new passwords differ.", remedy="Type the same one twice.")


def _account_page(
    request: Request,
    viewer: Viewer,
    services: Services,
    now: Now,
    problem: ProblemError | None = None,
    **shown: Any,
) -> Response:
    with read_transaction(services.engine) as session:
        row = UserRepository(session).by_name(viewer.name)
        assert row is not None  # noqa: S101 -- who has come in is there
        context: Mapping[str, Any] = {
            "viewer": None if viewer.renewing else viewer,  # who renews has nowhere else to go
            "renewing": viewer.renewing,
            "user": service.get_user(session, name=viewer.name),
            "tokens": tokens.list_tokens(session, user=viewer.name, at=now),
            "settings": services.settings,
            "roles": [role for role in Role if role is not Role.OFFICER]
            if viewer.role is Role.ADMIN
            else [],
            "problem": problem,
            "issued": None,
            "enrolling": viewer.enrolling,
            "enrolment": None,
            "codes": [],
            "has_factor": has_factor(session, row),
            "codes_left": recovery_codes_left(session, row),
            "factor_required": is_required(services.settings, row),
            "may_enrol": services.sealer is not None and viewer.manages and viewer.token is None,
        }
    return render_page(
        request,
        "account.html",
        {**context, **shown},
        status=problem.status if problem else HTTPStatus.OK,
    )
