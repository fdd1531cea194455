"""Runs report themselves, whatever becomes of them, and ``forestall status`` tells of it."""

import inspect
import json
from dataclasses import fields
from datetime import datetime, timedelta

import polars as pl
import pytest
from typer.testing import CliRunner

from data_contracts.errors import DeliveryError
from pipelines.backtesting.replay import ReplayResult
from pipelines.cli import main as cli
from pipelines.ingestion.ingest import ingest
from pipelines.orchestration import run_log as runs
from pipelines.orchestration.recorded_loads import describe_ingest
from pipelines.orchestration.recorded_verbs import describe_replay, run_score
from pipelines.orchestration.run_log import RunResult, record_run, recorded
from pipelines.scoring.score import score
from pipelines.settings import Settings
from serving.database.engine import open_database, read_transaction
from serving.operations.service import Overview, begin_run, read_overview
from serving.vocabulary.reports import ModelsReport, Run
from tests.pipelines.conftest import Home
from tests.pipelines.landing import RECEIVED_AT, SHANGHAI, put_district


def clock():
    """A clock that is a minute later each time it is asked."""
    at = RECEIVED_AT

    def tell() -> datetime:
        nonlocal at
        at += timedelta(minutes=1)
        return at

    return tell


def recorded_ingest():
    """The load as an installation runs it, by the test's clock."""
    return recorded("ingest", describe=describe_ingest, clock=clock())(ingest)


def seen(settings: Settings, *, at: datetime = RECEIVED_AT + timedelta(hours=1)) -> Overview:
    with read_transaction(open_database(settings.serving_database_url)) as session:
        return read_overview(session, at=at)


def a_model(trained_at: datetime) -> dict[str, object]:
    return {
        "version": "7",
        "digest": "ab",
        "trained_at": trained_at,
        "run_id": "r",
        "trees": 9,
        "features": 3,
    }


def only_run(settings: Settings) -> Run:
    (run,) = seen(settings).runs
    return run


def status(settings: Settings, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(
        cli.app, ["status", "--home", str(settings.home), *words], catch_exceptions=False
    )
    return result.exit_code, result.stdout


def test_a_load_reports_its_rows_and_the_deliveries(tmp_path):
    home = Home(tmp_path)
    put_district(home.landing)
    report = recorded_ingest()(home.landing, settings=home.settings, received_at=RECEIVED_AT)
    run = only_run(home.settings)
    assert (run.verb, run.ok, run.duration) == ("ingest", True, timedelta(minutes=1))
    assert run.facts["files"] == len(report.files)
    assert run.facts["accepted"] == sum(file.accepted for file in report.files) > 0
    assert seen(home.settings).quality.at == RECEIVED_AT + timedelta(minutes=3)


def test_a_run_that_fails_says_why_and_what_to_do(tmp_path):
    settings = Settings(home=tmp_path)
    with pytest.raises(DeliveryError):
        recorded_ingest()(tmp_path / "nowhere", settings=settings, received_at=RECEIVED_AT)
    run = only_run(settings)
    assert (run.ok, run.error) == (False, f"there is no landing folder {tmp_path / 'nowhere'}")
    assert run.remedy == "Name the folder that holds the delivery."


def test_a_home_that_is_not_there_is_not_made_for_a_report(tmp_path, caplog):
    with pytest.raises(DeliveryError):
        recorded_ingest()(
            tmp_path / "nowhere",
            settings=Settings(home=tmp_path / "typo"),
            received_at=RECEIVED_AT,
        )
    assert not (tmp_path / "typo").exists()
    assert caplog.records == []


def test_a_recorded_verb_keeps_its_signature():
    assert inspect.signature(run_score) == inspect.signature(score)
    assert run_score.__doc__ == score.__doc__


def test_a_run_is_recorded_by_its_arguments_and_its_result(tmp_path):
    settings = Settings(home=tmp_path)

    def count(settings: Settings, *, kind: str = "intraday", end: datetime) -> int:
        return 12

    counted = recorded(
        lambda asked: asked["kind"],
        describe=lambda result, asked: RunResult(facts={"alerts": result}),
        about_at="end",
        clock=clock(),
    )(count)
    assert counted(settings, end=RECEIVED_AT) == 12
    run = only_run(settings)
    assert (run.verb, run.ok, run.facts) == ("intraday", True, {"alerts": 12})
    assert run.about_at == RECEIVED_AT


def test_a_replay_that_was_told_the_truth_is_no_figure_of_the_installation():
    found = ReplayResult(
        **{one.name: None for one in fields(ReplayResult)}
        | {"alerts": pl.DataFrame({"person": ["ada"]}), "moments": 7}
    )
    described = describe_replay(found, {"stories": pl.DataFrame({"person": ["ada"]})})
    assert (described.facts, described.reports) == ({"alerts": 1, "moments": 7}, [])


def test_of_the_unforeseen_only_its_kind_is_kept(tmp_path):
    settings = Settings(home=tmp_path)

    def stumble() -> None:
        with record_run(settings, "train", clock=clock()) as found:
            found.facts["episodes"] = 3
            raise KeyError("13800000001")

    with pytest.raises(KeyError):
        stumble()
    run = only_run(settings)
    assert (run.error, run.facts) == ("KeyError", {"episodes": 3})
    assert "13800000001" not in run.model_dump_json()
    assert run.remedy.startswith("Look into the log")


def test_a_database_that_does_not_answer_stops_no_work(tmp_path, caplog):
    settings = Settings(
        home=tmp_path, serving={"database_url": f"sqlite:///{tmp_path}/missing/serving.db"}
    )
    with record_run(settings, "train", clock=clock()) as found:
        found.reports.append(lambda: Run(verb="train", started_at=RECEIVED_AT))
    assert [record.getMessage() for record in caplog.records] == [
        "the start of a run could not be written down: OperationalError",
        "the end of a run could not be written down: OperationalError",
        "a report could not be written down: OperationalError",
    ]


def test_a_report_that_cannot_be_made_leaves_the_run_as_it_was(tmp_path):
    settings = Settings(home=tmp_path)
    with record_run(settings, "nightly", clock=clock()) as found:
        found.reports.append(lambda: 1 / 0)
    assert only_run(settings).ok


def test_a_run_that_was_killed_stays_without_an_end(tmp_path):
    settings = Settings(home=tmp_path)
    begin_run(
        open_database(settings.serving_database_url), Run(verb="train", started_at=RECEIVED_AT)
    )
    assert only_run(settings).finished_at is None


def test_status_tells_what_asks_for_a_person(tmp_path):
    settings = Settings(home=tmp_path)
    code, text = status(settings)
    assert code == 1
    assert "Act: No list of a night has been published yet." in text
    assert "须处理: 还没有发布过夜间名单。" in status(settings, "--language", "zh")[1]


def test_status_is_content_where_all_is_well(tmp_path):
    settings = Settings(home=tmp_path)
    now = datetime.now(SHANGHAI)
    with record_run(settings, "nightly", clock=lambda: now, about_at=now) as found:
        found.facts |= {"scored": 4000, "alerts": 12}
    models = {"champion": a_model(now), "challenger": None}
    runs.RunLog(settings, clock=lambda: now).write_report(
        lambda: ModelsReport.model_validate(models)
    )
    code, text = status(settings)
    assert (code, "Nothing: everything runs as it should." in text) == (0, True)
    code, text = status(settings, "--json")
    told = json.loads(text)
    assert (code, told["needs_action"], told["health_issues"]) == (0, False, [])
    assert told["runs"][0]["facts"] == {"scored": 4000.0, "alerts": 12.0}
    assert told["models"]["champion"]["version"] == "7"
