"""The sections of the settings: feeds, limits of a load, levels, training, cluster, schedule."""

import ipaddress
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from models.learning.boosters import Tuning

__all__ = [
    "Cluster",
    "Feed",
    "IngestLimits",
    "LevelThresholds",
    "Schedule",
    "Training",
    "is_loopback",
]


RecordColumn = Literal[
    "peer_number",
    "peer_account",
    "direction",
    "service",
    "started_at",
    "duration_s",
    "occurred_at",
    "amount",
    "channel",
]


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
    held_min_rows: int = Field(
        default=20,
        ge=1,
        description="a file of fewer rows is not held for a share of them: only if all are bad",
    )
    same_source_share: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="a new source is held if such a share of its rows is another source's",
    )
    register_drop_share: float = Field(
        default=0.10,
        ge=0,
        le=1,
        description="a register is held if a larger share of the entries before is missing in it",
    )
    register_drop_rows: int = Field(
        default=5, ge=1, description="so many entries must be missing at least for that"
    )
    cut_digits_min_accounts: int = Field(
        default=10,
        ge=1,
        description="of so many long account numbers most must end in zeros, for a file to be held",
    )
    volume_fall: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="a source is warned of whose day has fewer rows than such a part of the usual",
    )
    volume_jump: float = Field(
        default=2.0, ge=1, description="and one whose day has more than so many times the usual"
    )
    volume_min_rows: int = Field(
        default=30, ge=1, description="sources with fewer rows on a usual day are not watched"
    )
    record_keys: dict[str, tuple[RecordColumn, ...]] = Field(
        default_factory=dict,
        description="by source, columns that tell its records apart beside day, number or account "
        "and record number, such as amount where a fee bears the number of its payment",
    )
    replacing_sources: tuple[str, ...] = Field(
        default=(),
        description="sources whose file replaces the earlier one of the same name",
    )
    reversal_days: int = Field(
        default=31, ge=0, description="how far back a reversal looks for what it undoes"
    )
    warned_rows_kept: int = Field(
        default=1_000,
        ge=0,
        description="of a file, so many accepted rows with a warning are kept for mending",
    )
    ahead_days: int = Field(
        default=31,
        ge=1,
        description="a file is held whose folder is of a day so much later than all that was "
        "delivered and than today",
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

    red: float = Field(default=0.60, ge=0, le=1, description="smallest probability of a red alert")
    orange: float = Field(
        default=0.30, ge=0, le=1, description="smallest probability of an orange alert"
    )
    yellow: float = Field(
        default=0.10, ge=0, le=1, description="smallest probability of a yellow alert"
    )
    blue: float = Field(default=0.0, ge=0, le=1, description="smallest probability of a blue alert")


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
    monotone: bool = Field(
        default=Tuning.monotone,
        description="the risk never falls while something grows that speaks for a fraud",
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
    group_calibration: bool = Field(
        default=False,
        description="one calibration for each kind of data there is on a person, not one for all",
    )
    shadow: bool = Field(
        default=True,
        description="let the challenger score beside the champion, for comparison only",
    )


class Cluster(BaseModel):
    """Which workers compute pieces of the scoring and of the training, and how long they are waited
    for.

    Whoever has one of the certificates can run anything on the workers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scheduler: str = Field(
        default="",
        description="the Dask scheduler, as `tls://host:8786`; empty: this machine computes alone",
    )
    ca_file: Path | None = Field(
        default=None, description="certificate of the authority that signed those of the cluster"
    )
    cert_file: Path | None = Field(
        default=None, description="certificate by which the scheduler knows this machine"
    )
    key_file: Path | None = Field(default=None, description="private key of that certificate")
    connect_seconds: float = Field(
        default=10, gt=0, description="longest time to reach the scheduler; then this machine works"
    )
    piece_seconds: float = Field(
        default=600,
        gt=0,
        description="what takes a worker longer is computed elsewhere, the worker given no more",
    )
    retries: int = Field(
        default=1,
        ge=0,
        description="on so many workers more a piece is tried before this machine computes it",
    )
    cache_folder: Path | None = Field(
        default=None,
        description="folder of a worker for what it reads of the event store; "
        "default `forestall` in the cache of its user",
    )

    @field_validator("scheduler")
    @classmethod
    def _encrypted(cls, scheduler: str) -> str:
        if not scheduler:
            return scheduler
        try:
            address = urlsplit(scheduler)
            complete = bool(address.hostname and address.port)
        except ValueError:
            complete = False
        if not complete or address.scheme not in {"tls", "tcp"}:
            raise ValueError("a scheduler is named as tls://host:8786")
        if address.scheme == "tcp" and not is_loopback(address.hostname or ""):
            raise ValueError("tcp:// is not encrypted and reaches this machine alone: use tls://")
        return scheduler

    @model_validator(mode="after")
    def _certified(self) -> Self:
        if self.scheduler.startswith("tls://"):
            files = ("ca_file", "cert_file", "key_file")
            lacking = [name for name in files if getattr(self, name) is None]
            if lacking:
                raise ValueError(f"tls:// needs {', '.join(lacking)}")
        return self


def is_loopback(host: str) -> bool:
    """Whether an address, not a name, can only be this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name can come to mean another machine


class Retention(BaseModel):
    """How long what is known of people is kept. A flow takes out every day what is older
    (`schedule.retention`); `forestall retention show` says what that would be.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    events_days: int = Field(
        default=400,
        ge=190,
        description="calls and transfers, by event day: a year to replay and to compare a season "
        "with the one before; a training and its windows need 130 days, and so do corrections",
    )
    registers_days: int = Field(
        default=400,
        ge=190,
        description="versions of registers that gave way to newer ones; the newest stays",
    )
    scores_days: int = Field(
        default=400, ge=30, description="scores of everybody, in the log and of published lists"
    )
    quarantine_days: int = Field(
        default=90, ge=7, description="rejected rows: the time in which a partner mends them"
    )
    lists_days: int = Field(
        default=1100,
        ge=190,
        description="lists, alerts and what was done about them: three years, in which somebody "
        "may ask why they were called or were not",
    )
    reports_days: int = Field(default=400, ge=30, description="reports of runs, without persons")


class Schedule(BaseModel):
    """When the flows run, as cron lines in Shanghai time.

    A field declares the flow of the same name in ``pipelines.orchestration.flows``; deployments,
    ``prefect.yaml`` and the page of settings follow from it.
    """

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
    retention: str = Field(
        default="40 2 * * *", description="what is older than `retention` keeps is taken out"
    )
