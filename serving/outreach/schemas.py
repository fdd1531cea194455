"""What an outreach list holds: the least an officer needs to reach somebody in time."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from serving.dispositions.schemas import Status
from serving.store import Level

__all__ = ["Channel", "Format", "OutreachList", "OutreachRow"]

Channel = Literal["visit", "call", "text"]
Format = Literal["json", "csv", "xlsx"]


class OutreachRow(BaseModel):
    """One person to be reached, by ``act_by``."""

    model_config = ConfigDict(frozen=True)

    level: Annotated[Level, Field(examples=["red"])]
    act_by: datetime
    channel: Annotated[Channel, Field(examples=["visit"])]
    name: Annotated[str, Field(examples=["张三"])]
    numbers: Annotated[tuple[str, ...], Field(examples=[["13800000000"]])]
    address: Annotated[str, Field(examples=["幸福路 1 号"])]
    grid_id: Annotated[str, Field(examples=["C01-G3"])]
    reasons: Annotated[tuple[str, ...], Field(examples=[["3 天内 5 个陌生号码来电，最长 84 分钟"]])]
    what_to_say: Annotated[str, Field(examples=["您好，我是社区民警……"])]
    status: Annotated[Status, Field(examples=["open"])]
    alert_id: Annotated[str, Field(examples=["al_70e33fc382b6ce87451a"])]


class OutreachList(BaseModel):
    """A community's people to be reached on a day, the most urgent first."""

    community_id: Annotated[str, Field(examples=["C01"])]
    day: date
    rows: list[OutreachRow]
