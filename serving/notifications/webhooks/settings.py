"""What an installation decides about webhooks."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings

__all__ = ["WebhookSettings"]


class WebhookSettings(BaseSettings):
    """The part of the serving room's settings that says how other systems are told of alerts."""

    webhook_attempts: Annotated[PositiveInt, Field(description="A message is given up after so many tries.")] = 12
    webhook_retry_s: Annotated[PositiveFloat, Field(description="Wait after the first failure, doubled each time.")] = 5
    webhook_retry_max_s: Annotated[PositiveFloat, Field(description="The longest wait between two tries.")] = 1800
    webhook_timeout_s: Annotated[PositiveFloat, Field(description="A receiver has so long to answer.")] = 10
    webhook_poll_s: Annotated[PositiveFloat, Field(description="How often messages that are due are looked for.")] = 1
    webhook_max_age_hours: Annotated[PositiveInt, Field(description="An older alert is no news to anybody.")] = 24
    webhook_plain_http: Annotated[bool, Field(description="Allow http:// to others than this machine.")] = False
    webhook_private_networks: Annotated[
        bool, Field(description="Allow receivers on this machine and in private networks.")
    ] = True

    @property
    def webhook_max_age(self) -> timedelta:
        """An older alert is no news to anybody."""
        return timedelta(hours=self.webhook_max_age_hours)
