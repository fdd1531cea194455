"""What the API says about dispositions."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from serving.http.fields import Amount, IsoMoment, PlainName
from serving.http.notes import Note
from serving.vocabulary.alerts import Level
from serving.vocabulary.dispositions import ContactChannel, Result

__all__ = ["Escalation", "NewDisposition", "Note"]


Days = Annotated[list[Annotated[int, Field(ge=1, le=365)]], Field(max_length=12)]


class Escalation(BaseModel):
    """To whom an alert is handed up, and why. Its level rises by one, or to ``level``."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[PlainName, Field(description="Name of a colleague who may see the alert.")]
    why: Annotated[Note, Field(min_length=1, examples=["对方仍在通话，电话打不进"])]
    level: Level | None = None


class NewDisposition(BaseModel):
    """What was found about an alert.

    ``follow_up_days``: leave it out for the usual days, an empty list for none. ``whole_episode``
    also gives the result to the other alerts of the same series that nobody has settled.
    ``merged_into`` goes with ``duplicate``.
    """

    model_config = ConfigDict(extra="forbid")

    result: Annotated[Result, Field(examples=["stopped"])]
    note: Note = ""
    found_at: Annotated[
        IsoMoment | None, Field(description="When it was found; leave it out for now.")
    ] = None
    met_by: Annotated[PlainName | None, Field(description="Who met or called the person.")] = None
    channel: Annotated[ContactChannel | None, Field(description="How the person was reached.")] = (
        None
    )
    paid_cny: Annotated[Amount | None, Field(description="What had been paid by then, CNY.")] = None
    prevented_cny: Annotated[
        Amount | None, Field(description="What was kept from being paid, CNY.")
    ] = None
    snoozed_until: Annotated[
        IsoMoment | None,
        Field(description="No new alert of this person before, unless new money moves."),
    ] = None
    follow_up_days: Annotated[
        Days | None, Field(description="Ask again so many days later.", examples=[[1, 3, 7]])
    ] = None
    escalate: Escalation | None = None
    merged_into: Annotated[
        str | None,
        Field(
            pattern=r"^al_[0-9a-f]{20}$",
            description="The person's earlier alert that this one repeats.",
        ),
    ] = None
    whole_episode: bool = False

    @model_validator(mode="after")
    def _merging_is_for_duplicates(self) -> Self:
        if self.merged_into is not None and self.result != "duplicate":
            raise ValueError("merged_into goes with the result duplicate")
        return self
