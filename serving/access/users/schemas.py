"""What the API says about users and their tokens."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from serving.http.fields import Code
from serving.http.paging import Cursor, Limit
from serving.vocabulary.roles import Role

__all__ = [
    "NAME_PATTERN",
    "Communities",
    "Invitation",
    "IssuedToken",
    "Me",
    "Name",
    "NewToken",
    "NewUser",
    "StoredName",
    "Token",
    "TokenName",
    "TokenPage",
    "User",
    "UserChanges",
    "UserPage",
    "UserQuery",
    "UserWithToken",
]

NAME_PATTERN = r"^[\w.@+-]{1,60}$"
Name = Annotated[str, Field(pattern=NAME_PATTERN, examples=["li.wei"])]
# What is stored is shown as it is, whatever may be written today
StoredName = Annotated[str, Field(examples=["li.wei"])]
TokenName = Annotated[
    str,
    Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]+$", examples=["message gateway"]),
]
Communities = Annotated[list[Code], Field(max_length=200, examples=[["C01"]])]


class NewUser(BaseModel):
    """A user to be added."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Name, Field(examples=["wang.fang"])]
    role: Annotated[Role, Field(examples=["officer"])]
    communities: Communities = []


class UserChanges(BaseModel):
    """What is to be changed of a user; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    role: Annotated[Role | None, Field(examples=["officer"])] = None
    communities: Annotated[
        Communities | None,
        Field(description="All of them, not only the new ones.", examples=[["C01"]]),
    ] = None
    disabled: Annotated[
        bool | None, Field(description="True disables at once, false lets in again.")
    ] = None


class User(BaseModel):
    """A user as an administrator sees them."""

    name: StoredName
    role: Annotated[Role, Field(examples=["officer"])]
    communities: Annotated[list[str], Field(examples=[["C01"]])]
    created_at: datetime
    disabled_at: datetime | None
    has_password: Annotated[bool, Field(examples=[True])]
    from_provider: Annotated[
        bool, Field(description="Comes in through the identity provider.", examples=[False])
    ]
    last_seen_at: Annotated[datetime | None, Field(description="To the minute.")]


class UserPage(BaseModel):
    """A page of users; ``next_cursor`` is null on the last one."""

    items: list[User]
    next_cursor: str | None


class UserQuery(BaseModel):
    """A page of users by name: which ones, after whom."""

    model_config = ConfigDict(extra="forbid")

    role: Role | None = None
    active: Annotated[
        bool | None, Field(description="Whether they may come in; leave it out for both.")
    ] = None
    limit: Limit = 50
    cursor: Cursor = None


class UserWithToken(User):
    """A new user; the token is shown this once."""

    token: Annotated[str, Field(examples=["fst_4Jm…"])]


class Invitation(BaseModel):
    """A link with which a user chooses a password; it works once and is shown this once."""

    path: Annotated[str, Field(examples=["/login?token=fst_4Jm…"])]
    expires_at: datetime


class NewToken(BaseModel):
    """A machine's token to be issued."""

    model_config = ConfigDict(extra="forbid")

    name: TokenName
    days: Annotated[int, Field(ge=1, le=3650, examples=[90])] = 90
    role: Annotated[
        Role | None, Field(description="An administrator's token may act as another role.")
    ] = None
    read_only: Annotated[bool, Field(description="Such a token can change nothing.")] = False
    manages: Annotated[
        bool, Field(description="Such a token may give out users and tokens, where its role may.")
    ] = False


class Token(BaseModel):
    """A machine's token, without its secret."""

    id: Annotated[int, Field(examples=[12])]
    user: StoredName
    name: Annotated[str, Field(examples=["message gateway"])]
    role: Annotated[Role, Field(examples=["analyst"])]
    read_only: Annotated[bool, Field(examples=[True])]
    manages: Annotated[bool, Field(examples=[False])]
    created_at: datetime
    expires_at: datetime
    last_used_at: Annotated[datetime | None, Field(description="To the minute.")]


class IssuedToken(Token):
    """A token that was just issued; the secret is shown this once."""

    secret: Annotated[str, Field(examples=["fst_4Jm…"])]


class Me(BaseModel):
    """Who the token belongs to; ``communities`` is null for who may see all."""

    name: StoredName
    role: Annotated[Role, Field(examples=["analyst"])]
    communities: list[str] | None


class TokenPage(BaseModel):
    """A page of tokens; ``next_cursor`` is null on the last one."""

    items: list[Token]
    next_cursor: str | None
