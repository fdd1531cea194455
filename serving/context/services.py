"""What one application works with, and what endpoints are told of it."""

from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request
from sqlalchemy import Engine

from serving.context.ports import (
    DeliveryTrial,
    Finder,
    HomeWatch,
    IdentityVault,
    ModelPromoter,
    ReasonExplainer,
    Rescorer,
    Sealer,
)
from serving.context.settings import ServingSettings

__all__ = ["Clock", "Now", "Services", "ServicesOfApp"]


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
    finder: Finder | None = None
    rescorer: Rescorer | None = None
    promoter: ModelPromoter | None = None
    sealer: Sealer | None = None
    trial: DeliveryTrial | None = None
    explainer: ReasonExplainer | None = None
    home_watch: HomeWatch | None = None
    rescoring: Lock = field(default_factory=Lock)


# What waits for nothing is async: FastAPI gives every other dependency a thread, and handing a
# request to one takes longer than the dependency.
async def services_of(request: Request) -> Services:
    """Return what the application of this request works with."""
    return cast("Services", request.app.state.services)


ServicesOfApp = Annotated[Services, Depends(services_of)]


async def now_of(services: ServicesOfApp) -> datetime:
    """Return the present moment."""
    return services.clock()


Now = Annotated[datetime, Depends(now_of)]
