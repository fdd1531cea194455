"""The API of users, for administrators."""

from typing import Annotated

from fastapi import Depends, Path

from serving.auth import Role, Viewer, allow
from serving.dependencies import Now, Reading, Writing
from serving.routing import ApiRouter
from serving.users import service
from serving.users.schemas import Me, Name, NewUser, User, UserWithToken

__all__ = ["router"]

router = ApiRouter(tags=["users"])
Admin = Annotated[Viewer, Depends(allow(Role.ADMIN))]


@router.get("/me")
def who_am_i(viewer: Annotated[Viewer, Depends(allow(*Role))]) -> Me:
    """Say who the token belongs to and what they may see."""
    return Me(name=viewer.name, role=viewer.role, communities=sorted(viewer.communities or ()) or None)


@router.get("/users")
def list_users(_viewer: Admin, session: Reading) -> list[User]:
    """List the users by name."""
    return service.list_users(session)


@router.post("/users", status_code=201)
def add_user(new: NewUser, viewer: Admin, session: Writing, now: Now) -> UserWithToken:
    """Add a user; the token in the answer is shown this once."""
    return service.add_user_from(session, new=new, at=now, actor=viewer.name)


@router.delete("/users/{name}", status_code=204)
def revoke_user(name: Annotated[Name, Path()], viewer: Admin, session: Writing, now: Now) -> None:
    """Shut a user out at once, with every token they hold."""
    service.revoke_user(session, name=name, at=now, actor=viewer.name)
