"""What an installation decides about coming in: logins, passwords, lockout, tokens, the identity provider."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveInt, SecretStr
from pydantic_settings import BaseSettings

__all__ = ["AccessSettings"]


class AccessSettings(BaseSettings):
    """The part of the serving room's settings that says who comes in, and for how long."""

    secure_cookies: Annotated[bool, Field(description="Send the cookie over TLS only; set it wherever TLS is.")] = False
    session_hours: Annotated[PositiveInt, Field(description="How long a login on the pages lasts at most.")] = 12
    session_idle_minutes: Annotated[PositiveInt, Field(description="A login that nobody uses ends after this.")] = 60
    password_length: Annotated[int, Field(ge=12, le=64, description="Shortest password.")] = 12
    password_days: Annotated[NonNegativeInt, Field(description="A password holds so long; 0: for ever.")] = 90
    invitation_hours: Annotated[PositiveInt, Field(description="How long a link to choose a password works.")] = 72
    token_days: Annotated[PositiveInt, Field(description="The longest a machine's token can be good for.")] = 365
    lockout_failures: Annotated[PositiveInt, Field(description="Failed logins of one account that lock it.")] = 5
    lockout_address_failures: Annotated[
        PositiveInt, Field(description="Failed logins from one address that lock it; many people may share one.")
    ] = 30
    lockout_window_minutes: Annotated[PositiveInt, Field(description="Failures are forgotten after this.")] = 15
    lockout_minutes: Annotated[PositiveInt, Field(description="The first lock; each further failure doubles it.")] = 1
    lockout_max_minutes: Annotated[PositiveInt, Field(description="The longest lock.")] = 60
    oidc_issuer: Annotated[str | None, Field(description="Address of the OpenID Connect provider, if any.")] = None
    oidc_client_id: Annotated[str, Field(description="What the provider calls this installation.")] = "forestall"
    oidc_client_secret: Annotated[SecretStr, Field(description="The secret shared with the provider.")] = SecretStr("")
    oidc_scope: Annotated[str, Field(description="What the provider is asked for.")] = "openid profile"
    oidc_name_claim: Annotated[str, Field(description="The claim that names the user.")] = "preferred_username"
    oidc_role_claim: Annotated[str, Field(description="The claim, one word or several, that tells the role.")] = "roles"
    oidc_roles: Annotated[dict[str, str], Field(description="The role that each word of that claim stands for.")] = {
        "forestall-analyst": "analyst",
        "forestall-officer": "officer",
        "forestall-engineer": "engineer",
        "forestall-admin": "admin",
    }
    oidc_communities_claim: Annotated[str, Field(description="The claim with an officer's communities.")] = (
        "communities"
    )
    public_url: Annotated[
        str | None, Field(description="Where people reach the pages, as https://warning.example; OpenID needs it.")
    ] = None

    @property
    def session_lifetime(self) -> timedelta:
        """How long a login on the pages lasts at most."""
        return timedelta(hours=self.session_hours)

    @property
    def session_idle(self) -> timedelta:
        """How long a login lasts that nobody uses."""
        return timedelta(minutes=self.session_idle_minutes)
