"""Trying a delivered file against a mapping, and making a mapping a source's own."""

import hashlib
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field
from sqlalchemy.orm import Session

from serving.context.ports import DeliveryTrial
from serving.database.audit_chain import record_action
from serving.http.errors import ProblemError
from serving.vocabulary.roles import Viewer

__all__ = ["MappingText", "SourceName", "require_trial", "save_mapping"]

DIGEST_SHOWN = 16

SourceName = Annotated[
    str,
    BeforeValidator(lambda value: value.strip() if isinstance(value, str) else value),
    Field(max_length=60, pattern=r"^\w[\w-]*$"),
]
"""The name of a source, as its files and its mapping have it: letters and digits."""

MappingText = Annotated[
    str,
    BeforeValidator(lambda value: value.replace("\r\n", "\n") if isinstance(value, str) else value),
    Field(max_length=60_000),
]
"""The YAML of a mapping; forms send its lines with two signs at their ends."""


def save_mapping(
    session: Session,
    *,
    viewer: Viewer,
    source: str,
    mapping: str,
    trial: DeliveryTrial | None,
    at: datetime,
) -> None:
    """Make ``mapping`` the mapping of the source; audited with its digest.

    Raises SettingsError with the line at fault where it cannot be used.
    """
    require_trial(trial).save_mapping(source, mapping)
    record_action(
        session,
        at=at,
        actor=viewer.name,
        action="mapping-saved",
        subject=f"mapping {source}",
        digest=hashlib.sha256(mapping.encode()).hexdigest()[:DIGEST_SHOWN],
    )


def require_trial(trial: DeliveryTrial | None) -> DeliveryTrial:
    """Return the trial; raises a 503 problem in a process that reads no deliveries."""
    if trial is None:
        raise ProblemError(
            503,
            "Deliveries are not read by this process.",
            remedy="Start it with forestall serve, beside the lake.",
        )
    return trial
