"""Moments and days as the API takes them: ISO 8601, moments with their zone, none so far off that a calendar ends."""

from datetime import date, datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

__all__ = ["IsoDay", "IsoMoment"]

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
