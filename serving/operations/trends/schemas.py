"""What the API says about trends. First alerts are counted; repeats on the same person are not."""

from datetime import date, datetime, timedelta
from enum import IntEnum
from typing import Annotated

from pydantic import BaseModel, Field

__all__ = ["Cell", "Period", "Precision", "Prevented", "Step", "Trends"]


class Period(IntEnum):
    """Days that trends can look back."""

    ONE_WEEK = 7
    FOUR_WEEKS = 28
    TWELVE_WEEKS = 84


class Cell(BaseModel):
    """Alerts of one community, of one hour of the day or of one scam type."""

    community_id: Annotated[str, Field(examples=["C001"])]
    of: Annotated[
        str, Field(description="The hour, 0 to 23, or the code of the scam type.", examples=["15"])
    ]
    alerts: Annotated[int, Field(examples=[3])]


class Step(BaseModel):
    """Alerts of a stretch of days that begins on ``day``, by level."""

    day: date
    days: Annotated[int, Field(examples=[1])]
    by_level: Annotated[dict[str, int], Field(examples=[{"red": 2, "orange": 5}])]

    @property
    def alerts(self) -> int:
        """Alerts of every level."""
        return sum(self.by_level.values())


class Precision(BaseModel):
    """How many alerts of a stretch of days were judged, and how many of these were right.

    Right: somebody was in contact with a fraudster (stopped, contact without payment, already
    paid). Judged: right, or lawful after all. What is open, not found or handed over is not judged.
    """

    day: date
    days: Annotated[int, Field(examples=[7])]
    alerts: Annotated[int, Field(examples=[140])]
    judged: Annotated[int, Field(examples=[60])]
    right: Annotated[int, Field(examples=[21])]

    @property
    def share(self) -> float | None:
        """Right among the judged; None where none was judged."""
        return self.right / self.judged if self.judged else None


class Prevented(BaseModel):
    """What became of alerts on people who were in contact with a fraudster.

    ``noted_cny`` is the money that those who stopped it wrote down, on ``noted`` of the
    ``stopped``. Of the others ``typical_cny`` is the typical loss of their scam types, on
    ``typical`` of them: an estimate, nobody counted it. ``lost`` had paid already, ``lost_cny`` as
    far as it was written down.
    """

    stopped: int
    noted: int
    noted_cny: float
    typical: int
    typical_cny: float
    lost: int
    lost_cny: float


class Trends(BaseModel):
    """The first alerts of the days from ``start`` to before ``end``."""

    start: datetime
    end: datetime
    days: Annotated[int, Field(examples=[28])]
    alerts: Annotated[int, Field(examples=[420])]
    communities: Annotated[int, Field(description="Communities with any.", examples=[12])]
    by_hour: list[Cell]
    by_type: list[Cell]
    volume: list[Step]
    precision: list[Precision]
    prevented: Prevented

    @property
    def last_day(self) -> date:
        """The last day that is counted."""
        return (self.end - timedelta(days=1)).date()
