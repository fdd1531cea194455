"""What is published of a person's last days, and of whom else the suspects of an alert reached."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

__all__ = ["Channel", "Direction", "TimelineEvent", "TouchedResident"]

Channel = Literal["call", "text", "transfer"]
Direction = Literal["in", "out"]


@dataclass(frozen=True, kw_only=True)
class TimelineEvent:
    """One call, text or movement of money of a person, as it was known when the alert was issued.

    ``at`` is when it began. ``direction`` is seen from the person: ``out`` is a call they made or money they paid.
    ``peer`` is the pseudonym of the other number or account, ``peer_kind`` what kind it is, ``reached`` how many
    residents it had reached in 14 days, ``suspect_score`` (0 to 1) how bad its name was then, where it had one.
    ``is_stranger``: the person first dealt with it less than 15 days before; ``first_seen``: this was the first time.
    Raises ValueError for a time without a zone, a call without ``duration_s`` or a transfer without ``amount_cny``.
    """

    at: datetime
    channel: Channel
    direction: Direction
    peer: str
    peer_kind: str
    reached: int
    duration_s: int | None = None
    amount_cny: float | None = None
    is_stranger: bool = False
    first_seen: bool = False
    suspect_score: float | None = None

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("at needs a zone")
        if self.channel == "call" and self.duration_s is None:
            raise ValueError("a call needs duration_s")
        if self.channel == "transfer" and self.amount_cny is None:
            raise ValueError("a transfer needs amount_cny")


@dataclass(frozen=True, kw_only=True)
class TouchedResident:
    """A resident whom a suspect of the alert (``key``, a pseudonym) dealt with too, and when it last did."""

    key: str
    person: str
    community_id: str
    channel: Channel
    last_at: datetime

    def __post_init__(self) -> None:
        if self.last_at.tzinfo is None:
            raise ValueError("last_at needs a zone")
