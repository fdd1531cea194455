"""The main job in one go on a simulated district, for a first look."""

from datetime import date, datetime, timedelta
from time import monotonic

from data_contracts.errors import SettingsError
from data_contracts.words.counts import count_things
from pipelines.clock import SHANGHAI, wall_clock
from pipelines.progress import Progress
from pipelines.settings import DEFAULT_HOME, Settings
from serving.vocabulary.languages import Language

__all__ = ["run_demo"]

START = date(2026, 6, 1)
INTENSITY = (
    4.0  # a small district with the fraud of a large one, so that there is something to learn from
)
HOUR_OF_SCORING = 15


def run_demo(
    settings: Settings, *, people: int, days: int, seed: int, language: Language, say: Progress
) -> None:
    """Simulate, ingest, train, score; print the watchlist in ``language`` and where to look next.

    The simulated landing folder stays in ``HOME/demo``. Raises ``SettingsError`` where another demo
    already lives.
    """
    from pipelines.cli.printing.terminal import print_watchlist
    from pipelines.orchestration.recorded_loads import run_ingest
    from pipelines.orchestration.recorded_verbs import run_score, run_train
    from pipelines.simulate import Mix, simulate
    from pipelines.webapp.accounts import login_link

    began = monotonic()

    def step(text: str) -> None:
        say(f"[{monotonic() - began:5.0f} s] {text}")

    landing = settings.home / "demo" / f"{people}x{days}-{seed}"
    if settings.lake_folder.exists() and not landing.exists():
        raise SettingsError(
            f"{settings.home} already holds other data", remedy="Give another --home."
        )
    if not (landing / "truth.parquet").exists():
        step(
            f"simulating {count_things(people, 'resident')} over {count_things(days, 'day')} "
            f"(fraud at {INTENSITY:g} times the ordinary rate)"
        )
        simulate(
            landing, people=people, days=days, seed=seed, start=START, mix=Mix(intensity=INTENSITY)
        )
    step("ingesting: normalise, check, quarantine, pseudonymise")
    report = run_ingest(landing, settings=settings, received_at=wall_clock())
    accepted, rejected = (
        sum(getattr(file, name) for file in report.files) for name in ("accepted", "quarantined")
    )
    step(f"{count_things(accepted, 'row')} accepted, {rejected:,} in quarantine")
    last = START + timedelta(days=days - 1)
    at = datetime(last.year, last.month, last.day, tzinfo=SHANGHAI)
    trained = run_train(settings, at=at, progress=step)
    step(f"model victim-risk/{trained.version}: " + "; ".join(trained.reasons[:3]))
    result = run_score(settings, at=at + timedelta(hours=HOUR_OF_SCORING), progress=step)
    print_watchlist(result.alerts, language=language)
    step(
        f"{count_things(result.scored, 'resident')} scored as of {result.at:%Y-%m-%d %H:%M}, "
        f"{count_things(len(result.alerts), 'alert')} published"
    )
    link = login_link(settings, name="demo", role="analyst", host="127.0.0.1", port=8000)
    serve = (
        "make serve"
        if settings.home == DEFAULT_HOME
        else f".venv/bin/forestall serve --home {settings.home}"
    )
    say(f"\nNext:\n  {serve}")
    say(f"  then open {link}")
    say("  which logs you in once, within 30 minutes, and shows this list with its reasons.")
