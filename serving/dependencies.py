"""What endpoints are given: a session, the time, the settings and what the composition root handed in."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from serving.database import reading, writing
from serving.ports import IdentityVault, Rescorer
from serving.settings import ServingSettings

__all__ = ["Clock", "Now", "Reading", "Services", "ServicesOfApp", "Writing"]


class Clock(Protocol):
    """Tells the time."""

    def __call__(self) -> datetime:
        """Return the present moment, with its zone."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What one application works with."""

    engine: Engine
    settings: ServingSettings
    clock: Clock
    vault: IdentityVault | None = None
    rescorer: Rescorer | None = None
    rescoring: Lock = field(default_factory=Lock)


def services_of(request: Request) -> Services:
    """Return what the application of this request works with."""
    return cast("Services", request.app.state.services)


ServicesOfApp = Annotated[Services, Depends(services_of)]


def now_of(services: ServicesOfApp) -> datetime:
    """Return the present moment."""
    return services.clock()


def read_session(services: ServicesOfApp) -> Iterator[Session]:
    """Give a session that sees one moment of the database."""
    with reading(services.engine) as session:
        yield session


def write_session(services: ServicesOfApp) -> Iterator[Session]:
    """Give a session that is committed before the answer leaves, so that no answer promises what was not kept."""
    with writing(services.engine) as session:
        yield session


Now = Annotated[datetime, Depends(now_of)]
Reading = Annotated[Session, Depends(read_session, scope="function")]
Writing = Annotated[Session, Depends(write_session, scope="function")]
