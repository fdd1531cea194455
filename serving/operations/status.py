"""How the system does, as one document for machines: what ``forestall status --json`` prints and the API answers."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from serving.operations.health_issues import Concern, concerns
from serving.operations.service import Overview
from serving.presentation.translations import Translator
from serving.vocabulary.reports import (
    DriftReport,
    FairnessReport,
    ModelFacts,
    ModelsReport,
    QualityReport,
    ReplayReport,
    Run,
)

__all__ = ["ConcernSaid", "Status", "status_of"]


class ConcernSaid(BaseModel):
    """Something that a person should know: ``act`` stops the work or spoils it, ``look`` deserves a look."""

    urgency: Annotated[str, Field(examples=["act"])]
    area: Annotated[str, Field(examples=["quality"])]
    text: Annotated[str, Field(examples=["Calls: China Mobile has delivered nothing since Aug 1 10:00."])]


class Status(BaseModel):
    """The newest report of every kind, null where there is none; pictures are left out."""

    at: datetime
    needs_a_person: Annotated[bool, Field(description="Some concern asks to act.", examples=[False])]
    concerns: list[ConcernSaid]
    runs: Annotated[list[Run], Field(description="The last runs, the newest first.")]
    quality: QualityReport | None
    models: ModelsReport | None
    drift: DriftReport | None
    fairness: FairnessReport | None
    replay: ReplayReport | None


def status_of(found: Overview, say: Translator) -> Status:
    """Return the overview as one document, its concerns in the language of ``say``."""
    told = concerns(found, say)
    return Status(
        at=found.at,
        needs_a_person=any(concern.urgency == "act" for concern in told),
        concerns=[_said(concern) for concern in told],
        runs=list(found.runs),
        quality=found.quality.report if found.quality else None,
        models=_without_pictures(found.models.report) if found.models else None,
        drift=found.drift.report if found.drift else None,
        fairness=found.fairness.report.model_copy(update={"chart": ""}) if found.fairness else None,
        replay=found.replay.report.model_copy(update={"chart": ""}) if found.replay else None,
    )


def _said(concern: Concern) -> ConcernSaid:
    return ConcernSaid(urgency=concern.urgency, area=concern.area, text=concern.text)


def _without_pictures(models: ModelsReport) -> ModelsReport:
    return models.model_copy(update={"champion": _bare(models.champion), "challenger": _bare(models.challenger)})


def _bare(model: ModelFacts | None) -> ModelFacts | None:
    return model.model_copy(update={"pictures": {}}) if model else None
