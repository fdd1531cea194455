"""What the serving room needs from outside; the composition root hands in something that fits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from serving.vocabulary.alerts import Contribution, Level, Reason, SuspectKind
from serving.vocabulary.reports import ModelsReport

__all__ = [
    "DeliveryTrial",
    "Finder",
    "HomeState",
    "HomeWatch",
    "Identity",
    "IdentityVault",
    "ModelPromoter",
    "ReasonExplainer",
    "ReasonWords",
    "Rescore",
    "Rescorer",
    "Sealer",
    "Trial",
    "TriedReason",
    "TriedRow",
]


class Identity(Protocol):
    """Who a person is: what an officer needs to reach them, and nothing more."""

    @property
    def id_number(self) -> str:
        """The 18-digit ID number."""

    @property
    def name(self) -> str:
        """The name as registered."""

    @property
    def address(self) -> str:
        """The address as registered."""

    @property
    def msisdns(self) -> tuple[str, ...]:
        """The numbers the person can be reached at."""


class IdentityVault(Protocol):
    """The only way from a pseudonym to what it stands for."""

    def reveal_people(self, persons: Sequence[str], /) -> Mapping[str, Identity]:
        """Return who the known ones of ``persons`` are."""

    def reveal(self, kind: SuspectKind, keys: Sequence[str], /) -> Mapping[str, str]:
        """Return the numbers or accounts behind the known ones of ``keys``."""


class Finder(Protocol):
    """Turns a real identifier into the pseudonyms it goes by; the identifier goes nowhere else."""

    def __call__(self, value: str, /) -> Sequence[str]:
        """Return the pseudonyms of ``value`` as a person, a number and an account, and of whoever
        holds the number.
        """


@dataclass(frozen=True)
class HomeState:
    """Whether the installation can do its work: ``problem`` and ``remedy`` are empty where it can
    be written to; ``vault`` says whether names and numbers open.
    """

    vault: bool
    problem: str = ""
    remedy: str = ""


class HomeWatch(Protocol):
    """Looks whether the home of the installation is whole and can be written to."""

    def __call__(self) -> HomeState:
        """Return how it is at this moment."""


class Sealer(Protocol):
    """Keeps secrets that the database must hold but not know."""

    def seal(self, raw: str, *, bound_to: str) -> bytes:
        """Encrypt ``raw`` so that it opens only together with ``bound_to``."""

    def unseal(self, sealed: bytes, *, bound_to: str) -> str:
        """Decrypt what ``seal`` made.

        Raises ForestallError if the key or the binding is another.
        """


@dataclass(frozen=True, kw_only=True)
class Rescore:
    """A person's score at the moment ``at``: probability, level and why."""

    person: str
    at: datetime
    score: float
    level: Level
    reasons: tuple[Reason, ...]
    contributions: tuple[Contribution, ...]


class Rescorer(Protocol):
    """Scores one person afresh; called by one thread at a time."""

    def __call__(self, person: str, /) -> Rescore | None:
        """Return the fresh score, or None for a person nobody knows."""


class ModelPromoter(Protocol):
    """Promotes models."""

    def promote(self, version: str, /, *, at: datetime) -> ModelsReport:
        """Promote the challenger of this version, and return the models as they are then.

        Raises ConflictError where it is not in line any more, or where the gates refuse it, with
        their words.
        """

    def roll_back(self, *, at: datetime) -> ModelsReport:
        """Make the champion before the present one champion again, and return the models as they
        stand then.

        Raises NotReadyError where there is none.
        """


@dataclass(frozen=True, kw_only=True)
class ReasonWords:
    """What the contract of a dataset says of a reason and of its column, in both languages.

    ``headings`` are understood as the column, ``values`` are allowed with their labels; both are
    empty where the reason is of no column.
    """

    zh: str
    en: str
    meaning_zh: str = ""
    meaning_en: str = ""
    headings: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""


class ReasonExplainer(Protocol):
    """Knows the contracts of deliveries."""

    def __call__(self, code: str, /, *, dataset: str) -> ReasonWords:
        """Return the words of a reason (``duration_s.negative``) in the contract of ``dataset``."""


@dataclass(frozen=True, kw_only=True)
class TriedRow:
    """A row of a tried file as it is understood, identifiers masked, and its number there."""

    number: int
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TriedReason:
    """Why rows of a tried file would be rejected, or taken with a warning, in both languages;
    ``first`` are some of them.
    """

    code: str
    zh: str
    en: str
    rows: int
    first: tuple[int, ...]
    is_warning: bool = False


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What a file would become under a mapping; nothing was loaded.

    Of a file that cannot be read at all ``problem`` says why and ``remedy`` what to do. ``layout``
    says how the file is laid out, ``format_zh`` and ``format_en`` as which known form it was read,
    ``filled_by`` what fills each column, ``ignored`` names the headings that mean nothing.
    ``guess`` is a mapping to start from. No text holds a whole identifier.
    """

    problem: str = ""
    remedy: str = ""
    layout: Mapping[str, str] = field(default_factory=dict)
    format_zh: str = ""
    format_en: str = ""
    filled_by: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    rows: int = 0
    taken: int = 0
    rejected: int = 0
    columns: tuple[str, ...] = ()
    first_rows: tuple[TriedRow, ...] = ()
    reasons: tuple[TriedReason, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    guess: str = ""


class DeliveryTrial(Protocol):
    """Tries files against mappings, and keeps the mappings of sources."""

    def try_file(
        self, content: bytes, /, *, name: str, dataset: str, source: str, mapping: str
    ) -> Trial:
        """Read the file ``name`` of this ``content`` with the YAML ``mapping`` (empty: the source's
        own) and keep nothing of it.
        """

    def mapping_of(self, source: str, /) -> str:
        """Return the YAML of the source's own mapping, empty where it has none."""

    def save_mapping(self, source: str, mapping: str, /) -> None:
        """Make this YAML the source's mapping.

        Raises SettingsError with the line at fault where it cannot be used.
        """
