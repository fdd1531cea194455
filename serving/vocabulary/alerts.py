"""The words of alerts: levels, kinds, reasons, and what is published of a person's last days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal

__all__ = [
    "LADDER",
    "OTHER",
    "SUSPECT_REPUTATION",
    "URGENCY",
    "Contribution",
    "Direction",
    "EventChannel",
    "Kind",
    "Level",
    "Reason",
    "SuspectKind",
    "TimelineEvent",
    "TouchedResident",
]

Kind = Literal["nightly", "intraday"]
Level = Literal["red", "orange", "yellow", "blue"]
SuspectKind = Literal["number", "account"]
EventChannel = Literal["call", "text", "transfer"]
Direction = Literal["in", "out"]
SUSPECT_REPUTATION = 0.5  # a number or an account with a worse reputation is shown as suspect
LADDER: tuple[Level, ...] = ("blue", "yellow", "orange", "red")
URGENCY: Mapping[str, int] = MappingProxyType({"red": 0, "orange": 1, "yellow": 2, "blue": 3})
OTHER: Final = "other"  # the name under which contributions too small to list are added up


@dataclass(frozen=True, kw_only=True)
class TimelineEvent:
    """One call, text or movement of money of a person, as it was known when the alert was issued.

    ``at`` is when it began. ``direction`` is seen from the person: ``out`` is a call they made or
    money they paid. ``peer`` is the pseudonym of the other number or account, ``peer_kind`` what
    kind it is, ``reached`` how many residents it had reached in 14 days, ``reputation`` (0 to 1, 1
    is the worst) what the model made of it then, where it was judged. ``is_stranger``: the person
    first dealt with it less than 15 days before; ``first_seen``: this was the first time;
    ``just_paid``: a payment to a new account outside the district that became known in the seven
    days before, one of those that ``already_paid_cny`` of an alert adds up, else None. Raises
    ValueError for a time without a zone, a call without ``duration_s`` or a transfer without
    ``amount_cny``.
    """

    at: datetime
    channel: EventChannel
    direction: Direction
    peer: str
    peer_kind: str
    reached: int
    duration_s: int | None = None
    amount_cny: float | None = None
    is_stranger: bool = False
    first_seen: bool = False
    reputation: float | None = None
    just_paid: bool | None = None

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("at needs a zone")
        if self.channel == "call" and self.duration_s is None:
            raise ValueError("a call needs duration_s")
        if self.channel == "transfer" and self.amount_cny is None:
            raise ValueError("a transfer needs amount_cny")


@dataclass(frozen=True, kw_only=True)
class TouchedResident:
    """A resident whom a suspect of the alert (``key``, a pseudonym) dealt with too, and when it
    last did.
    """

    key: str
    person: str
    community_id: str
    channel: EventChannel
    last_at: datetime

    def __post_init__(self) -> None:
        if self.last_at.tzinfo is None:
            raise ValueError("last_at needs a zone")


@dataclass(frozen=True, kw_only=True)
class Reason:
    """A plain sentence why, in both languages, with its share of the score in log-odds."""

    code: str
    zh: str
    en: str
    contribution: float


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """One feature's SHAP contribution in log-odds; ``value`` is None where the feature is unknown.

    ``zh`` and ``en`` tell the feature with its value. The feature ``other`` adds up what is not
    listed by itself.
    """

    feature: str
    value: float | None
    contribution: float
    zh: str
    en: str
