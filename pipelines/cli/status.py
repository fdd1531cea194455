"""``forestall status``: what the engineers' page shows, in a terminal."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import typer

from pipelines.cli.arguments import AsJson, Home, InLanguage, Language, load_installation
from pipelines.cli.printing.terminal import echo_text, print_json, print_table
from pipelines.clock import wall_clock

if TYPE_CHECKING:
    from serving.operations.service import Overview
    from serving.presentation.translations import Translator

__all__ = ["status"]

status = typer.Typer()

Rows = Iterator[Sequence[object]]


@status.command("status")
def print_status(
    language: InLanguage = Language.en,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """How runs, deliveries and models do; exit code 1 when something asks a person to act."""
    from pipelines.storage.installation.databases import open_serving_database
    from serving.database.engine import read_transaction
    from serving.operations.service import read_overview
    from serving.operations.status import status_of
    from serving.presentation.translations import get_translator

    with read_transaction(open_serving_database(load_installation(home))) as session:
        found = read_overview(session, at=wall_clock())
    say = get_translator(language.value)
    report = status_of(found, say)
    if as_json:
        print_json(report)
    else:
        for issue in report.health_issues:
            echo_text(f"{say('Act') if issue.urgency == 'act' else say('Look')}: {issue.text}")
        if not report.health_issues:
            echo_text(say("Nothing: everything runs as it should."))
        print_waiting_files(found, say)
        for title, headings, rows in status_sections(found, say):
            print_section(title, headings, list(rows))
    raise typer.Exit(1 if report.needs_action else 0)


def print_waiting_files(found: "Overview", say: "Translator") -> None:
    """Every file that is held or cannot be read, with the reason and what to do."""
    from serving.operations.outcomes import reason_of, remedy_for, title_of
    from serving.operations.wording import OUTCOMES

    held = found.quality.report.held if found.quality else ()
    if held:
        echo_text(f"\n{say('Files that wait')}")
    for file in held:
        echo_text(f"  {file.path} ({say.label(OUTCOMES, file.status)})")
        colon, stop = (": ", ".") if say.language == "en" else ("：", "。")
        title, reason = title_of(file.code, say.language), reason_of(file, say.language)
        echo_text(f"    {title}{colon}{reason}{stop}")
        if remedy := remedy_for(file, say.language):
            echo_text(f"    → {remedy}")


def print_section(title: str, headings: Sequence[str], rows: list[Any]) -> None:
    """A titled table; nothing where it has no rows."""
    if rows:
        echo_text(f"\n{title}")
        print_table(headings, rows)


def status_sections(
    found: "Overview", say: "Translator"
) -> Iterator[tuple[str, Sequence[str], Rows]]:
    """Title, headings and rows of each part of the overview."""
    runs = [say(word) for word in ("Run", "Began", "Took", "As of", "Outcome", "Details")]
    yield say("Runs"), runs, run_rows(found, say)
    deliveries = (
        "Dataset",
        "Source",
        "Rows",
        "Accepted",
        "Quarantined",
        "Held",
        "Late",
        "Newest row",
    )
    title = say("Deliveries")
    if found.quality:
        days = found.quality.report.days
        title += f" · {say('The last {days} delivered days; registers as they stand.', days=days)}"
    yield title, [say(word) for word in deliveries], quality_rows(found, say)
    outcomes = ("Dataset", "Source", "Outcome", "Reason", "Rows", "Files")
    yield say("Most common outcomes"), [say(word) for word in outcomes], outcome_rows(found, say)
    yield (
        say("Models"),
        ["", say("Champion"), say("Challenger"), say("Today's rule")],
        model_rows(found, say),
    )
    gates = [say(word) for word in ("Gate", "Challenger", "Required", "Verdict")]
    yield say("What the gates say of the challenger"), gates, gate_rows(found, say)
    drift = [say(word) for word in ("Feature", "Stability index", "Missing now", "Missing then")]
    yield say("Drift"), drift, drift_rows(found, say)
    yield say("Last replay"), ["", say("Model"), say("Today's rule")], replay_rows(found, say)


def run_rows(found: "Overview", say: "Translator") -> Rows:
    """The newest run of every verb."""
    from serving.operations.wording import VERBS, describe_fact

    for verb, run in found.newest.items():
        details = (
            f"{say(run.error)} {say(run.remedy)}"
            if run.error
            else ", ".join(describe_fact(*one, say) for one in run.facts.items())
        )
        outcome = "running" if run.finished_at is None else "done" if run.ok else "failed"
        yield (
            say.label(VERBS, verb),
            say.moment(run.started_at),
            say.span(run.duration) if run.duration is not None else "–",
            say.moment(run.about_at) if run.about_at else "–",
            say(outcome),
            details,
        )


def quality_rows(found: "Overview", say: "Translator") -> Rows:
    """Each source of the last days."""
    from serving.operations.wording import DATASETS
    from serving.presentation.wording import SOURCES

    for one in found.quality.report.sources if found.quality else ():
        counts = (one.rows, one.accepted, one.quarantined, one.held, one.late)
        newest = say.moment(one.last_row_at) if one.last_row_at else "–"
        yield (
            say.label(DATASETS, one.dataset),
            "–" if one.source == one.dataset else say.label(SOURCES, one.source),
            *map(say.number, counts),
            newest if one.in_force else say("nothing in force yet"),
        )


def outcome_rows(found: "Overview", say: "Translator") -> Rows:
    """What befell deliveries most often lately."""
    from serving.operations.wording import DATASETS, OUTCOMES
    from serving.presentation.wording import SOURCES

    for one in found.quality.report.outcomes if found.quality else ():
        yield (
            say.label(DATASETS, one.dataset),
            "–" if one.source in {one.dataset, ""} else say.label(SOURCES, one.source),
            say.label(OUTCOMES, one.status),
            one.zh if say.language == "zh" else one.en,
            say.number(one.rows) if one.rows else "–",
            say.number(one.files),
        )


def model_rows(found: "Overview", say: "Translator") -> Rows:
    """Versions and figures of the champion, the challenger and the rule."""
    from serving.operations.wording import FIGURES, format_figure

    if found.models is None:
        return
    models = found.models.report
    both = (models.champion, models.challenger)
    yield say("version"), *(model.version if model else "–" for model in both), ""
    yield (
        say("Learned from what was known before"),
        *(f"{m.trained_at:%Y-%m-%d %H:%M}" if m else "–" for m in both),
        "",
    )
    for row in models.figures:
        values = (row.champion, row.challenger, row.rule)
        yield (
            say.label(FIGURES, row.name),
            *(format_figure(row.name, value, say) for value in values),
        )


def gate_rows(found: "Overview", say: "Translator") -> Rows:
    """What each gate says."""
    from serving.operations.wording import GATES, gate_requirement, gate_value

    for gate in found.models.report.gates if found.models else ():
        verdict = "passes" if gate.passed else "refuses"
        yield (
            say.label(GATES, gate.gate),
            gate_value(gate, say),
            gate_requirement(gate, say),
            say(verdict),
        )


def drift_rows(found: "Overview", say: "Translator") -> Rows:
    """The features that moved far."""
    for one in found.drift.report.features if found.drift else ():
        if one.noted:
            psi = "–" if one.psi is None else say.number(one.psi, 3)
            yield one.feature, psi, say.percent(one.missing), say.percent(one.missing_before)


def replay_rows(found: "Overview", say: "Translator") -> Rows:
    """Figures of the model and of the rule."""
    from serving.operations.wording import FIGURES, format_figure

    for row in found.replay.report.figures if found.replay else ():
        yield (
            say.label(FIGURES, row.name),
            format_figure(row.name, row.champion, say),
            format_figure(row.name, row.rule, say),
        )
