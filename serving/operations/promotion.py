"""Promoting a model from the pages: requested by an engineer, with a reason, and audited."""

from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from serving.context.ports import ModelPromoter
from serving.database.audit_chain import record_action
from serving.http.errors import ProblemError
from serving.operations.repository import ReportRepository
from serving.vocabulary.reports import ModelsReport
from serving.vocabulary.roles import Role, Viewer

__all__ = ["PROMOTERS", "promote_model", "record_promotion", "roll_back"]

PROMOTERS = (Role.ENGINEER, Role.ADMIN)


def promote_model(
    session: Session,
    *,
    viewer: Viewer,
    version: str,
    reason: str,
    promoter: ModelPromoter | None,
    at: datetime,
) -> ModelsReport:
    """Promote the challenger and audit who did so and why.

    Raises ConflictError with the gates' words where they refuse it, a 503 problem in a process that
    keeps no models.
    """
    models = _require_promoter(promoter).promote(version, at=at)
    record_promotion(session, models, action="promote", actor=viewer.name, reason=reason, at=at)
    return models


def roll_back(
    session: Session, *, viewer: Viewer, reason: str, promoter: ModelPromoter | None, at: datetime
) -> ModelsReport:
    """Make the champion before the present one champion again; audit who did so and why.

    Raises NotReadyError where there is none, a 503 problem in a process that keeps no models.
    """
    models = _require_promoter(promoter).roll_back(at=at)
    record_promotion(session, models, action="roll-back", actor=viewer.name, reason=reason, at=at)
    return models


def record_promotion(
    session: Session,
    models: ModelsReport,
    *,
    action: Literal["promote", "roll-back"],
    actor: str,
    reason: str,
    at: datetime,
) -> None:
    """Audit that ``actor`` changed the champion, and file the models as they stand now."""
    version = models.champion.version if models.champion else ""
    record_action(
        session, at=at, actor=actor, action=action, subject=f"model {version}", reason=reason
    )
    ReportRepository(session).add(models.kind, at=at, content=models.model_dump(mode="json"))


def _require_promoter(promoter: ModelPromoter | None) -> ModelPromoter:
    if promoter is None:
        raise ProblemError(
            503,
            "Models are not kept by this process.",
            remedy="Start it with forestall serve, beside the models.",
        )
    return promoter
