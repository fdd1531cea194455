"""What the API says about a search."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from serving.alerts.schemas import Alert

__all__ = ["Found", "SearchRequest"]


class SearchRequest(BaseModel):
    """A phone number, an account number or an ID number, however people write it."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    value: Annotated[
        str,
        Field(min_length=4, max_length=60, pattern=r"^[^\x00-\x1f]+$", examples=["13800000000"]),
    ]


class Found(BaseModel):
    """What is known of it: the alerts of the person it belongs to, and the suspects that it is."""

    alerts: list[Alert]
    suspects: Annotated[
        list[str],
        Field(description="Pseudonyms to look up among the suspects.", examples=[["n1_5be0"]]),
    ]
