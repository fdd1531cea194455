"""Settings of the serving room, from arguments or FORESTALL_… variables."""

from typing import Annotated

from pydantic import Field, PositiveInt, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from serving.access.users.settings import AccessSettings
from serving.notifications.webhooks.settings import WebhookSettings
from serving.operations.settings import OperationsSettings
from serving.presentation.wording import LEVELS

__all__ = ["ServingSettings"]


class ServingSettings(AccessSettings, OperationsSettings, WebhookSettings, BaseSettings):
    """What an installation decides about its pages and its API."""

    model_config = SettingsConfigDict(env_prefix="FORESTALL_", frozen=True, extra="ignore")

    database_url: Annotated[str, Field(description="SQLAlchemy URL of the serving database.")]
    idempotency_hours: Annotated[PositiveInt, Field(description="How long a write sent again is known as such.")] = 24
    max_request_bytes: Annotated[PositiveInt, Field(description="Larger request bodies are refused.")] = 65_536
    rescore_wait_s: Annotated[PositiveInt, Field(description="How long a fresh score waits for its turn.")] = 10
    max_snooze_days: Annotated[PositiveInt, Field(description="How long an alert can be put off at most.")] = 90
    act_within_minutes: Annotated[
        dict[str, PositiveInt], Field(description="Minutes until somebody should have been reached, by level.")
    ] = {"red": 5, "orange": 15, "yellow": 120, "blue": 1440}
    follow_up_days: Annotated[
        dict[str, tuple[PositiveInt, ...]],
        Field(description="Days until somebody asks again, by scam type; for others those of the talk script."),
    ] = {}
    episode_days: Annotated[
        PositiveInt, Field(description="Alerts of one person that lie no more days apart are one episode.")
    ] = 7
    max_suppression_days: Annotated[
        PositiveInt, Field(description="How long a person can be kept from being alerted at most.")
    ] = 180
    outreach_hours: Annotated[PositiveInt, Field(description="How long a printed or exported list holds.")] = 24
    carry_over_days: Annotated[
        int, Field(ge=0, description="Who was not reached stays on the outreach lists for so many days more.")
    ] = 2
    queue_days: Annotated[PositiveInt, Field(description="Alerts so many days back stand in the queue.")] = 7
    claim_minutes: Annotated[PositiveInt, Field(description="How long an alert is kept for whoever took it.")] = 30
    assignment_hours: Annotated[PositiveInt, Field(description="And for whom a colleague gave it to.")] = 12
    live_poll_s: Annotated[float, Field(gt=0, description="How often the pages' news are looked for.")] = 1.0
    live_stream_s: Annotated[
        PositiveInt, Field(description="So long a stream of news lasts before its reader has to show who they are.")
    ] = 300
    visit_from_age: Annotated[PositiveInt, Field(description="From this age on never a text.")] = 60

    @field_validator("act_within_minutes")
    @classmethod
    def _every_level(cls, minutes: dict[str, int]) -> dict[str, int]:
        if minutes.keys() != LEVELS.keys():
            raise ValueError(f"act_within_minutes needs exactly the levels {', '.join(LEVELS)}")
        return minutes
