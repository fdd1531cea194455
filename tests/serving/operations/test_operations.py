"""The engineers' page, what it says needs action, and promoting a model from it."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from data_contracts.errors import ConflictError, NotReadyError
from serving.app import create_app
from serving.context.settings import ServingSettings
from serving.database.engine import read_transaction
from serving.operations.health_issues import find_health_issues
from serving.operations.service import (
    RETENTION,
    Overview,
    begin_run,
    end_run,
    file_report,
    read_overview,
)
from serving.presentation.translations import get_translator
from serving.vocabulary.reports import (
    BudgetReport,
    DeliveryOutcome,
    DriftReport,
    FairnessReport,
    FeatureMoved,
    FigureRow,
    GateSaid,
    GroupFigure,
    HeldFile,
    ModelFacts,
    ModelsReport,
    QualityReport,
    Range,
    RejectReason,
    ReplayReport,
    Run,
    SilentSource,
    SourceQuality,
    Volume,
)
from tests.serving.conftest import Client, a_client, audited
from tests.serving.published import MIDNIGHT, MORNING

OWN = {"Sec-Fetch-Site": "same-origin"}
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"></svg>'


def a_model(version: str = "1", **changes: object) -> ModelFacts:
    """Return a registered model."""
    fields: dict[str, object] = {
        "version": version,
        "digest": "ab" * 32,
        "trained_at": MIDNIGHT - timedelta(days=2),
        "run_id": "r",
        "trees": 400,
        "features": 184,
        "facts": {"episodes": 137.0, "losses": 129.0},
        "pictures": {"calibration": SVG},
    }
    return ModelFacts(**(fields | changes))  # type: ignore[arg-type]


PASSING = (
    GateSaid(
        gate="rule_precision_at_budget", passed=True, reason="r", own=0.31, other=0.12, allowed=0.0
    ),
    GateSaid(
        gate="champion_money_at_budget", passed=True, reason="r", own=0.4, other=0.42, allowed=0.03
    ),
    GateSaid(gate="episodes", passed=True, reason="r", own=137, other=30),
    GateSaid(gate="residency_gap_coverage", passed=True, reason="r"),
)
REFUSING = (
    *PASSING,
    GateSaid(
        gate="calibration_error",
        passed=False,
        reason="calibration error 0.2: …",
        own=0.2,
        other=0.1,
    ),
)
FIGURES = (
    FigureRow(name="precision_at_budget", champion=0.156, challenger=0.31, rule=0.068),
    FigureRow(name="lead_h_median", champion=6.7, challenger=None),
)


def the_models(*, gates: tuple[GateSaid, ...] = PASSING) -> ModelsReport:
    """Return a champion with a challenger beside it."""
    return ModelsReport(
        champion=a_model("1"), challenger=a_model("2"), figures=FIGURES, gates=gates
    )


def a_run(verb: str = "nightly", *, after: timedelta = timedelta(0), **changes: object) -> Run:
    """Return a run that went well in seven seconds."""
    began = MORNING - timedelta(hours=8) + after
    fields: dict[str, object] = {
        "verb": verb,
        "started_at": began,
        "finished_at": began + timedelta(seconds=7),
        "about_at": MIDNIGHT,
        "ok": True,
        "facts": {"scored": 4000, "alerts": 12, "model": "1"},
    }
    return Run(**(fields | changes))  # type: ignore[arg-type]


def a_source(**changes: object) -> SourceQuality:
    """Return a source of which every row was accepted."""
    fields: dict[str, object] = {
        "dataset": "calls",
        "source": "cmcc",
        "files": 7,
        "rows": 1000,
        "accepted": 1000,
        "quarantined": 0,
        "duplicates": 0,
        "held": 0,
        "late": 3,
        "last_row_at": MIDNIGHT,
        "received_at": MIDNIGHT,
    }
    return SourceQuality(**(fields | changes))  # type: ignore[arg-type]


GOOD = QualityReport(days=7, newest_at=MIDNIGHT, sources=(a_source(),))
BAD = QualityReport(
    days=7,
    newest_at=MIDNIGHT,
    sources=(
        a_source(
            accepted=980,
            quarantined=20,
            reasons=(
                RejectReason(
                    code="started_at.in_future", zh="时间在未来", en="In the future", rows=20
                ),
            ),
        ),
    ),
    held=(
        HeldFile(
            path="calls/2026-07-04/cucc.csv",
            reason="9 of 40 rows are bad, more than 5%",
            dataset="calls",
            source="cucc",
            code="file.bad_rows",
            remedy="Mend the source's mapping, then ingest with `--retry-held`.",
            rows=40,
        ),
    ),
    outcomes=(
        DeliveryOutcome(
            dataset="calls",
            source="cmcc",
            status="rejected",
            code="started_at.in_future",
            zh="时间在未来",
            en="In the future",
            rows=20,
            files=1,
            path="calls/2026-07-04/cmcc.csv",
        ),
    ),
    outcomes_since=MIDNIGHT,
    silent=(
        SilentSource(dataset="transfers", source="icbc", since=MIDNIGHT - timedelta(days=2)),
        SilentSource(dataset="calls", source="cbn", since=None),
    ),
)
DRIFT = DriftReport(
    version="1",
    about_at=MIDNIGHT,
    rows=4000,
    moderate=0.1,
    large=0.25,
    missing_points=0.1,
    features=(
        FeatureMoved(
            feature="new_debit_cny_6h", psi=0.3, missing=0.2, missing_before=0.1, noted=True
        ),
    ),
    noted=1,
    volume=Volume(expected=12.5, seen=40, low=4, high=23),
    estimated_precision=0.21,
)


def a_group(**changes: object) -> GroupFigure:
    """Return a group that is surely served worse."""
    fields: dict[str, object] = {
        "attribute": "residency",
        "group": "floating",
        "figure": "coverage",
        "count": 28,
        "value": 0.3,
        "low": 0.2,
        "high": 0.4,
        "gap": -10.9,
        "gap_low": -20.9,
        "gap_high": -1.4,
    }
    return GroupFigure(**(fields | changes))  # type: ignore[arg-type]


FAIRNESS = FairnessReport(
    source="challenger",
    start=MIDNIGHT - timedelta(days=7),
    end=MIDNIGHT,
    gap_points=5,
    groups=(a_group(),),
    chart=SVG,
)
BUDGET = BudgetReport(
    version="2",
    start=MIDNIGHT - timedelta(days=10),
    end=MIDNIGHT,
    budget=23,
    residents=850_000,
    losses=34,
    loss_rate=Range(value=0.4, low=0.29, high=0.53),
    precision=Range(value=0.61, low=0.52, high=0.69),
    one_more_losses=Range(value=2.4, low=0.0, high=5.1),
    one_more_cny=Range(value=84_500.0, low=0.0, high=190_000.0),
)
REPLAY = ReplayReport(
    start=MIDNIGHT - timedelta(days=7),
    end=MIDNIGHT,
    every="1h",
    budget=20,
    figures=FIGURES[:1],
    chart=SVG,
)


class Promoter:
    """Keeps two models in memory; the gates let only version 2 pass."""

    def __init__(self) -> None:
        self.history = ["1"]

    def promote(self, version: str, /, *, at: datetime) -> ModelsReport:
        """Promote version 2."""
        if version != "2":
            raise ConflictError(
                "the gates refuse version 3: precision at budget 0.1 against 0.2 of the champion"
            )
        self.history.append(version)
        return self._models()

    def roll_back(self, *, at: datetime) -> ModelsReport:
        """Go back to version 1."""
        if len(self.history) < 2:
            raise NotReadyError("no champion stands before the present one")
        self.history.pop()
        return self._models()

    def _models(self) -> ModelsReport:
        return ModelsReport(champion=a_model(self.history[-1]), challenger=None)


@pytest.fixture
def promoter() -> Promoter:
    """Give the models as they stand before anybody touched them."""
    return Promoter()


@pytest.fixture
def client(settings: ServingSettings, staff: Mapping[str, str], promoter: Promoter) -> Client:
    """Give a client of an application that keeps models, with an engineer logged in."""
    return a_client(create_app(settings=settings, promoter=promoter, clock=lambda: MORNING), staff)


def page(client: Client, language: str = "en", role: str = "engineer") -> str:
    answer = client.get(f"/operations?lang={language}", headers=client.as_(role))
    assert answer.status_code == 200
    return answer.text


def fill(engine: Engine) -> None:
    """File one report of every kind."""
    end_run(engine, begin_run(engine, a_run(finished_at=None, ok=False, facts={})), a_run())
    for report in (BAD, the_models(), DRIFT, FAIRNESS, REPLAY, BUDGET):
        file_report(engine, report, at=MORNING - timedelta(hours=1))


@pytest.mark.parametrize("path", ["/operations", "/api/v1/operations"])
def test_only_engineers_see_it(client: Client, path: str) -> None:
    anonymous = client.get(path)
    assert anonymous.status_code == 401 or anonymous.headers["location"] == "/login"
    assert [
        client.get(path, headers=client.as_(role)).status_code for role in ("analyst", "officer")
    ] == [403, 403]
    assert [
        client.get(path, headers=client.as_(role)).status_code for role in ("engineer", "admin")
    ] == [200, 200]


@pytest.mark.parametrize("path", ["/operations/promote", "/operations/roll-back"])
def test_only_engineers_change_the_model(client: Client, promoter: Promoter, path: str) -> None:
    form = {"version": "2", "reason": "better by the gates"}
    assert client.post(path, data=form, headers=OWN).headers["location"] == "/login"
    for role in ("analyst", "officer"):
        assert client.post(path, data=form, headers=client.as_(role)).status_code == 403
    assert promoter.history == ["1"]


def test_an_empty_installation_says_what_to_do(client: Client) -> None:
    told = page(client)
    for text in (
        "No list of a night has been published yet.",
        "There is no champion. Train a model: forestall train.",
    ):
        assert text in told
    assert "Nothing has run yet." in told


@pytest.mark.parametrize(("language", "said"), [("en", "nothing in force yet"), ("zh", "尚无")])
def test_of_a_register_that_is_held_it_says_that_none_is_in_force(
    client: Client, engine: Engine, language: str, said: str
) -> None:
    names = {"dataset": "residents", "source": "residents", "last_row_at": None}
    held = a_source(**names, files=1, rows=3, accepted=0, held=3, late=0, in_force=False)
    file_report(engine, GOOD.model_copy(update={"sources": (a_source(), held)}), at=MORNING)
    assert page(client, language).count(said) == 1


def test_while_the_first_model_is_trained_nobody_is_asked_to_train_one(
    client: Client, engine: Engine
) -> None:
    begin_run(engine, a_run("train", finished_at=None, ok=False, facts={}))
    told = page(client)
    assert "There is no champion yet: a model is being trained." in told
    assert "Train a model" not in told


def test_the_page_shows_every_report(client: Client, engine: Engine) -> None:
    fill(engine)
    told = page(client)
    for text in (
        "List of the night",
        "4,000 people scored",
        "7 sec",
        "China Mobile",
        "In the future</a> × 20",
        "calls/2026-07-04/cucc.csv",
        "never delivered",
        "version 1",
        "137 reported episodes",
        "more than 12.0%",  # the rule's precision
        "at least 39.0%",  # the champion's money less the tolerance
        "not measured",
        "15.6%",
        "850,000 residents",
        "34 reported losses",
        "0.40</b>",
        "(0.29 to 0.53)",
        "61.0%</b>",
        "2.4</b>",
        "¥84,500</b>",
        "new_debit_cny_6h",
        "0.300",
        "12.5",
        "4–23",
        "Residency · floating",
        "-10.9 !",
        "every 1h",
        SVG,
    ):
        assert text in told, text


def test_the_page_is_whole_in_chinese(client: Client, engine: Engine) -> None:
    fill(engine)
    told = page(client, "zh")
    for text in (
        "夜间名单",
        "4,000 人已评分",
        "中国移动",
        "时间在未来</a> × 20",
        "从未交付",
        "候选模型",
        "至少 39.0%",
        "户籍 · 流动",
    ):
        assert text in told, text


def test_the_api_says_the_same_to_machines(client: Client, engine: Engine) -> None:
    fill(engine)
    told = client.get("/api/v1/operations", headers=client.as_("engineer")).json()
    assert told["needs_action"] is True
    assert told["models"]["champion"]["version"] == "1"
    assert told["models"]["champion"]["pictures"] == {}
    assert told["fairness"]["chart"] == ""
    assert told["runs"][0]["facts"] == {"scored": 4000.0, "alerts": 12.0, "model": "1"}


def test_a_challenger_is_put_in_force_with_a_reason(
    client: Client, engine: Engine, promoter: Promoter
) -> None:
    file_report(engine, the_models(), at=MORNING - timedelta(hours=1))
    assert 'action="/operations/promote"' in page(client)
    form = {"version": "2", "reason": " better by the gates "}
    answer = client.post("/operations/promote", data=form, headers=client.as_("engineer"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/operations#models")
    assert promoter.history == ["1", "2"]
    assert audited(engine, "promote") == [("engineer-1", "model 2")]
    told = page(client)
    assert "version 2" in told
    assert 'action="/operations/promote"' not in told

    back = client.post(
        "/operations/roll-back", data={"reason": "too many alerts"}, headers=client.as_("admin")
    )
    assert back.status_code == 303
    assert audited(engine, "roll-back") == [("admin-1", "model 1")]


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_without_a_reason_nothing_changes(client: Client, promoter: Promoter, reason: str) -> None:
    form = {"version": "2", "reason": reason}
    assert (
        client.post("/operations/promote", data=form, headers=client.as_("engineer")).status_code
        == 422
    )
    assert promoter.history == ["1"]


def test_what_the_gates_refuse_stays_out(
    client: Client, engine: Engine, promoter: Promoter
) -> None:
    file_report(engine, the_models(gates=REFUSING), at=MORNING - timedelta(hours=1))
    assert "so it cannot be promoted from here" in page(client)
    form = {"version": "3", "reason": "I want it"}
    answer = client.post("/operations/promote", data=form, headers=client.as_("engineer"))
    assert answer.status_code == 409
    assert (
        "the gates refuse it"
        in client.post(
            "/operations/promote?lang=en", data=form, headers=client.as_("engineer")
        ).text
    )
    assert "refuses" in page(client)
    assert promoter.history == ["1"]
    assert audited(engine, "promote") == []


def test_there_may_be_nothing_to_go_back_to(client: Client, engine: Engine) -> None:
    answer = client.post(
        "/operations/roll-back?lang=en", data={"reason": "try it"}, headers=client.as_("engineer")
    )
    assert answer.status_code == 409
    assert "there was no champion before it" in answer.text


def test_a_process_without_models_offers_no_change(app: FastAPI, engine: Engine) -> None:
    client = a_client(app, engine)
    file_report(engine, the_models(), at=MORNING - timedelta(hours=1))
    assert "/operations/promote" not in page(client)
    form = {"version": "2", "reason": "better by the gates"}
    assert (
        client.post("/operations/promote", data=form, headers=client.as_("engineer")).status_code
        == 503
    )


def test_the_newest_report_counts_and_old_ones_are_forgotten(engine: Engine) -> None:
    for days, seen in ((RETENTION.days + 1, 5), (1, 6), (0, 7)):
        at = MORNING - timedelta(days=days)
        file_report(engine, DRIFT.model_copy(update={"rows": seen}), at=at)
    with read_transaction(engine) as session:
        found = read_overview(session, at=MORNING)
    assert found.drift is not None
    assert (found.drift.at, found.drift.report.rows) == (MORNING, 7)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM operations_reports").scalar() == 2


def test_a_figure_that_is_no_number_was_not_measured(engine: Engine) -> None:
    file_report(engine, DRIFT.model_copy(update={"estimated_precision": None}), at=MORNING)
    assert FigureRow(name="x", champion=float("nan"), rule=float("inf")).model_dump() == {
        "name": "x",
        "champion": None,
        "challenger": None,
        "rule": None,
    }


def seen_at(*runs: Run, at: datetime = MORNING, **reports: object) -> Overview:
    newest = {run.verb: run for run in runs}
    succeeded = {run.verb: run for run in runs if run.ok}
    return Overview(at=at, runs=runs, newest=newest, succeeded=succeeded, **reports)  # type: ignore[arg-type]


def told(found: Overview) -> list[tuple[str, str, str]]:
    return [
        (one.urgency, one.area, one.text) for one in find_health_issues(found, get_translator("en"))
    ]


class Filed:
    """A report as the overview holds it."""

    def __init__(self, report: object) -> None:
        self.report = report


IN_FORCE = Filed(ModelsReport(champion=a_model("1"), challenger=None))


def test_nothing_needs_action_where_all_is_well() -> None:
    assert told(seen_at(a_run(), a_run("ingest"), models=IN_FORCE, quality=Filed(GOOD))) == []


def test_a_failed_run_says_what_to_do() -> None:
    failed = a_run(
        "ingest", ok=False, error="there is no landing folder.", remedy="Name it.", facts={}
    )
    assert told(seen_at(a_run(), failed, models=IN_FORCE)) == [
        ("act", "runs", "Loading: there is no landing folder. Name it.")
    ]


def test_a_run_that_never_ends_and_a_list_that_is_overdue_are_told() -> None:
    hanging = a_run("train", finished_at=None, ok=False, facts={})
    at = MORNING + timedelta(hours=19)
    assert told(seen_at(a_run(), hanging, at=at, models=IN_FORCE)) == [
        ("act", "runs", "Training: began at Jul 5 01:00 and has not ended."),
        ("act", "runs", "The last list of a night is from Jul 5 01:00."),
    ]
    assert (
        told(
            seen_at(
                a_run(), a_run("train", finished_at=None, after=timedelta(hours=7)), models=IN_FORCE
            )
        )
        == []
    )


def test_a_cluster_that_could_not_be_used_asks_for_a_look() -> None:
    facts: dict[str, float | str] = {"pieces_here": 34, "scheduler_missing": 1, "worker_lost": 1}
    assert told(seen_at(a_run(facts=facts), models=IN_FORCE)) == [
        (
            "look",
            "runs",
            "List of the night: cluster not reached, this machine computed alone.",
        )
    ]


def test_deliveries_that_lack_something_are_told() -> None:
    assert told(seen_at(a_run(), models=IN_FORCE, quality=Filed(BAD))) == [
        ("act", "quality", "1 delivered file waits: it is held or cannot be read."),
        ("act", "quality", "Transfers: ICBC has delivered nothing since Jul 3 00:00."),
        ("act", "quality", "Calls: China Broadnet has never delivered anything."),
        ("look", "quality", "Calls: 2.0% of the rows of China Mobile were rejected."),
    ]


def test_models_drift_and_fairness_ask_for_a_look() -> None:
    waiting = the_models().model_copy(
        update={"champion": a_model("1", trained_at=MIDNIGHT - timedelta(days=36))}
    )
    found = seen_at(a_run(), models=Filed(waiting), drift=Filed(DRIFT), fairness=Filed(FAIRNESS))
    assert told(found) == [
        ("look", "models", "The champion learned 36 days ago. Train again."),
        ("look", "models", "Model 2 passes every gate and waits to be promoted."),
        (
            "look",
            "drift",
            "1 feature has moved since the model learned. "
            "Look at the deliveries, then train again.",
        ),
        ("look", "drift", "40 alerts in 24 hours, where 4 to 23 are usual."),
        (
            "look",
            "fairness",
            "Residency – floating: Losses warned of in time differs by -10.9 points "
            "from everybody else.",
        ),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"gap_high": 0.5},
        {"gap": -4.9, "gap_low": -9.0},
        {"gap_low": None},
        {"figure": "lead_h_median"},
    ],
)
def test_chance_and_small_gaps_are_no_concern(changes: dict[str, object]) -> None:
    calm = FAIRNESS.model_copy(update={"groups": (a_group(**changes),)})
    assert told(seen_at(a_run(), models=IN_FORCE, fairness=Filed(calm))) == []


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_every_number_can_be_filed(value: float) -> None:
    row = FigureRow(name="x", champion=value)
    assert FigureRow.model_validate_json(row.model_dump_json()) == row
