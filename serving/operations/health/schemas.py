"""What the health checks say."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

__all__ = ["Live", "Ready"]


class Live(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """The process can serve; ``latest_at`` is the moment of the latest list, null before the first
    one.
    """

    status: Literal["ok"] = "ok"
    latest_at: datetime | None
    vault: Annotated[bool, Field(description="Outreach lists can be made.")]
    rescore: Annotated[bool, Field(description="People can be scored afresh.")]
