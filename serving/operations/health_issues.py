"""What of the overview needs action, in plain sentences."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from serving.operations.service import Overview
from serving.operations.wording import (
    ATTRIBUTES,
    DATASETS,
    FIGURES,
    GROUPS,
    VERBS,
    describe_fact,
)
from serving.presentation import wording
from serving.presentation.translations import Translator
from serving.vocabulary.reports import GroupFigure, Run

__all__ = ["HealthIssue", "Urgency", "differs_from_others", "find_health_issues"]

Urgency = Literal["act", "look"]
URGENCIES: tuple[Urgency, ...] = ("act", "look")  # in the order of the page

LONGEST_RUN = timedelta(hours=6)
LONGEST_WITHOUT_LIST = timedelta(hours=26)  # a day, and two hours for a late start
# What a run tells of its cluster that will be so again unless somebody sees to it.
CLUSTER_TROUBLES = (
    *("scheduler_missing", "scheduler_lost", "workers_missing"),
    *("worker_differs", "worker_failed", "store_unread"),
)
OLD_MODEL = timedelta(days=35)  # it is to be trained at least monthly
REJECTED_SHARE = 0.01


@dataclass(frozen=True, kw_only=True)
class HealthIssue:
    """Something that a person should know: ``act`` stops the work or spoils it, ``look`` deserves a
    look.
    """

    urgency: Urgency
    area: str
    text: str


def find_health_issues(found: Overview, say: Translator) -> tuple[HealthIssue, ...]:
    """Return what needs action in the language of ``say``, the urgent first."""
    issues = [issue for check in CHECKS for issue in check(found, say)]
    return tuple(sorted(issues, key=lambda issue: URGENCIES.index(issue.urgency)))


def run_issues(found: Overview, say: Translator) -> Iterator[HealthIssue]:
    """Yield runs that failed or hang, and lists that are overdue."""
    for verb, run in found.newest.items():
        if sentence := _run_problem(run, found, say):
            yield HealthIssue(
                urgency="act", area="runs", text=f"{say.label(VERBS, verb)}: {sentence}"
            )
        for name in CLUSTER_TROUBLES:
            if name in run.facts:
                trouble = describe_fact(name, run.facts[name], say)
                text = say("{run}: {trouble}.", run=say.label(VERBS, verb), trouble=trouble)
                yield HealthIssue(urgency="look", area="runs", text=text)
    nightly = found.succeeded.get("nightly")
    if nightly is None:
        yield HealthIssue(
            urgency="act", area="runs", text=say("No list of a night has been published yet.")
        )
    elif found.at - nightly.started_at > LONGEST_WITHOUT_LIST:
        text = say("The last list of a night is from {at}.", at=say.moment(nightly.started_at))
        yield HealthIssue(urgency="act", area="runs", text=text)


def _run_problem(run: Run, found: Overview, say: Translator) -> str:
    if run.finished_at is None:
        hangs = found.at - run.started_at > LONGEST_RUN
        return (
            say("began at {at} and has not ended.", at=say.moment(run.started_at)) if hangs else ""
        )
    return "" if run.ok else " ".join([say(run.error), say(run.remedy)]).strip()


def delivery_issues(found: Overview, say: Translator) -> Iterator[HealthIssue]:
    """Yield files that are held, sources that are silent, and sources of which many rows were
    rejected.
    """
    if found.quality is None:
        return
    quality = found.quality.report
    if quality.held:
        text = say.plural(
            "{count} delivered file waits: it is held or cannot be read.",
            "{count} delivered files wait: they are held or cannot be read.",
            len(quality.held),
        )
        yield HealthIssue(urgency="act", area="quality", text=text)
    for silent in quality.silent:
        source = say.label(wording.SOURCES, silent.source)
        dataset = say.label(DATASETS, silent.dataset)
        names = {"dataset": dataset, "source": source}
        text = (
            say(
                "{dataset}: {source} has delivered nothing since {at}.",
                at=say.moment(silent.since),
                **names,
            )
            if silent.since
            else say("{dataset}: {source} has never delivered anything.", **names)
        )
        yield HealthIssue(urgency="act", area="quality", text=text)
    for one in quality.sources:
        if one.rows and one.quarantined / one.rows > REJECTED_SHARE:
            text = say(
                "{dataset}: {share} of the rows of {source} were rejected.",
                dataset=say.label(DATASETS, one.dataset),
                share=say.percent(one.quarantined / one.rows),
                source=say.label(wording.SOURCES, one.source),
            )
            yield HealthIssue(urgency="look", area="quality", text=text)


def model_issues(found: Overview, say: Translator) -> Iterator[HealthIssue]:
    """Yield that there is no champion, that it is old, or that a challenger waits."""
    models = found.models.report if found.models else None
    if models is None or models.champion is None:
        training = found.newest.get("train")
        if training and training.finished_at is None:
            text = say("There is no champion yet: a model is being trained.")
            yield HealthIssue(urgency="look", area="models", text=text)
            return
        yield HealthIssue(
            urgency="act",
            area="models",
            text=say("There is no champion. Train a model: forestall train."),
        )
        return
    nightly = found.succeeded.get("nightly")
    if nightly and nightly.about_at and nightly.about_at - models.champion.trained_at > OLD_MODEL:
        days = (nightly.about_at - models.champion.trained_at).days
        text = say("The champion learned {days} days ago. Train again.", days=days)
        yield HealthIssue(urgency="look", area="models", text=text)
    if models.challenger and models.passed:
        text = say(
            "Model {version} passes every gate and waits to be promoted.",
            version=models.challenger.version,
        )
        yield HealthIssue(urgency="look", area="models", text=text)


def drift_issues(found: Overview, say: Translator) -> Iterator[HealthIssue]:
    """Yield that features moved, or that alerts are fewer or more than usual."""
    if found.drift is None:
        return
    drift = found.drift.report
    if drift.noted:
        text = say.plural(
            "{count} feature has moved since the model learned. "
            "Look at the deliveries, then train again.",
            "{count} features have moved since the model learned. "
            "Look at the deliveries, then train again.",
            drift.noted,
        )
        yield HealthIssue(urgency="look", area="drift", text=text)
    if drift.volume and not drift.volume.usual:
        text = say.plural(
            "{count} alert in 24 hours, where {low} to {high} are usual.",
            "{count} alerts in 24 hours, where {low} to {high} are usual.",
            drift.volume.seen,
            low=drift.volume.low,
            high=drift.volume.high,
        )
        yield HealthIssue(urgency="look", area="drift", text=text)


def fairness_issues(found: Overview, say: Translator) -> Iterator[HealthIssue]:
    """Yield groups of people that are surely served otherwise than everybody else."""
    if found.fairness is None:
        return
    report = found.fairness.report
    for group in report.groups:
        if differs_from_others(group, allowed=report.gap_points):
            text = say(
                "{attribute} – {group}: {figure} differs by {points} points from everybody else.",
                attribute=say.label(ATTRIBUTES, group.attribute),
                group=say.label(GROUPS, group.group),
                figure=say.label(FIGURES, group.figure),
                points=f"{group.gap:+.1f}",
            )
            yield HealthIssue(urgency="look", area="fairness", text=text)


def differs_from_others(group: GroupFigure, *, allowed: float) -> bool:
    """Say whether a share of this group differs by more than ``allowed`` points, and by more than
    chance explains.
    """
    if group.figure not in {"precision", "coverage"} or None in {
        group.gap,
        group.gap_low,
        group.gap_high,
    }:
        return False
    assert group.gap is not None and group.gap_low is not None and group.gap_high is not None  # noqa: S101, PT018
    return abs(group.gap) > allowed and not group.gap_low <= 0 <= group.gap_high


def access_issues(found: Overview, say: Translator) -> Iterator[HealthIssue]:
    """Yield who had unusually many names and numbers shown within the last day."""
    for name, at in found.unusual_reveals:
        text = say("{name} had unusually much revealed by {at}.", name=name, at=say.moment(at))
        yield HealthIssue(urgency="look", area="access", text=text)


CHECKS: tuple[Callable[[Overview, Translator], Iterator[HealthIssue]], ...] = (
    run_issues,
    delivery_issues,
    model_issues,
    drift_issues,
    fairness_issues,
    access_issues,
)
