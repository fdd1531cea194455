"""How much is lost when data go missing or the fraud changes, measured on districts of the
simulator.

Three districts are simulated: a usual one, one in which every fraudster calls from an ordinary
mobile number, and one with a scam type that nobody has seen before. Two models learn from the usual
one, with outages and without. Both then walk the last days of each scenario, with today's rule
beside them, and are judged by the truth.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl

from data_contracts.pages.markdown import markdown_table
from features.entities.feeds import Feeds
from features.event_index import EventIndex, build_event_index
from features.kernel.source_tables import SourceTables
from models.evaluation.alert_metrics import JudgedAlerts, compute_metrics
from models.evaluation.true_episodes import judge_by_truth
from models.learning.outage_augmentation import OUTAGE_SHARE, Outage, drop_lost_records
from models.learning.risk import RiskModel
from pipelines.backtesting.experiments import run_variants, start_variant
from pipelines.backtesting.truth import read_truth
from pipelines.backtesting.variants import MODEL, RULE, Variant
from pipelines.clock import SHANGHAI
from pipelines.ingestion.ingest import ingest
from pipelines.progress import Progress, no_progress
from pipelines.scoring.scored_people import policy_rules
from pipelines.settings import Settings
from pipelines.simulate import Mix, simulate
from pipelines.simulate.mix.scripts import ScamType
from pipelines.storage.as_of import source_tables_before
from pipelines.training.learn import TRAINING_HISTORY, learn_risk_model

__all__ = ["DistrictSize", "ScenarioResult", "measure_robustness", "robustness_table"]

NO_OUTAGES = f"{MODEL}_no_outages"
MODEL_LABELS: Mapping[str, str] = {
    MODEL: "with outages",
    NO_OUTAGES: "without",
    RULE: "today's rule",
}
DAY = timedelta(days=1)
MEASURED_SPAN = 14 * DAY
NEW_SCAM_TYPE = "fake_recruiter"
USUAL, ORDINARY, NEW = "usual", "ordinary_numbers", "new_type"


@dataclass(frozen=True)
class DistrictSize:
    """How large the districts are. ``intensity`` multiplies the fraud, so that few people suffice
    to count.
    """

    people: int = 4000
    days: int = 45
    intensity: float = 5.0
    start: date = date(2026, 6, 1)
    seed: int = 0

    @property
    def end(self) -> datetime:
        """The midnight after the last day."""
        midnight = datetime(self.start.year, self.start.month, self.start.day, tzinfo=SHANGHAI)
        return midnight + timedelta(days=self.days)


@dataclass(frozen=True)
class Scenario:
    """What happens in which district, and whom it concerns: ``source`` or ``scam_type``; neither:
    everybody.
    """

    name: str
    district: str = USUAL
    outage: Outage | None = None
    scam_type: str | None = None


@dataclass(frozen=True, eq=False)
class ScenarioResult:
    """One model in one scenario: all figures, those of the losses concerned, and of the same with
    nothing missing.
    """

    scenario: str
    trained: str
    judged: JudgedAlerts
    concerned: JudgedAlerts
    before: JudgedAlerts | None


def measure_robustness(
    folder: Path,
    *,
    scale: DistrictSize,
    settings: Settings,
    budget: int,
    every: str,
    progress: Progress = no_progress,
) -> list[ScenarioResult]:
    """Simulate under ``folder``, train on what was known two weeks before the end, and walk every
    scenario.

    Of ``settings`` only the training and the policy count. Raises ``SettingsError`` where
    ``folder`` is not empty.
    """
    start, end = scale.end - MEASURED_SPAN, scale.end
    homes = {
        name: simulate_home(folder / name, mix, scale, settings, progress)
        for name, mix in district_mixes(scale).items()
    }
    known = {
        name: source_tables_before(home, at=end, span=MEASURED_SPAN + TRAINING_HISTORY)
        for name, home in homes.items()
    }
    truths = {
        name: read_truth(folder / name / "landing" / "truth.parquet", settings=homes[name])
        for name in homes
    }
    models = train_models(
        known[USUAL], settings=homes[USUAL], at=start, seed=scale.seed, progress=progress
    )
    rules = policy_rules(settings, budget=budget)
    results: list[ScenarioResult] = []
    without_outage: dict[str, JudgedAlerts] = {}
    for scenario in list_scenarios(start):
        progress(f"scenario: {scenario.name}")
        tables = known[scenario.district]
        event_index = build_event_index(
            drop_lost_records(tables, (scenario.outage,)) if scenario.outage else tables
        )
        variant_runs = [
            start_variant(Variant(scenario.name, column, every, column, rules), start=start)
            for column in MODEL_LABELS
        ]
        run_variants(
            event_index,
            models,
            variant_runs,
            start=start,
            end=end,
            every=every,
            settings=settings,
            progress=no_progress,
        )
        for one in variant_runs:
            judged = judge_by_truth(one.alerts, truths[scenario.district], start=start, end=end)
            name = MODEL_LABELS[one.variant.column]
            full = without_outage.setdefault(name, judged)
            before = concerned_losses(full, scenario, event_index) if scenario.outage else None
            results.append(
                ScenarioResult(
                    scenario.name,
                    name,
                    judged,
                    concerned_losses(judged, scenario, event_index),
                    before,
                )
            )
    return results


def district_mixes(scale: DistrictSize) -> dict[str, Mix]:
    """The settings of each district."""
    usual = Mix(intensity=scale.intensity)
    ordinary = {
        name: scam.model_copy(
            update={
                "caller_kinds": {"mobile": 1.0},
                "opening": scam.opening.model_copy(update={"text_kinds": {"mobile": 1.0}}),
            }
        )
        for name, scam in usual.scams.items()
    }
    recruiter = ScamType.model_validate(
        {
            "weight": 0.3,
            "age_mean": 27,
            "age_sd": 6,
            "opening": {"text_share": 0.5, "call_share": 0.5},
            "talks": {"share": 0.9, "count": [2, 5], "minutes_median": 12},
            "payments": {
                "count": [2, 4],
                "total_cny_median": 9000,
                "growth": [1.0, 2.0],
                "gap_h_median": 5,
            },
            "delay_h_median": 30,
        }
    )
    return {
        USUAL: usual,
        ORDINARY: usual.model_copy(update={"scams": ordinary}),
        NEW: usual.model_copy(update={"scams": {**usual.scams, NEW_SCAM_TYPE: recruiter}}),
    }


def list_scenarios(start: datetime) -> Sequence[Scenario]:
    """What is tried; outages begin with the window, or in its middle."""
    middle = start + 5 * DAY
    return (
        Scenario("nothing is missing"),
        Scenario(
            "the largest operator is gone for 3 days",
            outage=Outage("calls", "cmcc", middle, middle + 3 * DAY),
        ),
        Scenario("the largest operator is gone for ever", outage=Outage("calls", "cmcc", start)),
        Scenario(
            "a bank is gone for 3 days",
            outage=Outage("transfers", "icbc", middle, middle + 3 * DAY),
        ),
        Scenario("a bank is gone for ever", outage=Outage("transfers", "icbc", start)),
        Scenario("fraudsters call from ordinary mobile numbers", district=ORDINARY),
        Scenario("a scam type never seen", district=NEW, scam_type=NEW_SCAM_TYPE),
    )


def simulate_home(
    folder: Path, mix: Mix, scale: DistrictSize, settings: Settings, progress: Progress
) -> Settings:
    """Simulate and ingest one district; the settings of its home."""
    progress(f"simulating {folder.name}")
    simulate(
        folder / "landing",
        people=scale.people,
        days=scale.days,
        seed=scale.seed,
        start=scale.start,
        mix=mix,
    )
    home = settings.model_copy(update={"home": folder / "home", "keys": None})
    ingest(folder / "landing", settings=home, received_at=scale.end + timedelta(days=1))
    return home


def train_models(
    tables: SourceTables, *, settings: Settings, at: datetime, seed: int, progress: Progress
) -> dict[str, RiskModel]:
    """A model that met outages in training and one that did not, by the column of their score."""
    progress("training with outages and without")
    event_index = build_event_index(tables)
    shares = {MODEL: OUTAGE_SHARE, NO_OUTAGES: 0.0}
    models = {}
    for column, share in shares.items():
        training = settings.training.model_copy(update={"outage_share": share})
        used = settings.model_copy(update={"training": training})
        models[column], _ = learn_risk_model(event_index, tables, at=at, seed=seed, settings=used)
    return models


def concerned_losses(
    judged: JudgedAlerts, scenario: Scenario, event_index: EventIndex
) -> JudgedAlerts:
    """The losses concerned: of those whom the missing source serves, paid in its absence; or of the
    new type.
    """
    losses = judged.losses
    if scenario.scam_type:
        losses = losses.filter(scam_type=scenario.scam_type)
    if scenario.outage:
        out = scenario.outage
        feeds = event_index.call_feeds if out.dataset == "calls" else event_index.transfer_feeds
        losses = losses.join(served_people(event_index, feeds, out.source), on="person", how="semi")
        losses = losses.filter(pl.col("main_at") >= out.start_at)
        losses = losses.filter(pl.col("main_at") < out.end_at) if out.end_at else losses
    return replace(judged, losses=losses)


def served_people(event_index: EventIndex, feeds: Feeds, source: str) -> pl.DataFrame:
    """``person``: whom the source serves."""
    return event_index.people.select("person").filter(pl.Series(feeds.served[source]))


HEADINGS = (
    *("scenario", "trained", "precision a", "precision b", "coverage", "traced", "money"),
    *("losses concerned", "their coverage", "with nothing missing"),
)


def robustness_table(results: Sequence[ScenarioResult]) -> str:
    """The figures as a Markdown table."""
    return markdown_table(HEADINGS, map(table_cells, results))


def table_cells(line: ScenarioResult) -> Iterator[str]:
    """One line of the table."""
    every, theirs = compute_metrics(line.judged), compute_metrics(line.concerned)
    yield from (line.scenario, line.trained)
    for value in (
        every.precision_a,
        every.precision,
        every.coverage,
        every.coverage_traced,
        every.money,
    ):
        yield format_figure(value)
    yield str(theirs.losses)
    yield format_figure(theirs.coverage if theirs.losses else None)
    yield format_figure(
        compute_metrics(line.before).coverage if line.before and theirs.losses else None
    )


def format_figure(value: float | None) -> str:
    """Two decimals, or a dash for what does not exist."""
    return "–" if value is None else f"{value:.2f}"
