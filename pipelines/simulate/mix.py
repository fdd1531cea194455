"""The settings of a simulated district: who lives there, what they do, how the fraud runs.

Every number of the simulation stands here or in a YAML file laid over these defaults
(:func:`load_mix`), so that another district - other shares, a new scam type, spoofed ordinary
numbers, a bank silent for days - needs no code. Shares are probabilities in 0..1, pairs are
inclusive ranges, ``*_median`` and ``*_sigma`` describe a lognormal.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data_contracts.errors import SettingsError

__all__ = [
    "CallerKind",
    "Callers",
    "Daily",
    "Gather",
    "Lookalike",
    "Lure",
    "Mix",
    "Opening",
    "Outage",
    "Payments",
    "Population",
    "Reporting",
    "ScamType",
    "Script",
    "Season",
    "Talks",
    "load_mix",
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


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class Opening(_Settings):
    """How it begins: a text, a call, or nothing that leaves a record."""

    text_share: Share = 0.2
    call_share: Share = 0.5
    call_s_median: Positive = 90
    call_s_sigma: Sigma = 0.8
    text_kinds: Kinds = {"service_106": 0.45, "virtual": 0.3, "mobile": 0.25}


class Talks(_Settings):
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


class Lure(_Settings):
    """A small sum out and a little more back; or, as a gift, only the sum back."""

    share: Share = 0.0
    rounds: tuple[int, int] = (1, 1)
    stake_cny: tuple[float, float] = (50, 500)
    profit: tuple[float, float] = (0.03, 0.3)
    gift_share: Share = 0.0
    back_h: tuple[float, float] = (0.1, 2)
    same_account_share: Share = 0.75  # the sum comes back from the account it went to
    begins: tuple[float, float] = (0.1, 0.7)  # as a share of the way from contact to first payment


class Gather(_Settings):
    """Money made ready before it is paid: own accounts pooled, a loan, help from family."""

    pool_share: Share = 0.0
    loan_share: Share = 0.0
    family_share: Share = 0.0


class Payments(_Settings):
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


class Script(_Settings):
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


class Reporting(_Settings):
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
    """One scam type: a script, its share of all journeys, and how it is reported."""

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


class Callers(_Settings):
    """Numbers that call many residents."""

    per_10k: Positive = 10  # such numbers in use at a time, per 10,000 residents
    life_days: Annotated[float, Field(ge=0)] = 0  # mean life of a number; 0: in use throughout
    calls_per_day_median: Positive = 20
    calls_per_day_sigma: Sigma = 0.6
    kinds: Kinds = {"mobile": 1.0}
    answered_share: Share = 0.6
    hang_up_s_median: Positive = 21
    hang_up_s_sigma: Sigma = 0.45
    engaged_share: Share = 0.05
    engaged_s_median: Positive = 180
    engaged_s_sigma: Sigma = 0.8
    text_share: Share = 0.0
    clock: Clock = "office"
    tag: str | None = None
    tagged_share: Share = 0.0


class Season(_Settings):
    """A stretch of the year, as ``MM-DD`` to ``MM-DD``, with other spending and other scams."""

    first: Annotated[str, Field(pattern=r"^\d\d-\d\d$")]
    last: Annotated[str, Field(pattern=r"^\d\d-\d\d$")]
    spending: Positive = 1.0
    scams: dict[str, float] = {}


class Outage(_Settings):
    """A source that delivers nothing for some days."""

    source: str
    first_day: Annotated[int, Field(ge=0)]
    days: Annotated[int, Field(ge=1)]


class Population(_Settings):
    """Who lives in the district."""

    floating_share: Share = 0.24
    two_sims_share: Share = 0.30
    second_account_share: Share = 0.45
    trade_share: Share = 0.05
    abroad_share: Share = 0.015
    recycled_share: Share = 0.04  # numbers activated within the last 90 days
    age_mean: float = 42
    age_sd: Positive = 18
    age_range: tuple[int, int] = (16, 92)
    people_per_grid: int = 400
    grids_per_community: int = 5
    area_code: str = "0471"
    region_codes: tuple[str, ...] = ("150102", "150103", "150104", "150105", "150121")
    away_region_codes: tuple[str, ...] = (
        "230103",
        "370102",
        "410105",
        "510104",
        "340111",
        "610112",
        "130102",
    )


class Daily(_Settings):
    """The ordinary day of one resident: mean counts of events."""

    contact_calls: Positive = 3.7
    contacts: tuple[int, int] = (15, 45)
    resident_contact_share: Share = 0.35
    stranger_calls: Positive = 0.4
    one_off_share: Share = 0.1
    answered_share: Share = 0.8
    contact_s_median: Positive = 58
    contact_s_sigma: Sigma = 1.15
    stranger_s_median: Positive = 32
    stranger_s_sigma: Sigma = 0.7
    service_texts: Positive = 0.9
    personal_texts: Positive = 0.06
    merchant_payments: Positive = 1.25
    merchant_cny_median: Positive = 36
    merchant_cny_sigma: Sigma = 0.95
    known_payee_payments: Positive = 0.13
    known_payee_cny_median: Positive = 280
    known_payee_cny_sigma: Sigma = 1.05
    new_payee_payments: Positive = 0.04
    new_payee_cny_median: Positive = 110
    new_payee_cny_sigma: Sigma = 0.9
    own_account_moves: Positive = 0.025
    salary_cny_median: Positive = 5600
    pension_cny_median: Positive = 2600
    pay_days: tuple[int, ...] = (5, 10, 15)
    weekend_spending: Positive = 1.2
    weekend_calls: Positive = 0.92


class Mix(_Settings):
    """All settings of a district."""

    intensity: Positive = 1.0  # multiplies journeys, crews and mules alike
    losses_per_1000_days: Positive = (
        0.36  # journeys that end in a loss, per 1,000 residents and day
    )
    attempts_per_1000_days: Positive = 0.135
    contacts_per_1000_days: Positive = 1.78
    crews_per_10k: Positive = 14
    lines_per_crew: tuple[int, int] = (2, 4)
    line_life_days: Positive = 6
    mules_per_10k: Positive = 40  # mule accounts in use at a time; crews share them
    mules_per_crew: tuple[int, int] = (3, 6)
    mule_life_days: Positive = 2.5
    mule_merchant_share: Share = 0.1
    miscoded_share: Share = 0.03  # cases filed under another scam type
    cold_calls: Callers = Callers(
        calls_per_day_median=4, engaged_share=0.04, engaged_s_median=70
    )  # of each line
    cold_texts: Callers = Callers(calls_per_day_median=5, text_share=1.0, clock="day")
    population: Population = Population()
    daily: Daily = Daily()
    callers: dict[str, Callers] = Field(default_factory=lambda: _defaults("callers"))
    scams: dict[str, ScamType] = Field(default_factory=lambda: _defaults("scams"))
    lookalikes: dict[str, Lookalike] = Field(default_factory=lambda: _defaults("lookalikes"))
    seasons: tuple[Season, ...] = (
        Season(first="06-01", last="06-20", spending=1.3),
        Season(first="06-18", last="06-23", scams={"customer_service": 2.0}),
        Season(first="11-01", last="11-12", spending=1.4),
        Season(first="11-11", last="11-16", scams={"customer_service": 2.5, "fake_shopping": 1.5}),
        Season(
            first="08-25", last="09-10", spending=1.15, scams={"brushing": 1.2, "fake_loan": 1.3}
        ),
    )
    outages: tuple[Outage, ...] = ()


def _defaults(section: str) -> Any:
    return _default_document()[section]


def _default_document() -> dict[str, Any]:
    text = Path(__file__).with_name("district.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def _overlay(base: Any, top: Any) -> Any:
    """``top`` over ``base``: mappings are merged key by key, everything else is replaced."""
    if not isinstance(base, Mapping) or not isinstance(top, Mapping):
        return top
    return {**base, **{key: _overlay(base.get(key), value) for key, value in top.items()}}


def load_mix(path: Path) -> Mix:
    """The settings of a YAML file laid over the defaults; raises :class:`SettingsError` with the
    setting at fault.
    """
    try:
        top = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return Mix.model_validate(_overlay(_default_document(), top))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(
            f"The mix {path} cannot be read.", remedy="Give a YAML file in UTF-8."
        ) from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"The mix {path} is not valid at '{where}': {first['msg']}.") from error
