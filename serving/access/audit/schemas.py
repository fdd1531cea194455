"""What the API says about the audit trail."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from serving.database.audit_chain import Action
from serving.http.fields import IsoDay
from serving.http.paging import Cursor, Limit

__all__ = ["AuditPage", "AuditQuery", "Entry"]

SearchText = Annotated[str | None, Field(max_length=200)]


class Entry(BaseModel):
    """Who did what to which subject; ``digest`` chains it to the entry before."""

    model_config = ConfigDict(from_attributes=True)

    id: Annotated[int, Field(examples=[42])]
    occurred_at: datetime
    actor: Annotated[
        str, Field(description="The user, or ? where nobody is known.", examples=["li.wei"])
    ]
    action: Annotated[str, Field(examples=["reveal"])]
    subject: Annotated[str, Field(examples=["n1_0123456789abcdef"])]
    details: dict[str, Any]
    previous_digest: Annotated[str, Field(examples=["0" * 64])]
    digest: Annotated[str, Field(examples=["9c1f" * 16])]


class AuditPage(BaseModel):
    """Some entries, the newest first."""

    items: list[Entry]
    next_cursor: str | None


class AuditQuery(BaseModel):
    """Which entries: all of what is given must fit; ``day`` is a day in Shanghai."""

    model_config = ConfigDict(extra="forbid")

    actor: SearchText = None
    action: Action | None = None
    subject: SearchText = None
    day: IsoDay | None = None
    limit: Limit = 50
    cursor: Cursor = None
