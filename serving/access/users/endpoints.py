"""The API of users and tokens: an administrator's, but for each user's own."""

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Path, Query

from serving.access.auth import allow_managers, allow_roles, require_login
from serving.access.dependencies import Now, Reading, ServicesOfApp, Writing
from serving.access.users import service, tokens
from serving.access.users.schemas import (
    Invitation,
    IssuedToken,
    Me,
    Name,
    NewToken,
    NewUser,
    TokenPage,
    User,
    UserChanges,
    UserPage,
    UserQuery,
    UserWithToken,
)
from serving.http.paging import Cursor, Limit
from serving.http.routing import ApiRouter
from serving.vocabulary.roles import Role, Viewer

__all__ = ["router"]

router = ApiRouter(tags=["users"])
Admin = Annotated[Viewer, Depends(allow_roles(Role.ADMIN))]
Manager = Annotated[Viewer, Depends(allow_managers(Role.ADMIN))]
AnyUser = Annotated[Viewer, Depends(allow_roles(*Role))]
UserName = Annotated[
    str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$", examples=["li.wei"])
]
TokenId = Annotated[int, Path(ge=1, lt=2**31, examples=[12])]


@router.get("/me")
def who_am_i(viewer: AnyUser) -> Me:
    """Say who the token belongs to and what they may see."""
    return Me(
        name=viewer.name, role=viewer.role, communities=sorted(viewer.communities or ()) or None
    )


@router.get("/users")
def list_users(query: Annotated[UserQuery, Query()], _viewer: Admin, session: Reading) -> UserPage:
    """List the users by name."""
    return service.user_page(session, query=query)


@router.post("/users", status_code=201)
def add_user(new: NewUser, viewer: Manager, session: Writing, now: Now) -> UserWithToken:
    """Add a user; the token in the answer is shown this once."""
    return service.add_user_from(session, new=new, at=now, by=viewer)


@router.get("/users/{name}")
def get_user(name: UserName, _viewer: Admin, session: Reading) -> User:
    """Return one user."""
    return service.get_user(session, name=name)


@router.patch("/users/{name}")
def change_user(
    name: UserName, changes: UserChanges, viewer: Manager, session: Writing, now: Now
) -> User:
    """Change a user's role, communities, or whether they may come in."""
    return service.change_user(
        session, name=name, changes=changes, at=now, actor=viewer.name, by=viewer
    )


@router.delete("/users/{name}", status_code=204)
def revoke_user(name: UserName, viewer: Admin, session: Writing, now: Now) -> None:
    """Disable a user at once, with every token they hold."""
    service.disable_user(session, name=name, at=now, actor=viewer.name)


@router.post("/users/{name}/invitation", status_code=201)
def invite_user(
    name: UserName, viewer: Manager, session: Writing, services: ServicesOfApp, now: Now
) -> Invitation:
    """Take a user's password and tokens, and return the path of a link, shown this once, with which
    they choose a new password. No token does this.
    """
    require_login(viewer)
    lifetime = timedelta(hours=services.settings.invitation_hours)
    return service.invite_user(session, name=name, lifetime=lifetime, at=now, actor=viewer.name)


@router.post("/users/{name}/tokens", status_code=201)
def issue_token(
    *,
    name: UserName,
    new: NewToken,
    viewer: Manager,
    session: Writing,
    services: ServicesOfApp,
    now: Now,
) -> IssuedToken:
    """Issue a token for a machine; its secret is shown this once."""
    longest = timedelta(days=services.settings.token_days)
    return tokens.issue_machine_token(
        session, user=name, new=new, longest=longest, at=now, actor=viewer.name, by=viewer
    )


@router.get("/tokens")
def list_tokens(
    *,
    viewer: AnyUser,
    session: Reading,
    now: Now,
    user: Annotated[
        Name | None, Query(description="Only an administrator sees those of others.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> TokenPage:
    """List the machines' tokens that are good: one's own, to an administrator those of all."""
    shown = user if viewer.role is Role.ADMIN else viewer.name
    return tokens.token_page(session, user=shown, at=now, cursor=cursor, limit=limit)


@router.delete("/tokens/{token_id}", status_code=204)
def revoke_token(token_id: TokenId, viewer: AnyUser, session: Writing, now: Now) -> None:
    """Revoke a machine's token: one's own, or as an administrator anybody's."""
    owner = None if viewer.role is Role.ADMIN else viewer.name
    tokens.revoke_machine_token(session, token_id=token_id, owner=owner, at=now, actor=viewer.name)
