"""The pages on which an administrator manages users."""

import re
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.orm import Session

from serving.access.auth import allow_managers, allow_roles, require_login
from serving.access.dependencies import Now, Reading, Services, ServicesOfApp, Writing
from serving.access.users import lockout, service, tokens
from serving.access.users.endpoints import TokenId, UserName
from serving.access.users.schemas import Name, NewToken, UserChanges
from serving.database.audit_chain import record_action
from serving.http.errors import ProblemError
from serving.presentation.templating import render_page, see_other
from serving.vocabulary.roles import Role, Viewer
from serving.web.accounts.account import TokenForm

__all__ = ["router"]

router = APIRouter(prefix="/users")
Admin = Annotated[Viewer, Depends(allow_roles(Role.ADMIN))]
Manager = Annotated[Viewer, Depends(allow_managers(Role.ADMIN))]
CommunityCodes = Annotated[str, Field(max_length=4000)]


class UserForm(BaseModel):
    """What the forms of users send; communities are apart by spaces or commas."""

    role: Role
    communities: CommunityCodes = ""


class NewUserForm(UserForm):
    """What the form of a new user sends."""

    name: Name


@router.get("")
def show_users(request: Request, viewer: Admin, session: Reading) -> Response:
    """Show the users by name."""
    context = {"viewer": viewer, "users": service.list_users(session), "roles": list(Role)}
    return render_page(request, "users.html", context)


@router.post("")
def add_user(
    *,
    request: Request,
    viewer: Manager,
    session: Writing,
    services: ServicesOfApp,
    now: Now,
    form: Annotated[NewUserForm, Form()],
) -> Response:
    """Add a user and show the link with which they choose a password, this once."""
    require_login(viewer)
    communities = _changes(form).communities or []
    service.create_user(
        session, name=form.name, role=form.role, communities=communities, at=now, actor=viewer.name
    )
    return _invited(request, viewer, session, services, now, name=form.name)


@router.get("/{name}")
def show_user(
    *,
    request: Request,
    name: UserName,
    viewer: Admin,
    session: Reading,
    services: ServicesOfApp,
    now: Now,
) -> Response:
    """Show one user."""
    return _user_page(request, viewer, session, services, now, name=name)


@router.post("/{name}")
def change_user(
    name: UserName, viewer: Manager, session: Writing, now: Now, form: Annotated[UserForm, Form()]
) -> Response:
    """Change a user's role and communities."""
    service.change_user(
        session, name=name, changes=_changes(form), at=now, actor=viewer.name, by=viewer
    )
    return see_other(f"/users/{name}")


@router.post("/{name}/disable")
def disable_user(name: UserName, viewer: Admin, session: Writing, now: Now) -> Response:
    """Disable a user at once."""
    service.disable_user(session, name=name, at=now, actor=viewer.name)
    return see_other(f"/users/{name}")


@router.post("/{name}/restore")
def restore_user(name: UserName, viewer: Manager, session: Writing, now: Now) -> Response:
    """Let a user in again."""
    changes = UserChanges(disabled=False)
    service.change_user(session, name=name, changes=changes, at=now, actor=viewer.name, by=viewer)
    return see_other(f"/users/{name}")


@router.post("/{name}/invitation")
def invite_user(
    *,
    request: Request,
    name: UserName,
    viewer: Manager,
    session: Writing,
    services: ServicesOfApp,
    now: Now,
) -> Response:
    """Take a user's password and tokens, and show the link for a new password, this once."""
    return _invited(request, viewer, session, services, now, name=name)


@router.post("/{name}/unlock")
def unlock_user(
    name: UserName, viewer: Manager, session: Writing, services: ServicesOfApp, now: Now
) -> Response:
    """Let a user try again who failed to log in too often."""
    service.get_user(session, name=name)
    for guard in _guards(services, name):
        lockout.clear_failures(session, guard)
    record_action(session, at=now, actor=viewer.name, action="user-unlocked", subject=name)
    return see_other(f"/users/{name}")


@router.post("/{name}/factor/remove")
def remove_factor(name: UserName, viewer: Manager, session: Writing, now: Now) -> Response:
    """Remove the second factor of a user whose device is lost; their sessions end."""
    require_login(viewer)
    service.reset_factor(session, name=name, at=now, actor=viewer.name)
    return see_other(f"/users/{name}")


@router.post("/{name}/tokens")
def issue_token(
    *,
    request: Request,
    name: UserName,
    viewer: Manager,
    session: Writing,
    services: ServicesOfApp,
    now: Now,
    form: Annotated[TokenForm, Form()],
) -> Response:
    """Issue a token for a machine and show its secret, this once."""
    longest = timedelta(days=services.settings.token_days)
    new = NewToken(**form.model_dump())
    issued = tokens.issue_machine_token(
        session, user=name, new=new, longest=longest, at=now, actor=viewer.name, by=viewer
    )
    return _user_page(request, viewer, session, services, now, name=name, issued=issued)


@router.post("/{name}/tokens/{token_id}/revoke")
def revoke_token(
    name: UserName, token_id: TokenId, viewer: Admin, session: Writing, now: Now
) -> Response:
    """Revoke one of a user's tokens."""
    tokens.revoke_machine_token(session, token_id=token_id, owner=name, at=now, actor=viewer.name)
    return see_other(f"/users/{name}")


def _changes(form: UserForm) -> UserChanges:
    codes = [code for code in re.split(r"[\s,，、;；]+", form.communities) if code]
    try:
        return UserChanges(role=form.role, communities=codes if form.role is Role.OFFICER else [])
    except ValidationError:
        raise ProblemError(
            422,
            "A community code cannot be used.",
            remedy="Write the codes with a space between them.",
        ) from None


def _invited(
    request: Request, viewer: Viewer, session: Session, services: Services, now: Now, *, name: str
) -> Response:
    require_login(viewer)
    lifetime = timedelta(hours=services.settings.invitation_hours)
    invitation = service.invite_user(
        session, name=name, lifetime=lifetime, at=now, actor=viewer.name
    )
    base = services.settings.public_url or str(request.base_url)
    link = base.rstrip("/") + invitation.path
    return _user_page(
        request, viewer, session, services, now, name=name, link=link, until=invitation.expires_at
    )


def _user_page(
    request: Request,
    viewer: Viewer,
    session: Session,
    services: Services,
    now: Now,
    *,
    name: str,
    **shown: Any,
) -> Response:
    user = service.get_user(session, name=name)
    context = {
        "viewer": viewer,
        "user": user,
        "tokens": tokens.list_tokens(session, user=name, at=now),
        "locked": any(
            lockout.is_locked(session, guard, at=now) for guard in _guards(services, name)
        ),
        "roles": list(Role),
        "token_roles": [role for role in Role if role is not Role.OFFICER]
        if user.role is Role.ADMIN
        else [],
        "link": None,
        "issued": None,
        "has_factor": service.comes_with_factor(session, name=name),
    }
    return render_page(request, "user.html", context | shown)


def _guards(services: Services, name: str) -> tuple[lockout.Guard, lockout.Guard]:
    """Return the guards of a user's password and second factor."""
    account, _ = lockout.guards_of(services.settings, name=name, address="")
    code, _ = lockout.guards_of_code(services.settings, name=name, address="")
    return account, code
