"""The command line: names and arguments here, the work in the verbs' own modules, imported when
they are called.
"""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from data_contracts.errors import DeliveryError, ForestallError, SettingsError
from data_contracts.words.counts import count_things
from pipelines.cli.arguments import (
    AsJson,
    At,
    Home,
    InLanguage,
    Language,
    Seed,
    load_installation,
    load_settings,
    moment_or_latest,
    parse_day,
    require_dataset,
)
from pipelines.cli.export import export, webhooks
from pipelines.cli.lab import lab
from pipelines.cli.printing.load import print_load
from pipelines.cli.printing.quarantine import describe_rows, print_quarantine
from pipelines.cli.printing.retry import print_retry
from pipelines.cli.printing.terminal import (
    echo_text,
    print_json,
    print_progress,
    print_table,
    print_watchlist,
    progress_counter,
    progress_printer,
    to_json_value,
)
from pipelines.cli.privacy import person, retention
from pipelines.cli.reference import reference
from pipelines.cli.safekeeping import keys, safekeeping
from pipelines.cli.sources import sources
from pipelines.cli.status import status
from pipelines.cli.store import store
from pipelines.cli.users import audit, users
from pipelines.clock import wall_clock
from pipelines.storage.places.answers import plain_answers

__all__ = ["app", "main"]

LIBRARY_ENVIRONMENT = {  # nothing calls home, nothing spins
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # Threads that spin while they wait starve whatever else runs here.
    "OMP_WAIT_POLICY": "PASSIVE",
}

FILES_WAIT = 3  # exit code of a load that went well but for files that wait for somebody

app = typer.Typer(
    name="forestall",
    help="Early warning for telecom fraud: finds residents who are being drawn in "
    "while there is still time.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(users, name="users")
app.add_typer(audit, name="audit")
app.add_typer(export, name="export")
app.add_typer(webhooks, name="webhooks")
app.add_typer(sources, name="sources")
app.add_typer(store, name="store")
app.add_typer(keys, name="keys")
app.add_typer(retention, name="retention")
app.add_typer(person, name="person")
app.add_typer(lab)
app.add_typer(safekeeping)
app.add_typer(status)
app.add_typer(reference)


class Promote(StrEnum):
    """When a new model takes over."""

    auto = "auto"
    always = "always"
    never = "never"


def main() -> None:
    """Run the command line; say what went wrong and what to do about it, without a traceback."""
    os.environ.update(
        {name: os.environ.get(name, value) for name, value in LIBRARY_ENVIRONMENT.items()}
    )
    try:
        with plain_answers():
            app()
    except ForestallError as error:
        say_and_stop(error)
    except BaseException as error:
        from pipelines.storage.faults import explain_fault

        explained = explain_fault(error)
        if explained is None:
            raise
        say_and_stop(explained)


def say_and_stop(error: ForestallError) -> NoReturn:
    """Say what went wrong and what to do about it, and end with exit code 1."""
    stop = "" if str(error).endswith((".", "?", "!")) else "."
    remedy = f"{stop} {error.remedy}" if error.remedy else ""
    echo_text(f"forestall: {error}{remedy}", err=True)
    sys.exit(1)


@app.command()
def demo(
    home: Home = None,
    people: int = 4000,
    days: int = 40,
    seed: int = 7,
    language: InLanguage = Language.en,
) -> None:
    """Simulate a district, ingest, train, score, print the watchlist and where to look next."""
    from pipelines.cli.demo import run_demo

    run_demo(
        load_settings(home),
        people=people,
        days=days,
        seed=seed,
        language=language.value,
        say=print_progress,
    )


@app.command()
def simulate(
    out: Path,
    people: int = 4000,
    days: int = 40,
    seed: int = 7,
    life: Annotated[
        bool, typer.Option("--life", help="As much fraud as there truly is; otherwise far more.")
    ] = False,
    intensity: Annotated[float | None, typer.Option(help="Fraud, times the ordinary rate.")] = None,
    mix: Annotated[
        Path | None, typer.Option(help="YAML laid over the default mix of fraud and daily life.")
    ] = None,
    dirty: Annotated[bool, typer.Option(help="Make it as dirty as real deliveries are.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a simulated district in the delivered form, with its truth, into OUT."""
    from pipelines.simulate import inject_faults, load_mix
    from pipelines.simulate import simulate as build

    mix_settings = load_mix(mix, life=life)
    if intensity is not None:
        mix_settings = mix_settings.model_copy(update={"intensity": intensity})
    report = build(out, people=people, days=days, seed=seed, mix=mix_settings)
    faults = inject_faults(out, seed=seed) if dirty else []
    if as_json:
        print_json({**to_json_value(report), "faults": faults})
        return
    echo_text(
        f"{count_things(report.files, 'file')} in {out}: {count_things(report.calls, 'call')}, "
        f"{count_things(report.transfers, 'transfer')}, {count_things(report.cases, 'case')}"
    )
    for one in faults:
        echo_text(f"  {one.fault}: {one.path} ({count_things(one.rows, 'row')}, {one.expected})")


@app.command()
def ingest(
    landing: Path,
    through: Annotated[
        str | None, typer.Option(help="Only folders up to this day, and cases reported by its end.")
    ] = None,
    retry_held: Annotated[
        bool, typer.Option(help="Try held files again that have not changed.")
    ] = False,
    replace: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="This file takes the place of what came from it before."),
    ] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Take this file though it would be held."),
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Load a landing folder: normalise, check, quarantine, pseudonymise. Doing it again changes
    nothing. Exit code 3 when a file is held or cannot be read.
    """
    from pipelines.orchestration.recorded_loads import run_ingest as load

    report = load(
        landing,
        settings=load_settings(home),
        received_at=wall_clock(),
        through=parse_day(through) if through else None,
        retry_held=retry_held,
        replace=replace or (),
        accept=accept or (),
        progress=progress_counter("file") if not as_json else lambda *_: None,
    )
    if not report.files:
        raise DeliveryError(
            f"{landing} holds no delivery",
            remedy="Name the folder above calls/2026-08-01/cmcc.csv and its like.",
        )
    if as_json:
        print_json({"files": report.files})
    else:
        print_load(report.files)
    if report.waiting:
        raise typer.Exit(FILES_WAIT)


@app.command()
def train(
    at: At = None,
    promote: Promote = Promote.auto,
    seed: Seed = 0,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Train on what was known before AT, register the model, and promote it through the gates."""
    from pipelines.orchestration.recorded_verbs import run_train as learn

    settings = load_settings(home)
    result = learn(
        settings,
        at=moment_or_latest(at, settings),
        promote=promote.value,
        seed=seed,
        progress=progress_printer(as_json),
    )
    if as_json:
        print_json(result)
        return
    echo_text(
        f"victim-risk/{result.version}, from {result.episodes} episodes "
        f"and {result.moments:,} moments"
    )
    print_table(
        ("figure", "value"),
        [(name, f"{value:.4g}") for name, value in sorted(result.metrics.items())],
    )
    echo_text(("promoted: " if result.promoted else "not promoted: ") + "; ".join(result.reasons))


@app.command()
def score(
    at: At = None,
    intraday: Annotated[
        bool, typer.Option(help="Only people whose records changed since the last run.")
    ] = False,
    budget: Annotated[
        int | None, typer.Option(help="Alerts a calendar day; default from the settings.")
    ] = None,
    language: InLanguage = Language.en,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Score people as of AT with the champion and publish the watchlist."""
    from pipelines.orchestration.recorded_verbs import run_score as publish

    settings = load_settings(home)
    result = publish(
        settings,
        at=moment_or_latest(at, settings),
        kind="intraday" if intraday else "nightly",
        budget=budget,
        progress=progress_printer(as_json),
    )
    if as_json:
        print_json(result)
        return
    print_watchlist(result.alerts, language=language.value)
    echo_text(
        f"{count_things(result.scored, 'person', 'people')} scored as of "
        f"{result.at:%Y-%m-%d %H:%M}, {count_things(len(result.alerts), 'alert')} published"
    )


@app.command()
def serve(host: str = "127.0.0.1", port: int = 8000, home: Home = None) -> None:
    """Serve the pages and the API of what was published."""
    from pipelines.webapp.wiring import run_server

    run_server(load_settings(home), host=host, port=port, say=print_progress)


@app.command()
def schedule(
    landing: Annotated[Path, typer.Option(help="The folder that partners deliver into.")] = Path(
        "landing"
    ),
    port: Annotated[int, typer.Option(help="Where Prefect's server listens, here alone.")] = 4200,
    home: Home = None,
) -> None:
    """Run the flows on their schedules, such as nightly, intraday, retrain and backtest."""
    from pipelines.orchestration.schedule import serve_schedule

    serve_schedule(load_settings(home), landing=landing, port=port)


def retry_rows(home: Path | None, *, dataset: str | None, shows_rows: bool, as_json: bool) -> None:
    """Retry the rejected rows and print what became of them."""
    from pipelines.orchestration.recorded_loads import run_retry

    if shows_rows:
        raise SettingsError(
            "--retry goes with neither --reveal nor --out",
            remedy="Retry first, then list what is still rejected.",
        )
    report = run_retry(load_installation(home), received_at=wall_clock(), dataset=dataset)
    if as_json:
        print_json({"files": report.files})
    else:
        print_retry(report)


@app.command()
def quarantine(
    dataset: Annotated[str | None, typer.Option(help="Only rows of this dataset.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write them all to FILE, .csv or .parquet.")
    ] = None,
    reveal: Annotated[
        bool, typer.Option(help="With the rejected rows themselves, from the vault.")
    ] = False,
    retry: Annotated[
        bool, typer.Option(help="Load what can be taken now that a mapping or rule is mended.")
    ] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """The rejected rows, those with a warning and files that wait: reasons, file and row."""
    if dataset is not None:
        require_dataset(dataset)
    if retry:
        retry_rows(home, dataset=dataset, shows_rows=reveal or out is not None, as_json=as_json)
        return
    from pipelines.ingestion.outcomes.quarantine import export_quarantine, read_quarantine
    from pipelines.storage.places.private_files import make_private

    settings = load_installation(home)
    rows = read_quarantine(settings, dataset=dataset, reveal=reveal)
    if reveal:
        from pipelines.webapp.accounts import record_reveal_at_terminal

        record_reveal_at_terminal(settings, subject="quarantine", rows=len(rows), out=out)
    if out is not None:
        make_private(out)
        export_quarantine(rows, out=out)
        echo_text(f"{describe_rows(rows)}, written to {out}")
    elif as_json:
        print_json({"rows": rows.to_dicts()})
    else:
        print_quarantine(rows)


@app.command()
def models(
    promote: Annotated[str | None, typer.Option(help="Promote this version.")] = None,
    roll_back: Annotated[
        bool, typer.Option(help="Bring back the champion before this one.")
    ] = False,
    why: Annotated[
        str, typer.Option(help="Why, in a few words; it is written into the audit trail.")
    ] = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """All versions with their figures and who promoted them; promote one or roll back."""
    from pipelines.cli.printing.models import print_models
    from pipelines.webapp.promotion import list_models, promote_at_terminal, roll_back_at_terminal

    settings = load_installation(home)
    if (promote or roll_back) and not why.strip():
        raise SettingsError(
            "another model comes into force for a reason that is kept",
            remedy='Say it in a few words: --why "fewer false alarms last week".',
        )
    if promote:
        promote_at_terminal(settings, version=promote, why=why, at=wall_clock())
    if roll_back:
        roll_back_at_terminal(settings, why=why, at=wall_clock())
    found = list_models(settings)
    if as_json:
        print_json({"models": found})
    else:
        print_models(found)


if __name__ == "__main__":
    main()
