"""What the API says about follow-ups."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from serving.http.fields import IsoDay
from serving.http.notes import Note
from serving.vocabulary.alerts import Level
from serving.vocabulary.dispositions import Finding, FollowUpOutcome

__all__ = ["Done", "FollowUp", "FollowUpPage", "Move"]


class FollowUp(BaseModel):
    """A day on which somebody asks a person again; open while ``closed_at`` is null."""

    model_config = ConfigDict(from_attributes=True)

    id: Annotated[int, Field(examples=[5])]
    alert_id: Annotated[str, Field(examples=["al_70e33fc382b6ce87451a"])]
    person: Annotated[str, Field(examples=["p1_9f2c41d07ab35e68"])]
    community_id: Annotated[str, Field(examples=["C01"])]
    level: Level
    scam_type: Annotated[str, Field(examples=["police"])]
    due_on: Annotated[date, Field(examples=["2026-07-06"])]
    version: Annotated[int, Field(description="What If-Match has to name.", examples=[1])]
    planned_at: datetime
    planned_by: Annotated[str, Field(examples=["li.wei"])]
    closed_at: datetime | None
    closed_by: str | None
    outcome: FollowUpOutcome | None
    note: Annotated[str, Field(examples=["家属已接到，未转账"])]


class FollowUpPage(BaseModel):
    """A page of follow-ups; ``next_cursor`` is null on the last one."""

    items: list[FollowUp]
    next_cursor: str | None


class Done(BaseModel):
    """How the person was found."""

    model_config = ConfigDict(extra="forbid")

    outcome: Annotated[Finding, Field(examples=["safe"])]
    note: Note = ""


class Move(BaseModel):
    """Another day to ask."""

    model_config = ConfigDict(extra="forbid")

    due_on: Annotated[IsoDay, Field(examples=["2026-07-08"])]
