"""Settings of the pages and the API: the section ``serving`` of an installation's settings."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    field_validator,
)

from serving.presentation.wording import LEVELS

__all__ = [
    "AccessSettings",
    "LoadSettings",
    "OperationsSettings",
    "ServingSettings",
    "WebhookSettings",
]


# For the news, the webhooks and whoever else works beside the requests
CONNECTIONS_BESIDE = 8


class AccessSettings(BaseModel):
    """The part of the serving room's settings that says who comes in, and for how long."""

    secure_cookies: Annotated[
        bool, Field(description="Send the cookie over TLS only; set it wherever TLS is.")
    ] = False
    session_hours: Annotated[
        PositiveInt, Field(description="How long a login on the pages lasts at most.")
    ] = 12
    session_idle_minutes: Annotated[
        PositiveInt, Field(description="A login that nobody uses ends after this.")
    ] = 60
    hsts_days: Annotated[
        NonNegativeInt,
        Field(
            description="Browsers stay with TLS so long, where secure_cookies is set; 0: unsaid."
        ),
    ] = 365
    trusted_proxies: Annotated[
        tuple[IPvAnyNetwork, ...],
        Field(
            description="Proxies, as addresses or networks, whose X-Forwarded-For is believed; "
            "nobody else's is."
        ),
    ] = ()
    password_length: Annotated[int, Field(ge=12, le=64, description="Shortest password.")] = 12
    password_days: Annotated[
        NonNegativeInt, Field(description="A password holds so long; 0: for ever.")
    ] = 90
    invitation_hours: Annotated[
        PositiveInt, Field(description="How long a link to choose a password works.")
    ] = 72
    token_days: Annotated[
        PositiveInt, Field(description="The longest a machine's token can be good for.")
    ] = 365
    lockout_failures: Annotated[
        PositiveInt, Field(description="Failed logins of one account that lock it.")
    ] = 5
    lockout_address_failures: Annotated[
        PositiveInt,
        Field(
            description="Failed logins from one address that lock it; many people may share one."
        ),
    ] = 30
    lockout_window_minutes: Annotated[
        PositiveInt, Field(description="Failures are forgotten after this.")
    ] = 15
    lockout_minutes: Annotated[
        PositiveInt, Field(description="The first lock; each further failure doubles it.")
    ] = 1
    lockout_max_minutes: Annotated[PositiveInt, Field(description="The longest lock.")] = 60
    reveals_per_hour: Annotated[
        PositiveInt, Field(description="Names and numbers that one user may have shown in an hour.")
    ] = 60
    unusual_reveals_per_hour: Annotated[
        PositiveInt,
        Field(description="So many in an hour are told to the administrators as unusual."),
    ] = 25
    second_factor_roles: Annotated[
        tuple[Literal["analyst", "officer", "engineer", "admin"], ...],
        Field(
            description="Roles that must have a second factor; who may reveal are analyst, officer "
            "and admin."
        ),
    ] = ()
    oidc_issuer: Annotated[
        str | None, Field(description="Address of the OpenID Connect provider, if any.")
    ] = None
    oidc_client_id: Annotated[
        str, Field(description="What the provider calls this installation.")
    ] = "forestall"
    oidc_client_secret: Annotated[
        SecretStr, Field(description="The secret shared with the provider.")
    ] = SecretStr("")
    oidc_scope: Annotated[str, Field(description="What the provider is asked for.")] = (
        "openid profile"
    )
    oidc_name_claim: Annotated[str, Field(description="The claim that names the user.")] = (
        "preferred_username"
    )
    oidc_role_claim: Annotated[
        str, Field(description="The claim, one word or several, that tells the role.")
    ] = "roles"
    oidc_roles: Annotated[
        dict[str, str], Field(description="The role that each word of that claim stands for.")
    ] = {
        "forestall-analyst": "analyst",
        "forestall-officer": "officer",
        "forestall-engineer": "engineer",
        "forestall-admin": "admin",
    }
    oidc_communities_claim: Annotated[
        str, Field(description="The claim with an officer's communities.")
    ] = "communities"
    public_url: Annotated[
        str | None,
        Field(
            description="Where people reach the pages, as https://warning.example; OpenID needs it."
        ),
    ] = None

    @property
    def session_lifetime(self) -> timedelta:
        """How long a login on the pages lasts at most."""
        return timedelta(hours=self.session_hours)

    @property
    def session_idle(self) -> timedelta:
        """How long a login lasts that nobody uses."""
        return timedelta(minutes=self.session_idle_minutes)


class OperationsSettings(BaseModel):
    """The part of the serving room's settings that says where the tools beside ours are."""

    mlflow_url: Annotated[
        str, Field(description="Where MLflow's own pages are; empty: they are not linked.")
    ] = ""
    prefect_url: Annotated[
        str, Field(description="Where Prefect's own pages are; empty: they are not linked.")
    ] = ""
    max_trial_bytes: Annotated[
        PositiveInt, Field(description="Larger files are not tried on the page for it.")
    ] = 8_000_000


class WebhookSettings(BaseModel):
    """The settings of serving that say how other systems get messages about alerts."""

    webhook_attempts: Annotated[
        PositiveInt, Field(description="A message is given up after so many tries.")
    ] = 12
    webhook_retry_s: Annotated[
        PositiveFloat, Field(description="Wait after the first failure, doubled each time.")
    ] = 5
    webhook_retry_max_s: Annotated[
        PositiveFloat, Field(description="The longest wait between two tries.")
    ] = 1800
    webhook_timeout_s: Annotated[
        PositiveFloat, Field(description="A receiver has so long to answer.")
    ] = 10
    webhook_poll_s: Annotated[
        PositiveFloat, Field(description="How often messages that are due are looked for.")
    ] = 1
    webhook_max_age_hours: Annotated[
        PositiveInt, Field(description="An older alert is no news to anybody.")
    ] = 24
    webhook_plain_http: Annotated[
        bool, Field(description="Allow http:// to others than this machine.")
    ] = False
    webhook_private_networks: Annotated[
        bool, Field(description="Allow receivers on this machine and in private networks.")
    ] = False

    @property
    def webhook_max_age(self) -> timedelta:
        """An older alert is no news to anybody."""
        return timedelta(hours=self.webhook_max_age_hours)


class LoadSettings(BaseModel):
    """The part of the serving room's settings that says how much is taken in at once."""

    max_request_bytes: Annotated[
        PositiveInt, Field(description="Larger request bodies are refused.")
    ] = 65_536
    request_read_s: Annotated[
        PositiveInt, Field(description="A request must have come in as a whole after this.")
    ] = 30
    requests_at_once: Annotated[
        int,
        Field(
            ge=1,
            le=32,
            description="Requests that are worked on at once; each may hold two connections to the "
            "database.",
        ),
    ] = 16
    requests_waiting: Annotated[
        NonNegativeInt, Field(description="So many more wait; others are told to come again.")
    ] = 200
    queue_s: Annotated[PositiveInt, Field(description="How long a request waits at most.")] = 10
    streams_at_once: Annotated[
        PositiveInt, Field(description="Pages that listen to the news at once.")
    ] = 500
    anonymous_per_minute: Annotated[
        PositiveInt,
        Field(
            description="Requests of one address in a minute that show no valid login or token; "
            "many people may share one."
        ),
    ] = 300

    @property
    def connections(self) -> int:
        """The connections to the database that one process may need at once."""
        return 2 * self.requests_at_once + CONNECTIONS_BESIDE


class ServingSettings(AccessSettings, OperationsSettings, WebhookSettings, LoadSettings):
    """What an installation decides about its pages and its API."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: Annotated[
        str,
        Field(description="SQLAlchemy URL of the serving database; empty: SQLite in the home."),
    ] = ""
    idempotency_hours: Annotated[
        PositiveInt, Field(description="How long a write sent again is known as such.")
    ] = 24
    rescore_wait_s: Annotated[
        PositiveInt, Field(description="How long a fresh score waits for its turn.")
    ] = 10
    max_snooze_days: Annotated[
        PositiveInt, Field(description="How long an alert can be put off at most.")
    ] = 90
    act_within_minutes: Annotated[
        dict[str, PositiveInt],
        Field(description="Minutes until somebody should have been reached, by level."),
    ] = {"red": 5, "orange": 15, "yellow": 120, "blue": 1440}
    follow_up_days: Annotated[
        dict[str, tuple[PositiveInt, ...]],
        Field(
            description="Days until somebody asks again, by scam type; "
            "for others those of the call script."
        ),
    ] = {}
    series_gap_days: Annotated[
        PositiveInt,
        Field(description="Alerts of one person that lie no more days apart are one series."),
    ] = 7
    max_suppression_days: Annotated[
        PositiveInt, Field(description="How long a person can be kept from being alerted at most.")
    ] = 180
    outreach_hours: Annotated[
        PositiveInt, Field(description="How long a printed or exported list holds.")
    ] = 24
    carry_over_days: Annotated[
        int,
        Field(
            ge=0,
            description="Who was not reached stays on the outreach lists for so many days more.",
        ),
    ] = 2
    queue_days: Annotated[
        PositiveInt, Field(description="Alerts so many days back stand in the queue.")
    ] = 7
    claim_minutes: Annotated[
        PositiveInt, Field(description="How long an alert is kept for whoever took it.")
    ] = 30
    assignment_hours: Annotated[
        PositiveInt, Field(description="And for whom a colleague gave it to.")
    ] = 12
    live_poll_s: Annotated[
        float,
        Field(gt=0, le=3600, description="How often the pages' news are looked for."),
    ] = 1.0
    live_stream_s: Annotated[
        float,
        Field(
            gt=0,
            le=86_400,
            description="A stream of news lasts so long before its reader shows anew who they are.",
        ),
    ] = 300.0
    visit_from_age: Annotated[PositiveInt, Field(description="From this age on never a text.")] = 60

    @field_validator("act_within_minutes")
    @classmethod
    def _every_level(cls, minutes: dict[str, int]) -> dict[str, int]:
        if minutes.keys() != LEVELS.keys():
            raise ValueError(f"act_within_minutes needs exactly the levels {', '.join(LEVELS)}")
        return minutes
