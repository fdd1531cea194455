"""Settings of the serving room, from arguments or FORESTALL_… variables."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, PositiveInt, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from serving.wording import LEVELS

__all__ = ["ServingSettings"]


class ServingSettings(BaseSettings):
    """What an installation decides about its pages and its API."""

    model_config = SettingsConfigDict(env_prefix="FORESTALL_", frozen=True, extra="ignore")

    database_url: Annotated[str, Field(description="SQLAlchemy URL of the serving database.")]
    session_hours: Annotated[PositiveInt, Field(description="How long a login on the pages lasts.")] = 12
    secure_cookies: Annotated[bool, Field(description="Send the cookie over TLS only; set it wherever TLS is.")] = False
    max_request_bytes: Annotated[PositiveInt, Field(description="Larger request bodies are refused.")] = 65_536
    rescore_wait_s: Annotated[PositiveInt, Field(description="How long a fresh score waits for its turn.")] = 10
    max_snooze_days: Annotated[PositiveInt, Field(description="How long an alert can be put off at most.")] = 90
    act_within_minutes: Annotated[
        dict[str, PositiveInt], Field(description="Minutes until somebody should have been reached, by level.")
    ] = {"red": 5, "orange": 15, "yellow": 120, "blue": 1440}
    visit_from_age: Annotated[PositiveInt, Field(description="From this age on never a text.")] = 60

    @field_validator("act_within_minutes")
    @classmethod
    def _every_level(cls, minutes: dict[str, int]) -> dict[str, int]:
        if minutes.keys() != LEVELS.keys():
            raise ValueError(f"act_within_minutes needs exactly the levels {', '.join(LEVELS)}")
        return minutes

    @property
    def session_lifetime(self) -> timedelta:
        """How long a login on the pages lasts."""
        return timedelta(hours=self.session_hours)
