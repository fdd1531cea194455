"""Settings of one installation: where its home is, how its feeds deliver, and the thresholds people
may change.

Values come, strongest first, from the environment (``FORESTALL_DAILY_BUDGET=30``, nested with two
underscores: ``FORESTALL_FEEDS__CALLS__CMCC__DELAY_MINUTES=15``), from ``HOME/forestall.toml``, and
from the defaults below.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from data_contracts.errors import SettingsError
from models.learning.risk import Tuning
from models.policy.expected_saving import INTERVENTION_EFFECT
from models.registry.promotion_gates import Gates

__all__ = [
    "ANY_SOURCE",
    "DEFAULT_HOME",
    "SETTINGS_FILE",
    "Feed",
    "IngestLimits",
    "LevelThresholds",
    "Schedule",
    "Settings",
    "Training",
]

DEFAULT_HOME = Path("var")
SETTINGS_FILE = "forestall.toml"
ANY_SOURCE = "default"


class Feed(BaseModel):
    """How one source delivers one dataset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    delay_minutes: float = Field(
        default=0, ge=0, description="from the end of an event until its record can be known"
    )


class IngestLimits(BaseModel):
    """What a load may cost and tolerate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    held_share: float = Field(
        default=0.05, ge=0, le=1, description="a file with a larger share of bad rows is held"
    )
    batch_rows: int = Field(
        default=2_000_000, ge=1, description="files are loaded together up to about so many rows"
    )
    parser_memory_mb: int = Field(
        default=6_144, ge=512, description="address space of the parsing process"
    )
    parser_seconds: float = Field(
        default=120, gt=0, description="longest time one file may take to parse"
    )


class LevelThresholds(BaseModel):
    """Smallest calibrated probability of each alert level; below blue there is no alert."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    red: float = Field(default=0.60, ge=0, le=1)
    orange: float = Field(default=0.30, ge=0, le=1)
    yellow: float = Field(default=0.10, ge=0, le=1)
    blue: float = Field(default=0.0, ge=0, le=1)


class Training(BaseModel):
    """How a model learns and what that may cost, and how champion and challenger are compared.

    ``forestall tune`` finds values for the parameters of the trees.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rounds: int = Field(default=Tuning.rounds, ge=1, description="trees of the risk model")
    learning_rate: float = Field(
        default=Tuning.learning_rate, gt=0, le=1, description="how much each tree adds"
    )
    num_leaves: int = Field(default=Tuning.num_leaves, ge=2, description="leaves of a tree at most")
    min_data_in_leaf: int = Field(
        default=Tuning.min_data_in_leaf, ge=1, description="moments in a leaf at least"
    )
    feature_fraction: float = Field(
        default=Tuning.feature_fraction,
        gt=0,
        le=1,
        description="share of the features that each tree is shown",
    )
    bagging_fraction: float = Field(
        default=Tuning.bagging_fraction,
        gt=0,
        le=1,
        description="share of the moments that each tree is shown",
    )
    lambda_l2: float = Field(
        default=Tuning.lambda_l2, ge=0, description="penalty on the weights of leaves"
    )
    negative_samples: int = Field(
        default=100_000, ge=1_000, description="moments without fraud drawn to learn from"
    )
    outage_share: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="of the moments, those seen as if an operator or a bank were missing",
    )
    pseudo_labels_per_reported: float = Field(
        default=0.6,
        ge=0,
        le=5,
        description="for each episode that was reported, so many unreported ones are looked for",
    )
    threads: int = Field(
        default=Tuning.threads, ge=1, description="processor cores that LightGBM uses"
    )
    maturity_days: int = Field(
        default=7, ge=0, description="what was not reported after so many days counts as quiet"
    )
    judged_days: int = Field(
        default=7, ge=1, description="days on which champion and challenger are compared"
    )
    judged_every: str = Field(
        default="1h", pattern=r"^[1-9]\d*[mh]$", description="the clock of that comparison"
    )
    calibrate_by_data: bool = Field(
        default=False,
        description="one calibration for each kind of data there is on a person, not one for all",
    )
    shadow: bool = Field(
        default=True,
        description="let the challenger score beside the champion, for comparison only",
    )


class Schedule(BaseModel):
    """When the flows run, as cron lines in Shanghai time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    nightly: str = Field(
        default="5 0 * * *", description="the list of midnight, once the last day was delivered"
    )
    intraday: str = Field(default="*/15 * * * *", description="those touched since the last tick")
    retrain: str = Field(
        default="30 3 * * 1", description="a challenger from all cases known by midnight"
    )
    backtest: str = Field(
        default="30 4 1 * *", description="the last weeks replayed, with today's rule beside"
    )


class Settings(BaseSettings):
    """Everything an installation may configure; frozen, made once by ``Settings.load``."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="FORESTALL_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    home: Path = DEFAULT_HOME
    keys: Path | None = Field(
        default=None, description="folder of the key files; default HOME/keys"
    )
    database_url: str = Field(
        default="", description="serving database; default SQLite in the home"
    )
    sources_folder: Path | None = Field(
        default=None, description="folder with further column mappings of partners"
    )

    feeds: dict[str, dict[str, Feed]] = Field(
        default_factory=dict,
        description="feeds.<dataset>.<source>; the source 'default' stands for all others",
    )
    ingest: IngestLimits = IngestLimits()
    daily_budget: int = Field(
        default=20, ge=1, description="alerts a centre can follow up in a day"
    )
    carry: float = Field(
        default=0.5,
        ge=0,
        le=7,
        description="share of a day's budget that quiet days may save for a busy one",
    )
    saving_weight: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="how much the money at stake counts in the rank, beside the probability",
    )
    warning_works: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        default=dict(INTERVENTION_EFFECT),
        description="chance that a warning in time stops the payment, by scam type",
    )
    cool_down_hours: int = Field(
        default=72, ge=0, description="no second alert on a person, unless money moves"
    )
    warm_up_days: int = Field(
        default=3,
        ge=0,
        description="days scored before the first list, a replay or a comparison, "
        "so that the policy knows an ordinary day; 0: none",
    )
    tick: str = Field(
        default="15m",
        pattern=r"^[1-9]\d*[mhd]$",
        description="the clock of comparisons, replays and the warm-up; "
        "the same as schedule.intraday, and a part of a day",
    )
    levels: LevelThresholds = LevelThresholds()
    training: Training = Training()
    gates: Gates = Gates()
    schedule: Schedule = Schedule()

    @classmethod
    def load(cls, home: Path | None = None) -> Self:
        """Read the settings of ``home`` (default: ``FORESTALL_HOME``, else ``./var``).

        Raises ``SettingsError`` naming the setting that cannot be used.
        """
        chosen = home or Path(os.environ.get("FORESTALL_HOME", DEFAULT_HOME))
        toml = chosen / SETTINGS_FILE
        try:
            return cls(home=chosen)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()
            )
            raise SettingsError(
                f"settings cannot be used: {problems}", remedy=f"Correct {toml} or the environment."
            ) from None
        except ValueError as error:  # the TOML itself
            raise SettingsError(
                f"{toml} cannot be read: {error}", remedy="Correct the file's TOML."
            ) from error

    @classmethod
    def settings_customise_sources(  # noqa: D102 -- described by pydantic-settings
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        home = Path(init_settings().get("home", DEFAULT_HOME))
        return (
            init_settings,
            env_settings,
            TomlConfigSettingsSource(settings_cls, home / SETTINGS_FILE),
        )

    def delay(self, dataset: str, source: str) -> timedelta | None:
        """Time from the end of an event until ``source`` lets its record be known; None where
        nothing is set.
        """
        feeds = self.feeds.get(dataset, {})
        feed = feeds.get(source) or feeds.get(ANY_SOURCE)
        return timedelta(minutes=feed.delay_minutes) if feed else None

    @property
    def keys_folder(self) -> Path:
        """Folder of ``pseudonym.key`` and ``vault.key``."""
        return self.keys or self.home / "keys"

    @property
    def lake_folder(self) -> Path:
        """Delta tables and the ledger of loaded files."""
        return self.home / "lake"

    @property
    def quarantine_folder(self) -> Path:
        """Rejected rows, sealed, with their reasons."""
        return self.home / "quarantine"

    @property
    def vault_file(self) -> Path:
        """Encrypted raw identifiers."""
        return self.home / "vault.db"

    @property
    def mlflow_database_url(self) -> str:
        """MLflow's tracking store and registry."""
        return f"sqlite:///{(self.home / 'mlflow.db').resolve()}"

    @property
    def mlflow_artifacts(self) -> Path:
        """MLflow's artifact folder."""
        return self.home / "mlruns"

    @property
    def scores_folder(self) -> Path:
        """What was scored when: the memory of the alert policy."""
        return self.home / "scores"

    @property
    def models_folder(self) -> Path:
        """Models in text form, and the pointer to the one in force."""
        return self.home / "models"

    @property
    def serving_database_url(self) -> str:
        """The database of published watchlists; SQLite in the home unless ``database_url`` says
        otherwise.
        """
        return self.database_url or f"sqlite:///{(self.home / 'serving.db').resolve()}"
