"""The tree of settings of one installation: where its home is, what its data and its pages need,
and the thresholds people may change.

Values come, strongest first, from the environment (``FORESTALL_DAILY_BUDGET=30``, nested with two
underscores: ``FORESTALL_FEEDS__CALLS__CMCC__DELAY_MINUTES=15``), from ``HOME/forestall.toml``, and
from the defaults. Former names still work; the environment also takes serving's settings without
their section: ``FORESTALL_QUEUE_DAYS=3``.
"""

import logging
import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from data_contracts.errors import SettingsError
from models.policy.expected_saving import INTERVENTION_EFFECT
from models.registry.promotion_gates import Gates
from pipelines.settings.file_and_environment import (
    ENVIRONMENT_PREFIX,
    NESTED_BY,
    SETTINGS_FILE,
    list_variables,
    read_settings_file,
    translate_environment,
)
from pipelines.settings.keys import list_keys
from pipelines.settings.problems import (
    check_variables,
    describe_former_names,
    describe_problems,
)
from pipelines.settings.sections import (
    Cluster,
    Feed,
    IngestLimits,
    LevelThresholds,
    Retention,
    Schedule,
    Training,
)
from pipelines.settings.storage import Storage
from serving.context.settings import ServingSettings

__all__ = ["ANY_SOURCE", "DEFAULT_HOME", "Settings"]

log = logging.getLogger("pipelines.settings")

DEFAULT_HOME = Path("var")
ANY_SOURCE = "default"


class Settings(BaseSettings):
    """Everything an installation may configure; frozen, made once by ``Settings.load``."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter=NESTED_BY,
    )

    home: Path = Field(
        default=DEFAULT_HOME,
        description="data, models and lists; from --home or the environment only",
    )
    keys: Path | None = Field(
        default=None, description="folder of the key files; default HOME/keys"
    )
    sources_folder: Path = Field(
        default_factory=lambda chosen: chosen["home"] / "sources",
        description="folder with the mappings of partners; default HOME/sources",
    )

    storage: Storage = Storage()
    feeds: dict[str, dict[str, Feed]] = Field(
        default_factory=dict,
        description="the source 'default' stands for all others",
        json_schema_extra={"placeholders": ["dataset", "source"]},
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
    intervention_effect: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
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
    cluster: Cluster = Cluster()
    schedule: Schedule = Schedule()
    retention: Retention = Retention()
    serving: ServingSettings = ServingSettings()

    @classmethod
    def load(cls, home: Path | None = None) -> Self:
        """Read the settings of ``home`` (default: ``FORESTALL_HOME``, else ``./var``).

        Raises ``SettingsError`` naming the setting that cannot be used.
        """
        chosen = home or Path(os.environ.get("FORESTALL_HOME", DEFAULT_HOME))
        file = read_settings_file(chosen / SETTINGS_FILE)
        variables = list_variables(os.environ, top_level=cls.model_fields)
        keys = list_keys(cls)
        notes = check_variables(variables, keys=keys) + describe_former_names(file, variables)
        try:
            settings = cls(home=chosen)
        except ValidationError as error:
            problems = describe_problems(error, file=file, variables=variables, keys=keys)
            raise SettingsError(
                f"settings cannot be used: {problems}",
                remedy=f"Correct {file.path} or the environment.",
            ) from None
        except ValueError as error:  # a table in the environment that is no JSON
            raise SettingsError(
                f"settings cannot be used: {error}", remedy="Correct the environment."
            ) from error
        for note in notes:
            log.warning(note)
        return settings

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
        if isinstance(env_settings, EnvSettingsSource):
            env_settings.env_vars = translate_environment(
                os.environ, top_level=settings_cls.model_fields
            )
        file = read_settings_file(home / SETTINGS_FILE)
        return init_settings, env_settings, InitSettingsSource(settings_cls, dict(file.data))

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
        """The ledger of loaded files; the Delta tables, too, unless ``storage.url`` is set."""
        return self.home / "lake"

    @property
    def store_folder(self) -> Path:
        """The event store, made from the lake."""
        return self.home / "store"

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
        """Models in text form, and the pointer to the champion."""
        return self.home / "models"

    @property
    def serving_database_url(self) -> str:
        """The database of published watchlists; SQLite in the home unless ``serving.database_url``
        says otherwise.
        """
        inside = f"sqlite:///{(self.home / 'serving.db').resolve()}"
        return self.serving.database_url or inside

    @property
    def located_serving(self) -> ServingSettings:
        """Serving's settings with the address of this installation's database in them."""
        return self.serving.model_copy(update={"database_url": self.serving_database_url})
