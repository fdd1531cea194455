"""What the API says about webhooks."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from serving.vocabulary.alerts import Level

__all__ = [
    "Delivery",
    "DeliveryId",
    "DeliveryPage",
    "DeliveryState",
    "NewWebhook",
    "Webhook",
    "WebhookId",
    "WebhookPage",
    "WebhookWithSecret",
]

DeliveryState = Literal["waiting", "delivered", "given_up"]
WebhookId = Annotated[int, Path(ge=1, lt=2**31, examples=[1])]
DeliveryId = Annotated[int, Path(ge=1, lt=2**31, examples=[1])]
EXAMPLE_URL = "https://push.example.com/forestall"


class NewWebhook(BaseModel):
    """A receiver of messages about new alerts of these ``levels``."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[
        str, Field(max_length=500, pattern=r"^https?://[\x21-\x7e]+$", examples=[EXAMPLE_URL])
    ]
    levels: Annotated[list[Level], Field(min_length=1, max_length=4, examples=[["red"]])] = ["red"]


class Webhook(BaseModel):
    """A receiver."""

    model_config = ConfigDict(from_attributes=True)

    id: Annotated[int, Field(examples=[1])]
    url: Annotated[str, Field(examples=[EXAMPLE_URL])]
    levels: Annotated[list[Level], Field(examples=[["red"]])]
    added_at: datetime
    added_by: Annotated[str, Field(examples=["admin"])]


class WebhookWithSecret(Webhook):
    """A new receiver, with the secret that its messages are signed with."""

    secret: Annotated[
        str,
        Field(description="Shown this once.", examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"]),
    ]


class WebhookPage(BaseModel):
    """A page of receivers; ``next_cursor`` is null on the last one."""

    items: list[Webhook]
    next_cursor: str | None


class Delivery(BaseModel):
    """One message to one receiver. ``due_at`` is when the next try is due while it is waiting."""

    id: Annotated[int, Field(examples=[1])]
    message_id: Annotated[str, Field(examples=["msg_4f0c2f6e0b7e4d3f9a51c2f0a7d1b9aa"])]
    alert_id: Annotated[str, Field(examples=["al_70e33fc382b6ce87451a"])]
    state: Annotated[DeliveryState, Field(examples=["delivered"])]
    attempts: Annotated[int, Field(examples=[1])]
    due_at: datetime
    delivered_at: datetime | None
    given_up_at: datetime | None
    last_status: Annotated[
        int | None, Field(description="HTTP status of the last try.", examples=[204])
    ]
    last_error: Annotated[
        str | None, Field(description="Why the last try failed.", examples=[None])
    ]


class DeliveryPage(BaseModel):
    """A page of messages; ``next_cursor`` is null on the last one."""

    items: list[Delivery]
    next_cursor: str | None
