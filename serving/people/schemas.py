"""What the API says about a person's fresh score."""

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from serving.alerts.schemas import Contribution, Reason
from serving.store import Level

__all__ = ["Person", "Rescore"]

Person = Annotated[str, Path(pattern=r"^p\d+_[A-Za-z0-9_.=-]{1,100}$", examples=["p1_9f2c41d07ab35e68"])]


class Rescore(BaseModel):
    """A person's score at the moment ``at``, from all that was known then."""

    model_config = ConfigDict(from_attributes=True)

    person: Annotated[str, Field(examples=["p1_9f2c41d07ab35e68"])]
    at: datetime
    score: Annotated[float, Field(examples=[0.41])]
    level: Annotated[Level, Field(examples=["orange"])]
    reasons: list[Reason]
    contributions: list[Contribution]
