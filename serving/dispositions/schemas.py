"""What the API says about dispositions."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

__all__ = ["Disposition", "NewDisposition", "Note", "Result", "Status"]

Result = Literal[
    "in_progress",
    "stopped",
    "contact_no_payment",
    "already_paid",
    "lawful",
    "not_found_yet",
    "cannot_be_found",
    "wrong_person",
    "refused",
    "duplicate",
    "handed_over",
]
Note = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$", examples=["已当面劝阻，未转账"])]
Status = Literal["open"] | Result


class NewDisposition(BaseModel):
    """What was found. ``version`` is the alert's version that was read; if it has moved on, nothing is written."""

    model_config = ConfigDict(extra="forbid")

    result: Annotated[Result, Field(examples=["stopped"])]
    note: Note = ""
    version: Annotated[int, Field(ge=0, examples=[0])]
    snoozed_until: Annotated[
        AwareDatetime | None, Field(description="No new alert of this person before, unless new money moves.")
    ] = None


class Disposition(BaseModel):
    """What somebody found, the ``version``-th word on its alert."""

    model_config = ConfigDict(from_attributes=True)

    alert_id: Annotated[str, Field(examples=["al_70e33fc382b6ce87451a"])]
    version: Annotated[int, Field(examples=[1])]
    result: Annotated[Result, Field(examples=["stopped"])]
    note: Annotated[str, Field(examples=["已当面劝阻，未转账"])]
    snoozed_until: datetime | None
    decided_at: datetime
    decided_by: Annotated[str, Field(examples=["li.wei"])]
