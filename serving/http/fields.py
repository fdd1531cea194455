"""Fields that several schemas share: moments and days in ISO 8601, amounts, names and codes.

Moments carry their zone. None lies so far off that a calendar ends.
"""

from datetime import date, datetime
from typing import Annotated, Any, TypeVar

from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

__all__ = ["Amount", "Code", "CommunityId", "IsoDay", "IsoMoment", "PlainName"]

Day = TypeVar("Day", date, datetime)
YEARS = range(1970, 2200)


def _written(value: Any) -> Any:
    """Refuse numbers, which pydantic would count as seconds."""
    if isinstance(value, str) and not value.strip().lstrip("+-").replace(".", "", 1).isdigit():
        return value
    if isinstance(value, date):
        return value
    raise ValueError("must be written as ISO 8601")


def _near(value: Day) -> Day:
    if value.year not in YEARS:
        raise ValueError(f"must lie between {YEARS.start} and {YEARS.stop - 1}")
    return value


IsoMoment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_near)]
IsoDay = Annotated[date, BeforeValidator(_written), AfterValidator(_near)]
Code = Annotated[str, Field(max_length=60, pattern=r"^[^\x00-\x1f]+$")]
CommunityId = Annotated[str, Path(max_length=60, pattern=r"^[^\x00-\x1f]+$", examples=["C01"])]
PlainName = Annotated[
    str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]+$", examples=["li.wei"])
]
Amount = Annotated[
    float,
    Field(ge=0, le=1e9, allow_inf_nan=False, examples=[52_000.0]),
    AfterValidator(lambda cny: round(cny, 2)),
]
