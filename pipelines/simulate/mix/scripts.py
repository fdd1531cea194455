"""The settings of a story between a resident and a stranger, fraudulent or honest."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "CallerKind",
    "Clock",
    "Gather",
    "Kinds",
    "Lookalike",
    "Lure",
    "MixSettings",
    "Opening",
    "Payments",
    "Positive",
    "Reporting",
    "ScamType",
    "Script",
    "Share",
    "Sigma",
    "Talks",
]

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Sigma = Annotated[float, Field(ge=0)]
Clock = Literal["day", "office", "evening", "shops", "anytime"]
NumberKind = Literal[
    "mobile",
    "virtual",
    "landline",
    "local_landline",
    "service_95",
    "service_400",
    "service_106",
    "international",
]
# Two more ways a caller may appear: under a public office's number, or under one of the person's
# own contacts.
CallerKind = NumberKind | Literal["spoofed_public", "spoofed_contact"]
Kinds = dict[CallerKind, float]


class MixSettings(BaseModel):
    """Settings that refuse what they do not know and cannot be changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class Opening(MixSettings):
    """How it begins: a text, a call, or nothing that leaves a record."""

    text_share: Share = 0.2
    call_share: Share = 0.5
    call_s_median: Positive = 90
    call_s_sigma: Sigma = 0.8
    text_kinds: Kinds = {"service_106": 0.45, "virtual": 0.3, "mobile": 0.25}


class Talks(MixSettings):
    """The calls that follow the opening."""

    share: Share = 0.5
    count: tuple[int, int] = (1, 3)
    callers: tuple[int, int] = (1, 1)
    minutes_median: Positive = 8
    minutes_sigma: Sigma = 0.8
    callback_share: Share = 0.25
    unanswered_share: Share = 0.15
    on_the_line_share: Share = 0.0  # the last talk still runs while the first payment is made
    text_share: Share = 0.1  # a talk that is a text instead
    after_contact_share: Share = 0.2  # one more talk also where the contact comes to nothing


class Lure(MixSettings):
    """A small sum out and a little more back; or, as a gift, only the sum back."""

    share: Share = 0.0
    rounds: tuple[int, int] = (1, 1)
    stake_cny: tuple[float, float] = (50, 500)
    profit: tuple[float, float] = (0.03, 0.3)
    gift_share: Share = 0.0
    back_h: tuple[float, float] = (0.1, 2)
    same_account_share: Share = 0.75  # the sum comes back from the account it went to
    begins: tuple[float, float] = (0.1, 0.7)  # as a share of the way from contact to first payment


class Gather(MixSettings):
    """Money made ready before it is paid: own accounts pooled, a loan, help from family."""

    pool_share: Share = 0.0
    loan_share: Share = 0.0
    family_share: Share = 0.0


class Payments(MixSettings):
    """The payments themselves; the total is drawn and then divided."""

    share: Share = 1.0
    count: tuple[int, int] = (1, 3)
    total_cny_median: Positive = 10_000
    total_cny_sigma: Sigma = 1.1
    growth: tuple[float, float] = (0.7, 1.6)  # from one payment to the next
    gap_h_median: Positive = 1
    gap_h_sigma: Sigma = 0.9
    new_payee_share: Share = 0.5  # the next payment goes to another payee
    quit_share: Share = 0.05  # gives up after any payment
    refund_share: Share = 0.0  # the whole comes back days later


class Script(MixSettings):
    """A story between a resident and a stranger. Honest and fraudulent stories are played by the
    same engine.
    """

    clock: Clock = "day"
    age_mean: float = 40
    age_sd: Positive = 16
    caller_kinds: Kinds = {"mobile": 1.0}
    opening: Opening = Opening()
    talks: Talks = Talks()
    lure: Lure = Lure()
    gather: Gather = Gather()
    payments: Payments = Payments()
    delay_h_median: Positive = 12  # first contact to first payment
    delay_h_sigma: Sigma = 0.8


class Reporting(MixSettings):
    """Whether and when a victim goes to the police."""

    loss_share: Share = 0.72
    small_share: Share = 0.5
    small_below_cny: float = 3000
    attempt_share: Share = 0.18
    delay_h_median: Positive = 24
    delay_h_sigma: Sigma = 1.1
    number_recall_share: Share = 0.85
    account_recall_share: Share = 0.95


class ScamType(Script):
    """One scam type: a script, its share of all episodes, and how it is reported."""

    weight: Positive = 1.0
    reporting: Reporting = Reporting()


class Lookalike(Script):
    """One honest story that resembles fraud."""

    per_1000_days: Annotated[float, Field(ge=0)] = 0.1  # stories per 1,000 residents and day
    shared_number_share: Share = (
        0.2  # the caller also calls others (an agent, a school, a sales team)
    )
    shared_account_share: Share = 0.4  # the payee is also paid by others
    merchant_share: Share = 0.0  # the payee is a merchant code
    trade_only: bool = False  # only people whose work brings strangers
