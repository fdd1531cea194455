"""What the API says about dispositions."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from serving.http.fields import IsoMoment
from serving.http.notes import Note
from serving.store import Level

__all__ = [
    "CALLED_FRAUD",
    "SETTLED",
    "Amount",
    "Channel",
    "Disposition",
    "Escalation",
    "NewDisposition",
    "Note",
    "PlainName",
    "Result",
    "Source",
    "Status",
]

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
Status = Literal["open"] | Result
SETTLED: frozenset[str] = frozenset(
    {
        "stopped",
        "contact_no_payment",
        "already_paid",
        "lawful",
        "cannot_be_found",
        "wrong_person",
        "duplicate",
        "handed_over",
    }
)  # nobody has to be reached any more; after "refused" and "not_found_yet" somebody has
CALLED_FRAUD: frozenset[str] = frozenset({"stopped", "contact_no_payment", "already_paid"})

Channel = Literal["call", "visit", "family", "text"]
Source = Literal["screen", "api", "paper"]
Amount = Annotated[
    float, Field(ge=0, le=1e9, allow_inf_nan=False, examples=[52_000.0]), AfterValidator(lambda cny: round(cny, 2))
]
PlainName = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]+$", examples=["li.wei"])]
Days = Annotated[list[Annotated[int, Field(ge=1, le=365)]], Field(max_length=12)]


class Escalation(BaseModel):
    """To whom an alert is handed up, and why. Its level rises by one, or to ``level``."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[PlainName, Field(description="Name of a colleague who may see the alert.")]
    why: Annotated[Note, Field(min_length=1, examples=["对方仍在通话，电话打不进"])]
    level: Level | None = None


class NewDisposition(BaseModel):
    """What was found about an alert.

    ``follow_up_days``: leave it out for the usual days, an empty list for none. ``whole_episode`` also gives the result
    to the person's other alerts of the same episode that nobody has settled. ``merged_into`` goes with ``duplicate``.
    """

    model_config = ConfigDict(extra="forbid")

    result: Annotated[Result, Field(examples=["stopped"])]
    note: Note = ""
    found_at: Annotated[IsoMoment | None, Field(description="When it was found; leave it out for now.")] = None
    met_by: Annotated[PlainName | None, Field(description="Who met or called the person.")] = None
    channel: Annotated[Channel | None, Field(description="How the person was reached.")] = None
    paid_cny: Annotated[Amount | None, Field(description="What had been paid by then, CNY.")] = None
    prevented_cny: Annotated[Amount | None, Field(description="What was kept from being paid, CNY.")] = None
    snoozed_until: Annotated[
        IsoMoment | None, Field(description="No new alert of this person before, unless new money moves.")
    ] = None
    follow_up_days: Annotated[Days | None, Field(description="Ask again so many days later.", examples=[[1, 3, 7]])] = (
        None
    )
    escalate: Escalation | None = None
    merged_into: Annotated[
        str | None,
        Field(pattern=r"^al_[0-9a-f]{20}$", description="The person's earlier alert that this one repeats."),
    ] = None
    whole_episode: bool = False

    @model_validator(mode="after")
    def _merging_is_for_duplicates(self) -> Self:
        if self.merged_into is not None and self.result != "duplicate":
            raise ValueError("merged_into goes with the result duplicate")
        return self


class Disposition(BaseModel):
    """What somebody found, the ``version``-th word on its alert.

    ``level`` is the level the alert was raised to, if it was. ``copied_from`` is the alert of the same episode that the
    result was recorded on, ``list_id`` the outreach list that it was entered from.
    """

    model_config = ConfigDict(from_attributes=True)

    alert_id: Annotated[str, Field(examples=["al_70e33fc382b6ce87451a"])]
    version: Annotated[int, Field(examples=[1])]
    result: Annotated[Result, Field(examples=["stopped"])]
    note: Annotated[str, Field(examples=["已当面劝阻，未转账"])]
    found_at: datetime | None
    met_by: Annotated[str | None, Field(examples=["li.wei"])]
    channel: Channel | None
    paid_cny: float | None
    prevented_cny: float | None
    snoozed_until: datetime | None
    level: Level | None
    escalated_to: str | None
    escalated_why: str | None
    merged_into: str | None
    copied_from: str | None
    source: Source
    list_id: str | None
    decided_at: datetime
    decided_by: Annotated[str, Field(examples=["li.wei"])]
