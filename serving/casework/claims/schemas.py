"""What the API says about claims."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Assignment", "Claim", "Colleague"]

Colleague = Annotated[
    str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]+$", examples=["li.wei"])
]


class Claim(BaseModel):
    """Somebody deals with an alert until ``expires_at``; ``assigned_by`` is null where they took it
    themselves.
    """

    model_config = ConfigDict(from_attributes=True)

    alert_id: Annotated[str, Field(examples=["al_70e33fc382b6ce87451a"])]
    claimed_by: Annotated[str, Field(examples=["li.wei"])]
    assigned_by: Annotated[str | None, Field(examples=[None])]
    claimed_at: datetime
    expires_at: datetime


class Assignment(BaseModel):
    """To whom an alert goes."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[Colleague, Field(description="Name of a colleague who may see the alert.")]
