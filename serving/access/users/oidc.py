"""Login through an OpenID Connect provider: authorization code with PKCE, and what the claims
make of a user.

Between leaving for the provider and coming back, state, nonce and verifier wait in a cookie of the
browser that left: only that browser can finish the login it began. Authlib speaks the protocol; the
ID token is believed only when signed by a key of the provider, for this client, with this nonce,
and not expired.
"""

import hmac
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy.orm import Session

from serving.access.repository import UserRepository
from serving.access.users.schemas import UserChanges
from serving.access.users.service import change_user, create_user
from serving.context.settings import AccessSettings
from serving.database.tables import UserRow
from serving.http.errors import ProblemError
from serving.vocabulary.roles import Role

__all__ = [
    "CALLBACK",
    "PendingLogin",
    "ProviderIdentity",
    "begin_login",
    "finish_login",
    "user_for_identity",
]

log = logging.getLogger("serving.access")

CALLBACK = "/login/provider/back"
PROVIDER = "identity provider"  # who acts, in the trail, when a login changes a user
TIMEOUT_S = 10
CLOCK_LEEWAY_S = 60
# Signed with the provider's own key, never with a shared secret
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]


@dataclass(frozen=True, kw_only=True)
class PendingLogin:
    """A login that waits for its browser to come back."""

    state: str
    nonce: str
    verifier: str

    def as_cookie(self) -> str:
        """Return what the cookie holds."""
        return json.dumps(asdict(self))

    @classmethod
    def of_cookie(cls, value: str) -> "PendingLogin":
        """Return the login of a cookie. Raises a 401 problem for one that we did not set."""
        try:
            return cls(**json.loads(value))
        except (ValueError, TypeError):
            raise _untrusted_login() from None


@dataclass(frozen=True, kw_only=True)
class ProviderIdentity:
    """Who the provider says it is: ``subject`` is theirs for ever, the rest may change from login
    to login.
    """

    subject: str
    name: str
    role: Role
    communities: tuple[str, ...]


def begin_login(settings: AccessSettings) -> tuple[str, PendingLogin]:
    """Return the address at the provider to which the browser goes, and what to remember until it
    comes back.
    """
    from authlib.common.security import generate_token

    pending = PendingLogin(
        state=generate_token(32), nonce=generate_token(32), verifier=generate_token(64)
    )
    with _client(settings) as client:
        endpoint = _metadata(client, settings)["authorization_endpoint"]
        address, _ = client.create_authorization_url(
            endpoint, state=pending.state, nonce=pending.nonce, code_verifier=pending.verifier
        )
    return str(address), pending


def finish_login(
    settings: AccessSettings, *, pending: PendingLogin, state: str, code: str, at: datetime
) -> ProviderIdentity:
    """Exchange the code for an ID token and return who it names.

    Raises a 401 problem for a login that was not begun by this browser or a token that cannot be
    believed, a 403 problem for somebody who has no role here, a 503 problem while the provider does
    not answer.
    """
    if not hmac.compare_digest(pending.state.encode(), state.encode()):
        raise _untrusted_login()
    return identity_from_claims(settings, _claims(settings, pending=pending, code=code, at=at))


def identity_from_claims(settings: AccessSettings, claims: Mapping[str, Any]) -> ProviderIdentity:
    """Return who the claims name. Raises a 403 problem for somebody who has no role here."""
    values = _claim_values(claims.get(settings.oidc_role_claim))
    roles = [role for role in Role if role in {settings.oidc_roles.get(value) for value in values}]
    name = str(claims.get(settings.oidc_name_claim) or "")
    communities = tuple(_claim_values(claims.get(settings.oidc_communities_claim)))
    if not roles or not name or (roles == [Role.OFFICER] and not communities):
        raise ProblemError(
            403,
            "Your account has no role here.",
            remedy="Ask an administrator to give it one at the provider.",
        )
    role = roles[-1]  # of several the one that may do most: roles are declared in that order
    return ProviderIdentity(
        subject=f"{claims['iss']}|{claims['sub']}", name=name, role=role, communities=communities
    )


def user_for_identity(session: Session, identity: ProviderIdentity, *, at: datetime) -> UserRow:
    """Return the user, added at the first login and brought in line with the claims at each.

    Raises a 403 problem for somebody whom an administrator has disabled, or whose name a local user
    has.
    """
    users = UserRepository(session)
    user = users.by_subject(identity.subject)
    communities = identity.communities if identity.role is Role.OFFICER else ()
    if user is None:
        if users.by_name(identity.name):
            raise ProblemError(
                403, "Somebody else has this name here.", remedy="Ask an administrator."
            )
        return create_user(
            session,
            name=identity.name,
            role=identity.role,
            communities=communities,
            at=at,
            actor=PROVIDER,
            subject=identity.subject,
        )
    if user.disabled_at is not None:
        raise ProblemError(403, "This user is disabled.", remedy="Ask an administrator.")
    changes = UserChanges(role=identity.role, communities=list(communities))
    change_user(session, name=user.name, changes=changes, at=at, actor=PROVIDER)
    return user


def _claims(
    settings: AccessSettings, *, pending: PendingLogin, code: str, at: datetime
) -> Mapping[str, Any]:
    from authlib.integrations.base_client import OAuthError
    from authlib.oidc.core import CodeIDToken
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet, KeySetSerialization

    with _client(settings) as client:
        metadata = _metadata(client, settings)
        keys = _json_of(client, metadata["jwks_uri"])
        try:
            token = client.fetch_token(
                metadata["token_endpoint"],
                grant_type="authorization_code",
                code=code,
                code_verifier=pending.verifier,
            )
            decoded = jwt.decode(
                token["id_token"],
                KeySet.import_key_set(cast("KeySetSerialization", keys)),
                algorithms=ALGORITHMS,
            )
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {
                    "iss": {"essential": True, "value": settings.oidc_issuer},
                    "aud": {"value": settings.oidc_client_id},
                },
                {
                    "nonce": pending.nonce,
                    "client_id": settings.oidc_client_id,
                    "access_token": token["access_token"],
                },
            )
            claims.validate(now=int(at.timestamp()), leeway=CLOCK_LEEWAY_S)
        except (OAuthError, JoseError, KeyError, ValueError) as error:
            log.warning(
                "a login through the identity provider was not believed: %s", type(error).__name__
            )
            raise _untrusted_login() from None
    return cast("Mapping[str, Any]", claims)


@contextmanager
def _client(settings: AccessSettings) -> Iterator[Any]:
    """Give Authlib's client; a provider that does not answer is a 503 problem."""
    from authlib.integrations.requests_client import OAuth2Session
    from requests import RequestException

    if settings.oidc_issuer is None or settings.public_url is None:
        raise ProblemError(
            404, "There is no identity provider here.", remedy="Log in with your name and password."
        )
    secret = settings.oidc_client_secret.get_secret_value()
    client = OAuth2Session(
        client_id=settings.oidc_client_id,
        client_secret=secret,
        token_endpoint_auth_method="client_secret_basic" if secret else "none",
        scope=settings.oidc_scope,
        redirect_uri=settings.public_url.rstrip("/") + CALLBACK,
        code_challenge_method="S256",
        default_timeout=TIMEOUT_S,
    )
    try:
        with client:
            yield client
    except RequestException:
        raise ProblemError(
            503,
            "The identity provider does not answer.",
            remedy="Try again, or log in with a password.",
        ) from None


def _metadata(client: Any, settings: AccessSettings) -> Mapping[str, Any]:
    """Return what the provider says about itself.

    One that calls itself otherwise is not the one that was meant.
    """
    issuer = str(settings.oidc_issuer)
    found = _json_of(client, issuer.rstrip("/") + "/.well-known/openid-configuration")
    if found.get("issuer") != issuer:
        raise ProblemError(
            503, "The identity provider names another issuer.", remedy="Tell the administrator."
        )
    return found


def _json_of(client: Any, address: str) -> Mapping[str, Any]:
    answer = client.get(address, withhold_token=True)
    answer.raise_for_status()
    return cast("Mapping[str, Any]", answer.json())


def _claim_values(value: object) -> Sequence[str]:
    """Return the values of a claim, whether it came as one text or as a list."""
    if isinstance(value, str):
        return value.split()
    return [str(item) for item in value] if isinstance(value, list) else []


def _untrusted_login() -> ProblemError:
    return ProblemError(401, "This login cannot be believed.", remedy="Begin it again.")
