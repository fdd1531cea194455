"""What the API says about suppressions."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from serving.http.fields import IsoMoment, PlainName
from serving.http.notes import Note

__all__ = ["Lift", "NewSuppression", "Suppression", "SuppressionPage"]


class NewSuppression(BaseModel):
    """A person who is not to be alerted for a while.

    Without ``owner`` whoever asks answers for it.
    """

    model_config = ConfigDict(extra="forbid")

    alert_id: Annotated[
        str,
        Field(
            pattern=r"^al_[0-9a-f]{20}$",
            description="An alert of the person.",
            examples=["al_70e33fc382b6ce87451a"],
        ),
    ]
    reason: Annotated[Note, Field(min_length=1, examples=["购房首付，已核实合同"])]
    owner: PlainName | None = None
    expires_at: Annotated[IsoMoment, Field(examples=["2026-07-12T09:00:00+08:00"])]


class Lift(BaseModel):
    """Why a suppression ends before its time."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[Note, Field(min_length=1, examples=["家属反映又接到陌生电话"])]


class Suppression(BaseModel):
    """A person who is not alerted before ``expires_at``, unless new money moves.

    ``ended_at`` is set once lifted.
    """

    model_config = ConfigDict(from_attributes=True)

    id: Annotated[int, Field(examples=[3])]
    person: Annotated[str, Field(examples=["p1_9f2c41d07ab35e68"])]
    alert_id: Annotated[str, Field(examples=["al_70e33fc382b6ce87451a"])]
    community_id: Annotated[str, Field(examples=["C01"])]
    reason: Annotated[str, Field(examples=["购房首付，已核实合同"])]
    owner: Annotated[str, Field(examples=["li.wei"])]
    created_at: datetime
    created_by: Annotated[str, Field(examples=["li.wei"])]
    expires_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    ended_why: str | None


class SuppressionPage(BaseModel):
    """A page of suppressions; ``next_cursor`` is null on the last one."""

    items: list[Suppression]
    next_cursor: str | None
