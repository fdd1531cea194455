"""What people call the actions of the audit trail, and their details."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from serving.presentation.translations import N_, NP_, Translator
from serving.presentation.wording import LEVELS, RESULTS, ROLES, scam_type_name

__all__ = ["ACTIONS", "describe_details"]

ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "login": NP_("audit", "logged in"),
        "login-failed": NP_("audit", "failed to log in"),
        "logout": NP_("audit", "logged out"),
        "password-changed": NP_("audit", "changed the password"),
        "factor-set": NP_("audit", "set up a second factor"),
        "factor-removed": NP_("audit", "removed a second factor"),
        "factor-recovered": NP_("audit", "used a recovery code"),
        "user-added": NP_("audit", "added a user"),
        "user-changed": NP_("audit", "changed a user"),
        "user-revoked": NP_("audit", "shut a user out"),
        "user-restored": NP_("audit", "let a user in again"),
        "user-reset": NP_("audit", "made a link for a password"),
        "user-unlocked": NP_("audit", "unlocked a user"),
        "token-issued": NP_("audit", "issued a token"),
        "token-revoked": NP_("audit", "revoked a token"),
        "claim": NP_("audit", "claimed an alert"),
        "release": NP_("audit", "released an alert"),
        "assign": NP_("audit", "assigned an alert"),
        "disposition": NP_("audit", "recorded a result"),
        "follow-up": NP_("audit", "followed up"),
        "escalate": NP_("audit", "escalated"),
        "merge": NP_("audit", "merged"),
        "snooze": NP_("audit", "put off"),
        "suppress": NP_("audit", "suppressed"),
        "unsuppress": NP_("audit", "ended a suppression"),
        "outreach-result": NP_("audit", "recorded an outreach result"),
        "search": NP_("audit", "searched"),
        "reveal": NP_("audit", "revealed"),
        "reveals-unusual": NP_("audit", "revealed unusually much"),
        "export": NP_("audit", "exported"),
        "print": NP_("audit", "printed"),
        "rescore": NP_("audit", "scored afresh"),
        "replay": NP_("audit", "repeated a request"),
        "promote": NP_("audit", "promoted a model"),
        "roll-back": NP_("audit", "rolled a model back"),
        "mapping-saved": NP_("audit", "saved a source's mapping"),
        "webhook-added": NP_("audit", "added a webhook"),
        "webhook-changed": NP_("audit", "changed a webhook"),
        "signing-began": NP_("audit", "began to sign the trail"),
        "webhook-removed": NP_("audit", "removed a webhook"),
        "erased-by-age": NP_("audit", "erased what is older than is kept"),
        "person-erased": NP_("audit", "erased a person"),
        "person-exported": NP_("audit", "handed out what is kept about a person"),
    }
)

DETAILS: Mapping[str, str] = MappingProxyType(
    {
        "address": NP_("audit detail", "from"),
        "alert": NP_("audit detail", "alert"),
        "alerts": NP_("audit detail", "alerts"),
        "before": NP_("audit detail", "of before"),
        "by": NP_("audit detail", "by"),
        "communities": NP_("audit detail", "communities"),
        "community_id": NP_("audit detail", "community"),
        "counts": NP_("audit detail", "rows by class"),
        "day": NP_("audit detail", "day"),
        "digest": NP_("audit detail", "digest"),
        "elsewhere": NP_("audit detail", "on other devices"),
        "expires_at": NP_("audit detail", "good until"),
        "file": NP_("audit detail", "file"),
        "form": NP_("audit detail", "form"),
        "level": NP_("audit detail", "level"),
        "list_id": NP_("audit detail", "list"),
        "manages": NP_("audit detail", "gives out users and tokens"),
        "name": NP_("audit detail", "name"),
        "owner": NP_("audit detail", "owner"),
        "read_only": NP_("audit detail", "for reading only"),
        "reason": NP_("audit detail", "reason"),
        "reveals": NP_("audit detail", "in an hour"),
        "result": NP_("audit detail", "result"),
        "role": NP_("audit detail", "role"),
        "last_result": NP_("audit detail", "last result"),
        "results": NP_("audit detail", "results"),
        "results_digest": NP_("audit detail", "digest of the results"),
        "results_erased": NP_("audit detail", "results erased"),
        "rows": NP_("audit detail", "rows"),
        "scam_type": NP_("audit detail", "scam type"),
        "status": NP_("audit detail", "status"),
        "token": NP_("audit detail", "token"),
        "until": NP_("audit detail", "until"),
        "url": NP_("audit detail", "address"),
    }
)

WAYS: Mapping[str, str] = MappingProxyType(
    {
        "password": NP_("login", "password"),
        "bearer": NP_("login", "token"),
        "token": NP_("login", "token"),
        "login": NP_("login", "link"),
        "invitation": NP_("login", "link for a password"),
        "factor": NP_("login", "second factor"),
        "provider": NP_("login", "account of the organisation"),
    }
)

YES = N_("yes")
VALUES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"by": WAYS, "role": ROLES, "result": RESULTS, "level": LEVELS}
)


def describe_details(details: Mapping[str, Any], say: Translator) -> Iterator[tuple[str, str]]:
    """Yield the name and the value of each detail that says something, as people read them."""
    for name, value in details.items():
        if value in (None, "", [], False):
            continue
        yield say.label(DETAILS, name), _value(name, value, say)


def _value(name: str, value: Any, say: Translator) -> str:
    if value is True:
        return say(YES)
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {item}" for key, item in value.items())
    if name == "scam_type":
        return scam_type_name(str(value), say.language)
    return say.label(VALUES.get(name, {}), str(value))
