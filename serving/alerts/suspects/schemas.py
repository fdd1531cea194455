"""What the API says about suspects."""

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from serving.vocabulary.alerts import SuspectKind

__all__ = ["RevealedSuspect", "Suspect", "SuspectDetail", "SuspectKey", "SuspectPage"]

EXAMPLE_KEY = "n1_5be09c41d07ab35e"
SuspectKey = Annotated[
    str, Path(pattern=r"^[na]\d+_[A-Za-z0-9_.=-]{1,100}$", examples=[EXAMPLE_KEY])
]


class Suspect(BaseModel):
    """A number or an account that fraud is likely done with. Null facts are unknown."""

    model_config = ConfigDict(from_attributes=True)

    kind: Annotated[SuspectKind, Field(examples=["number"])]
    key: Annotated[str, Field(description="Pseudonym.", examples=[EXAMPLE_KEY])]
    rank: Annotated[int, Field(description="Within its kind, the likeliest first.", examples=[1])]
    score: Annotated[float, Field(description="0 to 1.", examples=[0.93])]
    peer_kind: Annotated[
        str, Field(description="Kind of the number, or bank of the account.", examples=["virtual"])
    ]
    first_seen_at: datetime | None
    residents_reached: Annotated[int, Field(examples=[41])]
    residents_7d: Annotated[
        int, Field(description="Residents reached in the last 7 days.", examples=[38])
    ]
    alerts: Annotated[
        int, Field(description="People with an open alert that it reached.", examples=[2])
    ]
    named_in_case: Annotated[bool, Field(description="A reported case names it.", examples=[False])]
    facts: Annotated[dict[str, float | None], Field(examples=[{"answer_share": 0.31}])]


class SuspectDetail(Suspect):
    """What was last published about a suspect; ``at`` is the moment of that list."""

    at: datetime


class SuspectPage(BaseModel):
    """A page of suspects of the moment ``at`` (null before the first list); ``next_cursor`` is null
    on the last one.
    """

    at: datetime | None
    counts: Annotated[
        dict[SuspectKind, int],
        Field(description="Suspects on the list.", examples=[{"number": 120}]),
    ]
    items: list[Suspect]
    next_cursor: str | None


class RevealedSuspect(BaseModel):
    """The number or account behind a pseudonym."""

    key: Annotated[str, Field(examples=[EXAMPLE_KEY])]
    kind: Annotated[SuspectKind, Field(examples=["number"])]
    value: Annotated[str, Field(examples=["17000000000"])]
