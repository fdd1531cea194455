"""What the serving room needs from outside; the composition root hands in something that fits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from serving.vocabulary.alerts import Contribution, Level, Reason, SuspectKind
from serving.vocabulary.reports import ModelsReport

__all__ = ["Finder", "Identity", "IdentityVault", "ModelPromoter", "Rescore", "Rescorer", "Sealer"]


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
