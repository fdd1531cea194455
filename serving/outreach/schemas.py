"""What an outreach list holds: the least an officer needs to reach somebody in time."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from serving.alerts.schemas import Disposition
from serving.http.fields import Amount, IsoMoment, PlainName
from serving.http.notes import Note
from serving.vocabulary.alerts import Level
from serving.vocabulary.dispositions import ContactChannel, Result, Status

__all__ = [
    "Entered",
    "Form",
    "Format",
    "IssuedItem",
    "IssuedList",
    "IssuedListPage",
    "IssuedListWithItems",
    "NewEntries",
    "NewEntry",
    "OutreachList",
    "OutreachRow",
    "Refused",
]

Format = Literal["json", "csv", "xlsx"]
Form = Format | Literal["print"]
ListId = Annotated[str, Field(examples=["L7K3F9QM"])]


class OutreachRow(BaseModel):
    """One person to be reached, by ``act_by``.

    ``version`` counts the results that the alert has.
    """

    model_config = ConfigDict(frozen=True)

    level: Annotated[Level, Field(examples=["red"])]
    act_by: datetime
    channel: Annotated[ContactChannel, Field(examples=["visit"])]
    name: Annotated[str, Field(examples=["张三"])]
    numbers: Annotated[tuple[str, ...], Field(examples=[["13800000000"]])]
    address: Annotated[str, Field(examples=["幸福路 1 号"])]
    grid_id: Annotated[str, Field(examples=["C01-G3"])]
    scam_type: Annotated[str, Field(examples=["police"])]
    already_paid: Annotated[
        bool, Field(description="The money seems to have gone: first help to have it stopped.")
    ]
    reasons: Annotated[
        tuple[str, ...],
        Field(description="In everyday words.", examples=[["和陌生人联系后就转了钱"]]),
    ]
    what_to_say: Annotated[str, Field(examples=["您好，我是社区民警……"])]
    status: Annotated[Status, Field(examples=["open"])]
    alert_id: Annotated[str, Field(examples=["al_70e33fc382b6ce87451a"])]
    version: Annotated[int, Field(examples=[0])]


class IssuedList(BaseModel):
    """An issued list: who took it, when, in which form, and until when it is valid."""

    model_config = ConfigDict(from_attributes=True)

    list_id: ListId
    community_id: Annotated[str, Field(examples=["C01"])]
    day: date
    form: Form
    issued_at: datetime
    issued_by: Annotated[str, Field(examples=["wang.fang"])]
    expires_at: datetime


class OutreachList(IssuedList):
    """A community's people to be reached on a day, the most urgent first."""

    rows: list[OutreachRow]


class IssuedItem(BaseModel):
    """A person of a list, without the name: what was found since, and the ``version`` to enter a
    result on.

    ``found_since``: somebody recorded a result after the list was made.
    """

    position: Annotated[int, Field(description="The number on the list, from 1.", examples=[1])]
    alert_id: Annotated[str, Field(examples=["al_70e33fc382b6ce87451a"])]
    grid_id: Annotated[str, Field(examples=["C01-G3"])]
    level: Level
    status: Status
    version: Annotated[int, Field(examples=[0])]
    found_since: bool


class IssuedListWithItems(IssuedList):
    """A list with its people, without names."""

    expired: bool
    items: list[IssuedItem]


class IssuedListPage(BaseModel):
    """A page of lists, the newest first; ``next_cursor`` is null on the last one."""

    items: list[IssuedList]
    next_cursor: str | None


class NewEntry(BaseModel):
    """What was found about one person of a list, written down from paper."""

    model_config = ConfigDict(extra="forbid")

    position: Annotated[int, Field(ge=1, le=10_000, examples=[1])]
    version: Annotated[int, Field(ge=0, lt=2**31, examples=[0])]
    result: Annotated[Result, Field(examples=["stopped"])]
    found_at: IsoMoment
    met_by: Annotated[PlainName | None, Field(description="Who met or called the person.")] = None
    channel: ContactChannel | None = None
    paid_cny: Amount | None = None
    prevented_cny: Amount | None = None
    note: Note = ""


class NewEntries(BaseModel):
    """Results of a list; people without one are left out."""

    model_config = ConfigDict(extra="forbid")

    entries: Annotated[list[NewEntry], Field(min_length=1, max_length=1000)]


class Refused(BaseModel):
    """An entry that was not written, why, and what stands there instead."""

    position: int
    detail: Annotated[str, Field(examples=["Somebody else has changed this meanwhile."])]
    remedy: Annotated[str, Field(examples=["Look at how it stands now, then enter it again."])]
    current: Disposition | None


class Entered(BaseModel):
    """Which entries were written, by their position, and which were not."""

    recorded: list[int]
    refused: list[Refused]
