"""What the API says about alerts."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import (
    AfterValidator,
    AliasChoices,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

from data_contracts.words.everyday_reasons import present_code
from serving.alerts.levels import shown_level
from serving.database.tables import AlertRow, DispositionRow
from serving.http.fields import Code, IsoMoment
from serving.vocabulary.alerts import Direction, EventChannel, Level
from serving.vocabulary.dispositions import ContactChannel, Result, Source, Status
from serving.vocabulary.times import SHANGHAI

__all__ = [
    "Alert",
    "AlertDetail",
    "AlertFilter",
    "AlertId",
    "AlertPage",
    "AlertQuery",
    "Contribution",
    "Disposition",
    "Reason",
    "ScorePoint",
    "SortKey",
    "TimelineEvent",
    "TouchedResident",
    "summary_of",
]


AlertId = Annotated[str, Path(pattern=r"^al_[0-9a-f]{20}$", examples=["al_70e33fc382b6ce87451a"])]
LocalMoment = Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(SHANGHAI))]
SortKey = Literal["rank", "score", "saving_cny", "issued_at"]
EXAMPLE_ID = "al_70e33fc382b6ce87451a"
EXAMPLE_PERSON = "p1_9f2c41d07ab35e68"


class Disposition(BaseModel):
    """What somebody found, the ``version``-th word on its alert.

    ``level`` is the level the alert was raised to, if it was. ``copied_from`` is the alert of the
    same episode that the result was recorded on, ``list_id`` the outreach list that it was entered
    from.
    """

    model_config = ConfigDict(from_attributes=True)

    alert_id: Annotated[str, Field(examples=["al_70e33fc382b6ce87451a"])]
    version: Annotated[int, Field(examples=[1])]
    result: Annotated[Result, Field(examples=["stopped"])]
    note: Annotated[str, Field(examples=["已当面劝阻，未转账"])]
    found_at: datetime | None
    met_by: Annotated[str | None, Field(examples=["li.wei"])]
    channel: ContactChannel | None
    paid_cny: float | None
    prevented_cny: float | None
    snoozed_until: datetime | None
    level: Level | None
    escalated_to: str | None
    escalated_why: str | None
    merged_into: str | None
    copied_from: str | None
    source: Source
    list_id: str | None
    decided_at: datetime
    decided_by: Annotated[str, Field(examples=["li.wei"])]


class Reason(BaseModel):
    """A plain sentence why, with its share of the score in log-odds."""

    model_config = ConfigDict(from_attributes=True)

    code: Annotated[
        str,
        BeforeValidator(present_code),  # as rows of earlier versions have it
        Field(examples=["long_stranger_call"]),
    ]
    zh: Annotated[str, Field(examples=["3 天内 5 个陌生号码来电，最长 84 分钟"])]
    en: Annotated[
        str, Field(examples=["5 strangers called within 3 days, the longest for 84 minutes"])
    ]
    contribution: Annotated[float, Field(examples=[1.9])]


class Contribution(BaseModel):
    """One feature's SHAP contribution in log-odds; ``value`` is null where it is unknown."""

    model_config = ConfigDict(from_attributes=True)

    feature: Annotated[str, Field(examples=["stranger_call_max_s_72h"])]
    value: Annotated[float | None, Field(examples=[5040.0])]
    contribution: Annotated[float, Field(examples=[1.9])]
    zh: Annotated[str, Field(examples=["72 小时内最长陌生通话（秒）"])]
    en: Annotated[str, Field(examples=["Longest call with a stranger in 72 hours (s)"])]


class TimelineEvent(BaseModel):
    """A call, a text or a movement of money of the person, as it was known when the alert was
    issued.

    ``direction`` is seen from the person. ``is_stranger``: the person first dealt with the other
    party less than 15 days before; ``first_seen``: this was the first time.
    """

    at: LocalMoment
    channel: EventChannel
    direction: Direction
    peer: Annotated[
        str, Field(description="Pseudonym of the other number or account.", examples=["n1_5be0"])
    ]
    peer_kind: Annotated[str, Field(examples=["virtual"])]
    reached: Annotated[
        int, Field(description="Residents it had reached in 14 days.", examples=[41])
    ]
    duration_s: Annotated[int | None, Field(examples=[5040])]
    amount_cny: Annotated[float | None, Field(examples=[None])]
    is_stranger: bool
    first_seen: bool
    reputation: Annotated[
        float | None,
        Field(
            # As rows of earlier versions have it
            validation_alias=AliasChoices("reputation", "suspect_score"),
            description="How much the peer looks like a fraud's, 0 to 1; null if not computed.",
            examples=[0.93],
        ),
    ]
    just_paid: Annotated[
        bool | None,
        Field(
            description="One of the payments that already_paid_cny adds up; null of anything else.",
            examples=[None],
        ),
    ] = None


class TouchedResident(BaseModel):
    """A resident whom a suspect of the alert (``key``) dealt with too; ``alert_id`` where there is
    an alert as well.
    """

    key: Annotated[str, Field(examples=["n1_5be0"])]
    person: Annotated[str, Field(examples=[EXAMPLE_PERSON])]
    community_id: Annotated[str, Field(examples=["C01"])]
    channel: EventChannel
    last_at: LocalMoment
    alert_id: Annotated[str | None, Field(examples=[EXAMPLE_ID])] = None


class ScorePoint(BaseModel):
    """How likely the person was in an episode at a moment."""

    at: datetime
    score: Annotated[float, Field(examples=[0.61])]


class Alert(BaseModel):
    """One person on a list. ``score`` is a probability; ``status`` is ``open`` or the last result.

    ``level`` is the one the list was published with, or the one somebody raised it to.
    """

    model_config = ConfigDict(from_attributes=True)

    id: Annotated[str, Field(examples=[EXAMPLE_ID])]
    watchlist_id: Annotated[int, Field(examples=[17])]
    person: Annotated[str, Field(examples=[EXAMPLE_PERSON])]
    rank: Annotated[int, Field(examples=[1])]
    issued_at: datetime
    level: Annotated[Level, Field(examples=["red"])]
    score: Annotated[float, Field(examples=[0.83])]
    baseline_score: Annotated[float, Field(examples=[0.5])]
    scam_type: Annotated[str, Field(examples=["police"])]
    community_id: Annotated[str, Field(examples=["C01"])]
    grid_id: Annotated[str, Field(examples=["C01-G3"])]
    at_stake_cny: Annotated[float | None, Field(examples=[52_000.0])]
    saving_cny: Annotated[
        float | None,
        Field(
            description="What a warning can be expected to save; null where unknown.",
            examples=[21_000.0],
        ),
    ]
    already_paid_cny: Annotated[
        float | None,
        Field(
            description="What has gone to new accounts outside the district, where the main "
            "payment seems to be among it: have it stopped. Null: nothing says so.",
            examples=[36_000.0],
        ),
    ]
    realert: bool
    status: Annotated[Status, Field(examples=["open"])]
    reasons: list[Reason]


class AlertDetail(Alert):
    """An alert with all that explains it.

    ``withdrawn``: a newer revision of its list no longer names the person.
    """

    at: datetime
    first_contact_at: Annotated[
        datetime | None,
        Field(description="When a suspect that the alert names was first heard of."),
    ]
    base_value: Annotated[
        float, Field(description="Log-odds that the contributions start from.", examples=[-4.1])
    ]
    contributions: list[Contribution]
    missing: Annotated[
        list[str],
        Field(
            description="Records that lack this person: `kind`, `kind:source` or "
            "`kind:source:day it began`.",
            examples=[["transfers:icbc:2026-07-03"]],
        ),
    ]
    age_band: Annotated[str | None, Field(examples=["65-74"])]
    suspect_numbers: Annotated[list[str], Field(examples=[["n1_5be0"]])]
    suspect_accounts: Annotated[list[str], Field(examples=[["a1_77c2"]])]
    timeline: Annotated[
        list[TimelineEvent], Field(description="The last 14 days, oldest first, at most 200.")
    ]
    touched: Annotated[
        list[TouchedResident],
        Field(description="Whom else the suspects dealt with, as far as the reader may see them."),
    ]
    model_version: Annotated[str, Field(examples=["3"])]
    model_digest: Annotated[str, Field(examples=["sha256:9c1f…"])]
    data_version: Annotated[str, Field(examples=["calls@41"])]
    contract_version: Annotated[str, Field(examples=["1.0.0"])]
    withdrawn: bool
    version: Annotated[
        int, Field(description="Number of dispositions; send it with the next one.", examples=[0])
    ]
    dispositions: list[Disposition]


class AlertPage(BaseModel):
    """A page of alerts; ``next_cursor`` is null on the last one."""

    items: list[Alert]
    next_cursor: str | None


class AlertFilter(BaseModel):
    """Filters and order of alerts; ``rank`` sorts upwards, everything else downwards."""

    model_config = ConfigDict(extra="forbid")

    level: Level | None = None
    scam_type: Code | None = None
    community_id: Code | None = None
    status: Status | None = None
    since: Annotated[IsoMoment | None, Field(description="Issued at or after; with its zone.")] = (
        None
    )
    sort: SortKey = "issued_at"


class AlertQuery(AlertFilter):
    """A page of alerts: which ones, in which order, after which."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[
        str | None, Field(max_length=200, description="`next_cursor` of the page before.")
    ] = None


def summary_of(alert: AlertRow, decision: DispositionRow | None) -> dict[str, Any]:
    """Return the fields of ``Alert`` from an alert and its last disposition."""
    own = {
        name: getattr(alert, name)
        for name in Alert.model_fields
        if name not in {"id", "level", "status"}
    }
    status = decision.result if decision else "open"
    return own | {"id": alert.alert_id, "level": shown_level(alert, decision), "status": status}
