"""What the API says about a person's fresh score."""

import re
from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from serving.alerts.schemas import Contribution, Reason
from serving.http.notes import Note
from serving.vocabulary.alerts import Level

__all__ = ["Person", "Rescore", "RevealRequest", "RevealedPerson", "Why"]

Person = Annotated[
    str, Path(pattern=r"^p\d+_[A-Za-z0-9_.=-]{1,100}$", examples=["p1_9f2c41d07ab35e68"])
]
HAN = re.compile(r"[\u3400-\u9fff]")
WORD = re.compile(r"[^\W\d_\u3400-\u9fff]{2,}")
FEWEST_CHARACTERS = 4


def _telling(reason: str) -> str:
    """Refuse a reason that says nothing: one word, or the same again and again."""
    characters = set(HAN.findall(reason))
    words = {word.casefold() for word in WORD.findall(reason)}
    letters = set("".join(words))
    if len(characters) + min(2 * len(words), len(letters)) < FEWEST_CHARACTERS:
        raise ValueError("must say why, in two words or four Chinese characters at least")
    return reason


Why = Annotated[
    Note,
    AfterValidator(_telling),
    Field(
        max_length=200,
        description="In words: two at least, or four Chinese characters.",
        examples=["拨打劝阻电话"],
    ),
]


class RevealRequest(BaseModel):
    """Why somebody has to know who it is; the reason is written down with their name."""

    model_config = ConfigDict(extra="forbid")

    reason: Why


class RevealedPerson(BaseModel):
    """Who a person is, as far as it takes to reach them."""

    model_config = ConfigDict(from_attributes=True)

    person: Annotated[str, Field(examples=["p1_9f2c41d07ab35e68"])]
    name: Annotated[str, Field(examples=["张三"])]
    msisdns: Annotated[
        list[str],
        Field(description="The numbers they can be reached at.", examples=[["13800000000"]]),
    ]


class Rescore(BaseModel):
    """A person's score at the moment ``at``, from all that was known then."""

    model_config = ConfigDict(from_attributes=True)

    person: Annotated[str, Field(examples=["p1_9f2c41d07ab35e68"])]
    at: datetime
    score: Annotated[float, Field(examples=[0.41])]
    level: Annotated[Level, Field(examples=["orange"])]
    reasons: list[Reason]
    contributions: list[Contribution]
