"""Promoting a champion: through its gates from the pages, past them by a user at the terminal."""

from datetime import datetime
from typing import Literal

from data_contracts.errors import ConflictError
from pipelines.orchestration.run_reports import decide_by_gates, models_report
from pipelines.settings import Settings
from pipelines.storage.installation.models import open_registry
from pipelines.storage.installation.signed_database import open_signed_database
from pipelines.webapp.accounts import terminal_user
from serving.database.engine import write_transaction
from serving.operations.promotion import record_promotion
from serving.vocabulary.reports import ModelsReport

__all__ = [
    "GatedPromoter",
    "promote_at_terminal",
    "record_promotion_at_terminal",
    "roll_back_at_terminal",
]


def promote_at_terminal(settings: Settings, *, version: str, at: datetime) -> None:
    """Make any registered version the champion, past its gates; audited. Raises ``NotReadyError``
    where there is none.
    """
    open_registry(settings).promote(version, at=at)
    record_promotion_at_terminal(settings, action="promote", at=at)


def roll_back_at_terminal(settings: Settings, *, at: datetime) -> None:
    """Make the champion before the present one champion again; audited. Raises ``NotReadyError``
    where there is none.
    """
    open_registry(settings).roll_back(at=at)
    record_promotion_at_terminal(settings, action="roll-back", at=at)


def record_promotion_at_terminal(
    settings: Settings, *, action: Literal["promote", "roll-back"], at: datetime
) -> None:
    """Audit under the name of whoever sits at the terminal that another model is in force, and
    report the models.
    """
    models = models_report(settings)
    with write_transaction(open_signed_database(settings)) as session:
        record_promotion(
            session, models, action=action, actor=terminal_user(), reason="at the terminal", at=at
        )


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
