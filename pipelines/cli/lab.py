"""The engineers' part of the command line: how good it is, what it is worth, and whether another
model is better.
"""

from contextlib import nullcontext
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from data_contracts.words.counts import count_things
from pipelines.cli.arguments import (
    AsJson,
    At,
    End,
    Home,
    Seed,
    Start,
    load_settings,
    moment_or_latest,
    parse_days,
    parse_list,
    parse_moment,
    parse_numbers,
)
from pipelines.cli.printing.terminal import (
    echo_text,
    format_figure,
    print_json,
    print_progress,
    print_table,
    progress_printer,
)
from pipelines.clock import wall_clock

__all__ = ["lab"]

lab = typer.Typer()


@lab.command()
def measure(
    start: Start,
    end: End,
    report: Annotated[
        Path | None, typer.Option(help="Also write an evaluation report, one HTML page.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """How good the published alerts were, by the cases and dispositions known by now."""
    from models.evaluation.alert_metrics import compute_metrics
    from pipelines.backtesting.window import check_window
    from pipelines.training.evaluation import evaluate_published, write_report

    first, last = parse_moment(start), parse_moment(end)
    check_window(start=first, end=last)
    found = evaluate_published(load_settings(home), start=first, end=last, at=wall_clock())
    if report:
        write_report(found, report)
    named = compute_metrics(found.model).to_metrics()
    if as_json:
        print_json(named)
    else:
        print_table(
            ("by cases and dispositions", "figure"),
            [(name, format_figure(value)) for name, value in named.items()],
        )


@lab.command()
def replay(
    start: Start,
    end: End,
    every: Annotated[
        str | None, typer.Option(help="The clock, such as 15m or 1h; default: the setting tick.")
    ] = None,
    budget: Annotated[int, typer.Option(min=1, help="Alerts a day, on average.")] = 20,
    texts: Annotated[
        int, typer.Option(min=0, help="Also measure texts to so many people a day, next in rank.")
    ] = 0,
    out: Annotated[Path, typer.Option(help="Where the alerts are written.")] = Path(
        "alerts.parquet"
    ),
    reveal: Annotated[
        bool, typer.Option(help="Real ID numbers instead of pseudonyms, from the vault.")
    ] = False,
    retrain_every: Annotated[
        str | None, typer.Option(help="Train again so often, such as 7d.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Also write an evaluation report, one HTML page.")
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(help="Also write the scores, tick by tick, into this .parquet or .csv file."),
    ] = None,
    floor: Annotated[float, typer.Option(min=0, max=1, help="Leave out scores below this.")] = 0.0,
    all_reported: Annotated[
        Path | None,
        typer.Option(
            help="Learn from every story in this truth.parquet of a simulated district, as if all "
            "had been reported: a ceiling."
        ),
    ] = None,
    contacts_unclear: Annotated[
        bool,
        typer.Option(
            "--contacts-unclear",
            help="Of these, stories of contact alone teach neither that there was a fraud nor that "
            "there was none.",
        ),
    ] = False,
    truth: Annotated[
        Path | None,
        typer.Option(
            help="truth.parquet of a simulated district: who had paid before the alert, and was so "
            "marked."
        ),
    ] = None,
    seed: Seed = 0,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Honest backtest: what would have been alerted, tick by tick, with only what had arrived."""
    from models.evaluation.true_episodes import taught_stories
    from pipelines.backtesting.paid_marks import count_paid_marks, paid_marks_table
    from pipelines.backtesting.replay import champion_trained_at, reveal_persons, write_alerts
    from pipelines.backtesting.score_file import ScoreFile
    from pipelines.backtesting.truth import read_truth
    from pipelines.orchestration.recorded_verbs import run_replay as run
    from pipelines.training.evaluation import write_report
    from pipelines.webapp.accounts import record_reveal_at_terminal

    settings = load_settings(home)
    if reveal:
        record_reveal_at_terminal(settings, subject="replay", out=out)
    reveal_rows = partial(reveal_persons, settings=settings) if reveal else None
    kept = ScoreFile(scores, floor=floor, reveal=reveal_rows) if scores else None
    taught = read_truth(all_reported, settings=settings) if all_reported else None
    known = read_truth(truth, settings=settings) if truth else None
    with kept or nullcontext():
        result = run(
            settings,
            start=parse_moment(start),
            end=parse_moment(end),
            every=every or settings.tick,
            budget=budget,
            text_budget=texts,
            retrain_every=parse_days(retrain_every) if retrain_every else None,
            seed=seed,
            model=champion_trained_at(settings, parse_moment(start)) if taught is None else None,
            stories=taught_stories(taught, contacts_unclear=contacts_unclear)
            if taught is not None
            else None,
            budgets=report is not None,
            take_scores=kept.add if kept else None,
            progress=progress_printer(as_json),
        )
    if report:
        write_report(result.evaluation, report)
    alerts, baseline = result.alerts, result.baseline_alerts
    marks = count_paid_marks(alerts, known, seed=seed) if known is not None else {}
    if reveal_rows:
        alerts, baseline = reveal_rows(alerts), reveal_rows(baseline)
    beside = out.with_name(f"{out.stem}.rule{out.suffix}")
    write_alerts(alerts, out)
    write_alerts(baseline, beside)
    if as_json:
        print_json(
            {
                "out": out,
                "rule": beside,
                "scores": scores,
                "moments": result.moments,
                "figures": result.named,
                "with_texts": result.with_texts.to_metrics() if result.with_texts else None,
                "paid_marks": {name: found.to_dicts() for name, found in marks.items()},
            }
        )
        return
    columns = {"model": result.figures, "model, with texts": result.with_texts}
    shown = {name: found for name, found in columns.items() if found} | {"rule": result.baseline}
    rows = [
        (name, *(format_figure(getattr(found, name)) for found in shown.values()))
        for name in ("alerts_per_day", "precision", "coverage", "money", "lead_h_median", "losses")
    ]
    print_table(("by reported cases", *shown), rows)
    if marks:
        echo_text(paid_marks_table(marks) + "\n")
    found = count_things(len(alerts), "alert")
    echo_text(f"{found} in {out}, the rule's {len(baseline)} in {beside}")
    if kept:
        echo_text(f"{count_things(kept.rows, 'score')} of at least {floor:g} in {kept.path}")


@lab.command("study", hidden=True)
@lab.command("experiments")
def print_experiments(
    start: Start,
    end: End,
    budget: Annotated[int, typer.Option(min=1, help="Alerts a day.")] = 8,
    every: Annotated[
        str | None,
        typer.Option(
            help="The clock at which parts and policies are compared; default: the setting tick."
        ),
    ] = None,
    clocks: Annotated[
        str, typer.Option(help="Clocks to compare; none: leave them out.")
    ] = "1d,6h,1h,15m,5m",
    ablations: Annotated[
        str, typer.Option(help="What to leave out, such as calls,nightly; all or none.")
    ] = "all",
    levers: Annotated[
        str,
        typer.Option(help="What to do otherwise, such as exposed,agreement; all or none."),
    ] = "none",
    policies: Annotated[bool, typer.Option(help="Compare policies too.")] = True,
    truth: Annotated[
        Path | None, typer.Option(help="truth.parquet of a simulated district, to judge by too.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write the tables; where the file has places for them, only there."),
    ] = None,
    seed: Seed = 0,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """What each clock, part of the inputs, lever and policy is worth, beside today's rule."""
    from pipelines.backtesting.experiments import result_rows
    from pipelines.backtesting.experiments import run_experiments as run
    from pipelines.backtesting.experiments_page import experiments_markdown, write_experiments
    from pipelines.backtesting.levers import LEVERS
    from pipelines.backtesting.variants import ABLATIONS

    result = run(
        load_settings(home),
        start=parse_moment(start),
        end=parse_moment(end),
        budget=budget,
        every=every,
        clocks=parse_list(clocks),
        ablations=ABLATIONS if ablations == "all" else parse_list(ablations),
        levers=tuple(LEVERS) if levers == "all" else parse_list(levers),
        policies=policies,
        truth=truth,
        seed=seed,
        progress=progress_printer(as_json),
    )
    if out:
        write_experiments(result, out)
    if as_json:
        composed = {
            "at_true_rate": result.at_true_rate,
            "levers_at_true_rate": result.levers_at_true_rate,
        }
        print_json(
            {"results": result_rows(result)}
            | {name: None if one is None else one.to_dicts() for name, one in composed.items()}
        )
    else:
        echo_text(experiments_markdown(result))


@lab.command("compose")
def print_composition(
    scores: Annotated[
        Path,
        typer.Argument(
            help="What `forestall replay --scores` has written; its --out shows less coverage."
        ),
    ],
    start: Start,
    end: End,
    truth: Annotated[Path, typer.Option(help="truth.parquet of the simulated district.")],
    people: Annotated[int, typer.Option(min=1, help="Residents of the simulated district.")],
    residents: Annotated[
        int, typer.Option(min=1, help="Residents of the true district.")
    ] = 850_000,
    losses: Annotated[
        float, typer.Option(min=0, help="True losses per 100,000 residents and day.")
    ] = 1.2,
    contacts: Annotated[
        float, typer.Option(min=0, help="People drawn in who do not pay, for one who does.")
    ] = 20.0,
    budgets: Annotated[
        str, typer.Option(help="Alerts a day of the true district.")
    ] = "12,23,40,85",
    hold_min: Annotated[
        int,
        typer.Option(
            "--hold",
            min=0,
            max=10_080,
            help="As if every payment to a fraudster waited so many minutes.",
        ),
    ] = 0,
    by_type: Annotated[
        bool, typer.Option("--by-type", help="What is seen of each scam type, too.")
    ] = False,
    seed: Seed = 0,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """What a model replayed in a district full of fraud gives at the true rate of fraud."""
    from models.evaluation.true_rate.composition import TrueRates
    from pipelines.backtesting.true_rate import (
        compose_replay,
        composition_table,
        scam_type_table,
    )

    found = compose_replay(
        scores,
        truth,
        settings=load_settings(home),
        start=parse_moment(start),
        end=parse_moment(end),
        people=people,
        rates=TrueRates(residents, losses, contacts),
        budgets=parse_numbers(budgets),
        hold=timedelta(minutes=hold_min),
        by_type=by_type,
        seed=seed,
    )
    types = found.scam_types
    if as_json:
        of_types = {} if types is None else {"scam_types": types.to_dicts()}
        print_json({"budgets": found.budgets.to_dicts(), **of_types})
        return
    echo_text(composition_table(found.budgets))
    if types is not None:
        echo_text("\n" + scam_type_table(types))


@lab.command()
def robustness(
    folder: Annotated[
        Path, typer.Argument(help="Where the districts are simulated; not to exist yet.")
    ],
    people: int = 4000,
    days: int = 45,
    intensity: Annotated[float, typer.Option(help="Fraud, times the ordinary rate.")] = 5.0,
    budget: int = 8,
    every: Annotated[
        str | None, typer.Option(help="The clock, such as 15m or 1h; default: the setting tick.")
    ] = None,
    seed: Seed = 0,
    home: Home = None,
) -> None:
    """What is lost when an operator or a bank is missing, or the fraud changes, on simulated
    districts.
    """
    from pipelines.backtesting.robustness import DistrictSize, robustness_table
    from pipelines.backtesting.robustness import measure_robustness as run

    scale = DistrictSize(people=people, days=days, intensity=intensity, seed=seed)
    settings = load_settings(home)
    lines = run(
        folder,
        scale=scale,
        settings=settings,
        budget=budget,
        every=every or settings.tick,
        progress=print_progress,
    )
    echo_text(robustness_table(lines))


@lab.command()
def challenge(
    at: At = None,
    days: Annotated[
        int | None, typer.Option(min=1, help="Days to compare; default from the settings.")
    ] = None,
    promote: Annotated[
        bool, typer.Option("--promote", help="Promote the challenger if the gates allow.")
    ] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """What champion and challenger would have alerted, side by side, over days that both have
    scored.
    """
    from pipelines.training.shadow_comparison import challenge_champion as compare
    from pipelines.webapp.promotion import record_promotion_at_terminal

    settings = load_settings(home)
    found = compare(
        settings,
        at=moment_or_latest(at, settings),
        days=days,
        promote=promote,
        progress=progress_printer(as_json),
    )
    if found.promoted:
        record_promotion_at_terminal(
            settings, action="promote", why="the gates let it pass", at=wall_clock()
        )
    figures = found.figures.by_scorer()
    if as_json:
        print_json({**asdict(found), "figures": figures})
        return
    columns = [figures[scorer] for scorer in ("champion", "challenger", "rule")]
    rows = [(name, *(format_figure(column.get(name)) for column in columns)) for name in columns[0]]
    print_table(
        (
            "by reported cases",
            f"champion {found.champion}",
            f"challenger {found.challenger}",
            "rule",
        ),
        rows,
    )
    echo_text(
        ("the gates let it pass: " if found.passed else "the gates refuse it: ")
        + "; ".join(found.reasons)
    )
    if found.promoted:
        echo_text(
            f"version {found.challenger} is champion; `forestall models --roll-back --why …` "
            "undoes it"
        )


@lab.command()
def tune(
    at: At = None,
    trials: Annotated[
        int, typer.Option(min=1, help="Parameters to try; the first are the present ones.")
    ] = 30,
    seed: Seed = 0,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Search parameters of the trees that rank later moments best, and print them for the settings
    file.
    """
    from pipelines.training.tune import tune as search

    settings = load_settings(home)
    found = search(
        settings,
        at=moment_or_latest(at, settings),
        trials=trials,
        seed=seed,
        progress=progress_printer(as_json),
    )
    if as_json:
        print_json(found)
        return
    echo_text(
        f"average precision {found.quality:.4f} on {found.later_episodes} later episodes, "
        f"{found.current_quality:.4f} with the present settings; {found.trials} trials"
        f"\n\n{found.text}"
    )
