"""What the API says about users."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from serving.alerts.schemas import Code
from serving.auth import Role

__all__ = ["Me", "Name", "NewUser", "User", "UserWithToken"]

Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[\w.@-]+$", examples=["li.wei"])]


class NewUser(BaseModel):
    """A user to be added."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    role: Annotated[Role, Field(examples=["officer"])]
    communities: Annotated[list[Code], Field(max_length=200, examples=[["C01"]])] = []


class User(BaseModel):
    """A user as an administrator sees them."""

    name: Name
    role: Annotated[Role, Field(examples=["officer"])]
    communities: Annotated[list[str], Field(examples=[["C01"]])]
    created_at: datetime
    disabled_at: datetime | None


class UserWithToken(User):
    """A new user; the token is shown this once."""

    token: Annotated[str, Field(examples=["fst_4Jm…"])]


class Me(BaseModel):
    """Who the token belongs to; ``communities`` is null for who may see all."""

    name: Name
    role: Annotated[Role, Field(examples=["analyst"])]
    communities: list[str] | None
