"""Promoting a champion: through its gates from the pages, past them by a user at the terminal."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from data_contracts.errors import ConflictError
from models.evaluation.comparison import Comparison
from pipelines.orchestration.run_reports import decide_by_gates, models_report
from pipelines.settings import Settings
from pipelines.storage.installation.models import open_registry
from pipelines.storage.installation.signed_database import open_signed_database
from pipelines.storage.installation.terminal import terminal_user
from serving.access.audit.repository import AuditRepository
from serving.database.engine import read_transaction, write_transaction
from serving.operations.promotion import record_promotion
from serving.vocabulary.reports import ModelsReport

__all__ = [
    "GatedPromoter",
    "ListedModel",
    "list_models",
    "promote_at_terminal",
    "record_promotion_at_terminal",
    "roll_back_at_terminal",
]


def promote_at_terminal(settings: Settings, *, version: str, why: str, at: datetime) -> None:
    """Make any registered version the champion, past its gates; audited with the reason. Raises
    ``NotReadyError`` where there is none.
    """
    open_registry(settings).promote(version, at=at)
    record_promotion_at_terminal(settings, action="promote", why=why, at=at)


def roll_back_at_terminal(settings: Settings, *, why: str, at: datetime) -> None:
    """Make the champion before the present one champion again; audited with the reason. Raises
    ``NotReadyError`` where there is none.
    """
    open_registry(settings).roll_back(at=at)
    record_promotion_at_terminal(settings, action="roll-back", why=why, at=at)


def record_promotion_at_terminal(
    settings: Settings, *, action: Literal["promote", "roll-back"], why: str, at: datetime
) -> None:
    """Audit under the name of whoever sits at the terminal that another model is in force, and
    report the models.
    """
    models = models_report(settings)
    with write_transaction(open_signed_database(settings)) as session:
        record_promotion(session, models, action=action, actor=terminal_user(), reason=why, at=at)


@dataclass(frozen=True)
class ListedModel:
    """A version on record; ``alias`` is champion, challenger or empty.

    ``trained_at`` is the moment before which everything was known that it learned from,
    ``precision`` and ``coverage`` are by reported cases at the budget, on the days on which its
    training compared it; None where none could be judged. ``promoted_by`` and ``why`` come from the
    audit trail: None where the gates alone promoted it.
    """

    version: str
    alias: str
    trained_at: datetime | None
    precision: float | None
    coverage: float | None
    promoted_at: datetime | None
    promoted_by: str | None
    why: str | None
    run_id: str


def list_models(settings: Settings) -> list[ListedModel]:
    """List every version on record, the newest first."""
    registry = open_registry(settings)
    # A champion that nothing was recorded after is the challenger too
    aliases = {registry.challenger(): "challenger", registry.champion(): "champion"}
    with read_transaction(open_signed_database(settings)) as session:
        who = {
            entry.subject: (entry.actor, entry.details.get("reason"))
            for entry in reversed(AuditRepository(session).of_actions("promote", "roll-back"))
        }
    listed = []
    for one in registry.versions():
        comparison = Comparison.from_metrics(one.metrics)
        figures = comparison.challenger if comparison else None
        promoted_by, why = who.get(f"model {one.version.version}", (None, None))
        listed.append(
            ListedModel(
                version=one.version.version,
                alias=aliases.get(one.version, ""),
                trained_at=one.trained_at,
                precision=figures.precision if figures else None,
                coverage=figures.coverage if figures else None,
                promoted_at=one.promoted_at,
                promoted_by=promoted_by,
                why=why,
                run_id=one.version.run_id,
            )
        )
    return listed


class GatedPromoter:
    """Promotes the challenger and nothing else, and only if every gate lets it pass."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def promote(self, version: str, /, *, at: datetime) -> ModelsReport:
        """Make the challenger the champion.

        Raises ``ConflictError`` where another version stands in line, or where the gates refuse it,
        with their words.
        """
        registry = open_registry(self._settings)
        champion, challenger = registry.champion(), registry.challenger()
        if challenger is None or challenger.version != version or challenger == champion:
            raise ConflictError(
                f"version {version} does not stand in line", remedy="Load the page again."
            )
        before = registry.metrics(champion) if champion else {}
        verdict = decide_by_gates(registry.metrics(challenger), before, settings=self._settings)
        if not verdict.promote:
            raise ConflictError(
                f"the gates refuse version {version}: {'; '.join(verdict.reasons)}",
                remedy="Train again, or ask whoever set the gates.",
            )
        registry.promote(version, at=at)
        return models_report(self._settings)

    def roll_back(self, *, at: datetime) -> ModelsReport:
        """Put the champion before the present one back in force. Raises ``NotReadyError`` where
        there is none.
        """
        open_registry(self._settings).roll_back(at=at)
        return models_report(self._settings)
