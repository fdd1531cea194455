"""What the API says about the queue."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from serving.alerts.schemas import Alert
from serving.casework.claims.schemas import Claim
from serving.http.fields import Code
from serving.vocabulary.alerts import Level
from serving.vocabulary.dispositions import Status

__all__ = [
    "ME",
    "NOBODY",
    "PAGE",
    "WAITING",
    "Change",
    "Changes",
    "Queue",
    "QueueItem",
    "QueueQuery",
    "Why",
]

ME, NOBODY, WAITING, EVERY = "me", "nobody", "waiting", "all"
PAGE = 50
Why = Literal["new_alert", "new_money", "new_evidence", "settled", "put_off", "superseded"]


class QueueQuery(BaseModel):
    """Filters of the queue. Without any it holds what waits for somebody."""

    model_config = ConfigDict(extra="forbid")

    level: Level | None = None
    scam_type: Code | None = None
    community_id: Code | None = None
    status: Annotated[
        Literal["waiting", "all"] | Status, Field(description="`waiting`: not settled yet.")
    ] = "waiting"
    assignee: Annotated[
        Code | None, Field(description="`me`, `nobody`, or the name of a colleague.")
    ] = None
    since: Annotated[
        int | None,
        Field(
            ge=0,
            lt=2**31,
            description="Compare with how it stood after this change.",
            examples=[12],
        ),
    ] = None
    page: Annotated[int, Field(ge=1, le=1000)] = 1


class QueueItem(Alert):
    """One alert of the queue.

    ``level`` is the one it was raised to, if it was. ``act_by``: until then somebody should have
    been reached; null once it is settled. The lead so far runs from ``lead_since``: the first
    contact with a suspect, or the alert.
    """

    position: Annotated[
        int, Field(description="Place among all that wait; 0 where it does not.", examples=[1])
    ]
    waits: bool
    act_by: datetime | None
    overdue: bool
    lead_since: datetime
    lead_from: Literal["contact", "alert"]
    claim: Claim | None
    score_now: Annotated[
        float | None,
        Field(description="The latest score since, where there is one.", examples=[0.61]),
    ]


class Change(BaseModel):
    """What became of one person's place in the queue, and why.

    ``before`` and ``now`` count from 1; null: not in it.
    """

    alert_id: Annotated[str, Field(examples=["al_70e33fc382b6ce87451a"])]
    person: Annotated[str, Field(examples=["p1_9f2c41d07ab35e68"])]
    level: Level
    why: Why
    before: int | None
    now: int | None
    result: Annotated[Status | None, Field(description="With `settled` and `put_off`.")] = None
    by: str | None = None
    score_before: float | None = None
    score_now: float | None = None


class Changes(BaseModel):
    """What changed since a change of the past, the number of which is ``since``."""

    since: int
    since_at: datetime | None
    entered: list[Change]
    left: list[Change]
    moved: list[Change]


class Queue(BaseModel):
    """The queue as of now. ``at`` is the moment of the latest list, null before the first."""

    at: datetime | None
    waiting: Annotated[
        int, Field(description="Alerts that wait for somebody, whatever is filtered.")
    ]
    overdue: int
    unclaimed: int
    mine: int
    matching: Annotated[
        int, Field(description="Alerts that the filters let through, over all pages.")
    ]
    items: list[QueueItem]
    next_page: int | None
    last_change: Annotated[
        int, Field(description="Send it back as `since` to learn what changed since.")
    ]
    changes: Changes
    scam_types: Annotated[list[str], Field(examples=[["police"]])]
    communities: Annotated[list[str], Field(examples=[["C01"]])]
    assignees: Annotated[list[str], Field(examples=[["li.wei"]])]
