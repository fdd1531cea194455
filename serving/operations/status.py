"""How the system does, as one document for machines: what ``forestall status --json`` prints and
the API answers.
"""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from serving.operations.health_issues import HealthIssue, find_health_issues
from serving.operations.service import Overview
from serving.presentation.translations import Translator
from serving.vocabulary.reports import (
    BudgetReport,
    DriftReport,
    FairnessReport,
    ModelFacts,
    ModelsReport,
    QualityReport,
    ReplayReport,
    Run,
)

__all__ = ["HealthIssueItem", "Status", "status_of"]


class HealthIssueItem(BaseModel):
    """Something that a person should know: ``act`` stops the work or spoils it, ``look`` deserves a
    look.
    """

    urgency: Annotated[str, Field(examples=["act"])]
    area: Annotated[str, Field(examples=["quality"])]
    text: Annotated[
        str, Field(examples=["Calls: China Mobile has delivered nothing since Aug 1 10:00."])
    ]


class Status(BaseModel):
    """The newest report of every kind, null where there is none; pictures are left out."""

    at: datetime
    needs_action: Annotated[bool, Field(description="Some issue asks to act.", examples=[False])]
    health_issues: list[HealthIssueItem]
    runs: Annotated[list[Run], Field(description="The last runs, the newest first.")]
    quality: QualityReport | None
    models: ModelsReport | None
    drift: DriftReport | None
    fairness: FairnessReport | None
    replay: ReplayReport | None
    budget: BudgetReport | None


def status_of(found: Overview, say: Translator) -> Status:
    """Return the overview as one document, its health issues in the language of ``say``."""
    issues = find_health_issues(found, say)
    return Status(
        at=found.at,
        needs_action=any(issue.urgency == "act" for issue in issues),
        health_issues=[_to_item(issue) for issue in issues],
        runs=list(found.runs),
        quality=found.quality.report if found.quality else None,
        models=_without_pictures(found.models.report) if found.models else None,
        drift=found.drift.report if found.drift else None,
        fairness=found.fairness.report.model_copy(update={"chart": ""}) if found.fairness else None,
        replay=found.replay.report.model_copy(update={"chart": ""}) if found.replay else None,
        budget=found.budget.report if found.budget else None,
    )


def _to_item(issue: HealthIssue) -> HealthIssueItem:
    return HealthIssueItem(urgency=issue.urgency, area=issue.area, text=issue.text)


def _without_pictures(models: ModelsReport) -> ModelsReport:
    return models.model_copy(
        update={
            "champion": _without_picture(models.champion),
            "challenger": _without_picture(models.challenger),
        }
    )


def _without_picture(model: ModelFacts | None) -> ModelFacts | None:
    return model.model_copy(update={"pictures": {}}) if model else None
