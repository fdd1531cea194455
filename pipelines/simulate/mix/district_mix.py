"""The settings of a simulated district: who lives there, what they do, how the fraud runs.

Every number of the simulation is here or in a YAML file laid over these defaults
(:func:`load_mix`), so that another district - other shares, a new scam type, spoofed ordinary
numbers, a bank silent for days - needs no code. Shares are probabilities in 0..1, pairs are
inclusive ranges, ``*_median`` and ``*_sigma`` describe a lognormal.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError

from data_contracts.errors import SettingsError
from pipelines.simulate.mix.scripts import (
    Clock,
    Kinds,
    Lookalike,
    MixSettings,
    Positive,
    ScamType,
    Share,
    Sigma,
)

__all__ = ["Callers", "Daily", "Mix", "Outage", "Population", "Season", "load_mix"]

# libyaml reads the same in a tenth of the time, where it is.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Callers(MixSettings):
    """Numbers that call many residents."""

    per_10k: Positive = 10  # such numbers in use at a time, per 10,000 residents
    life_days: Annotated[float, Field(ge=0)] = 0  # mean life of a number; 0: in use throughout
    calls_per_day_median: Positive = 20
    calls_per_day_sigma: Sigma = 0.6
    kinds: Kinds = Field(default={"mobile": 1.0})
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


class Season(MixSettings):
    """A stretch of the year, as ``MM-DD`` to ``MM-DD``, with other spending and other scams."""

    first: Annotated[str, Field(pattern=r"^\d\d-\d\d$")]
    last: Annotated[str, Field(pattern=r"^\d\d-\d\d$")]
    spending: Positive = 1.0
    scams: dict[str, float] = Field(default={})


class Outage(MixSettings):
    """A source that delivers nothing for some days."""

    source: str
    first_day: Annotated[int, Field(ge=0)]
    days: Annotated[int, Field(ge=1)]


class Population(MixSettings):
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


class Daily(MixSettings):
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


class Mix(MixSettings):
    """All settings of a district."""

    intensity: Positive = 1.0  # multiplies episodes, crews and mules alike
    losses_per_1000_days: Positive = (
        0.36  # episodes that end in a loss, per 1,000 residents and day
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


def _default_document(*, life: bool = False) -> dict[str, Any]:
    """The shipped settings, with those of a district at the true rate of fraud over them."""
    document: dict[str, Any] = {}
    for name in ("district.yaml", "life.yaml")[: 1 + life]:
        text = Path(__file__).with_name(name).read_text(encoding="utf-8")
        top = yaml.load(text, Loader=_LOADER)  # noqa: S506 -- either of the two is safe
        document = _overlay(document, top)
    return document


def _overlay(base: Any, top: Any) -> Any:
    """``top`` over ``base``: mappings are merged key by key, everything else is replaced."""
    if not isinstance(base, Mapping) or not isinstance(top, Mapping):
        return top
    return {**base, **{key: _overlay(base.get(key), value) for key, value in top.items()}}


def load_mix(path: Path | None = None, *, life: bool = False) -> Mix:
    """The settings of a YAML file laid over the defaults; raises :class:`SettingsError` with the
    setting at fault.

    With ``life`` the defaults have as much fraud as there truly is, and the file lies over that.
    """
    document = _default_document(life=life)
    if path is None:
        return Mix.model_validate(document)
    try:
        top = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return Mix.model_validate(_overlay(document, top))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(
            f"The mix {path} cannot be read.", remedy="Give a YAML file in UTF-8."
        ) from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"The mix {path} is not valid at '{where}': {first['msg']}.") from error
