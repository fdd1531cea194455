"""What the API says about watchlists."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from serving.alerts.schemas import Alert
from serving.vocabulary.alerts import Kind

__all__ = ["Watchlist", "WatchlistPage", "WatchlistWithAlerts"]


class Watchlist(BaseModel):
    """A published list and the versions it can be made again from."""

    model_config = ConfigDict(from_attributes=True)

    id: Annotated[int, Field(examples=[17])]
    at: datetime
    kind: Annotated[Kind, Field(examples=["nightly"])]
    revision: Annotated[int, Field(examples=[1])]
    model_version: Annotated[str, Field(examples=["3"])]
    model_digest: Annotated[str, Field(examples=["sha256:9c1f…"])]
    data_version: Annotated[str, Field(examples=["calls@41"])]
    contract_version: Annotated[str, Field(examples=["1.0.0"])]
    budget: Annotated[int, Field(description="Alerts a calendar day may hold.", examples=[20])]
    residents_scored: Annotated[int, Field(examples=[15_000])]
    published_at: datetime
    superseded_at: Annotated[
        datetime | None, Field(description="Set when a newer revision took its place.")
    ]


class WatchlistPage(BaseModel):
    """A page of lists; ``next_cursor`` is null on the last one."""

    items: list[Watchlist]
    next_cursor: str | None


class WatchlistWithAlerts(Watchlist):
    """A list with its alerts, as far as the reader may see them."""

    alerts: list[Alert]
