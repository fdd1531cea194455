"""The flows as Prefect runs them, against a real server of its own and a small district."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import polars as pl
import pytest
import yaml
from fastapi.testclient import TestClient

from data_contracts.errors import LakeError, NotReadyError, SettingsError
from models.evaluation.alert_metrics import AlertMetrics
from models.evaluation.comparison import Comparison
from models.evaluation.drift import AlertVolume, Drift, FeatureDrift
from pipelines.ingestion.outcomes.quarantine import read_quarantine
from pipelines.ingestion.outcomes.reports import FileReport
from pipelines.ingestion.retries.retry import retry_quarantine
from pipelines.orchestration.prefect_file import PREFECT_FILE, prefect_configuration
from pipelines.orchestration.schedule import build_deployments
from pipelines.safekeeping.backup import back_up
from pipelines.safekeeping.verification import verify_installation
from pipelines.settings import Settings
from pipelines.storage.lake import Lake
from pipelines.webapp.accounts import add_user
from pipelines.webapp.wiring import build_application
from serving.database.engine import open_database, read_transaction
from serving.operations.service import read_overview
from serving.publishing import Alert
from serving.vocabulary.alerts import Reason
from tests.pipelines.canaries import (
    FILE_PHONES,
    RECORDS,
    deliver_canaries,
    find_raw,
    raw_numbers,
)
from tests.pipelines.district import SHANGHAI, SMALL, TRAIN_AT, write_settings
from tests.pipelines.orchestration.prefect_pages import read_artifact

ROOT = Path(__file__).parents[3]
MIDNIGHT = TRAIN_AT + timedelta(days=1)


@pytest.fixture(scope="module")
def flows():
    """The flows; with them comes Prefect, which takes long to import."""
    from pipelines.orchestration import flows

    return flows


@pytest.fixture(scope="module")
def trained(prefect, district, own_trained):
    """A home with a champion, and the landing folder it was fed from. What the flow ``retrain``
    does is tested where models are promoted.
    """
    settings, _ = own_trained
    write_settings(settings.home, training=SMALL, daily_budget=5)
    return settings, district.home.parent / "landing"


def test_a_night_is_published_once_however_often_it_runs(trained, flows):
    settings, landing = trained
    first = flows.nightly(landing=landing, home=settings.home, at=MIDNIGHT)
    again = flows.nightly(landing=landing, home=settings.home, at=MIDNIGHT.astimezone(UTC))
    assert first == again
    assert first.at == MIDNIGHT
    assert first.kind == "nightly"
    assert first.scored == 1200
    assert 1 <= len(first.alerts) <= 5
    assert read_artifact("watchlist")["description"].startswith(
        f"List {first.watchlist}, nightly, 2026-06-27 00:00: "
    )
    assert '"dataset": "calls"' in read_artifact("deliveries")["data"]
    assert first.drift.rows == 1200
    assert '"psi": ' in read_artifact("drift")["data"]


def test_a_tick_scores_those_touched(trained, flows):
    settings, landing = trained
    tick = flows.intraday(landing=landing, home=settings.home, at=MIDNIGHT + timedelta(hours=9))
    assert tick.kind == "intraday"
    assert 0 < tick.scored < 1200


@pytest.fixture(scope="module")
def figures(trained, flows):
    settings, _ = trained
    return flows.backtest(home=settings.home, at=MIDNIGHT, days=1, every="12h", budget=5)


def test_backtest_shows_model_and_rule(figures):
    assert 0 <= figures["precision_at_budget"] <= 1
    assert figures["baseline_alerts_per_day"] <= 5
    assert (
        read_artifact("backtest")["description"]
        == "2026-06-26 to 2026-06-27 every 12h, 5 alerts a day at most"
    )


def test_a_backtest_is_reported_to_the_engineers_page(trained, figures):
    settings, _ = trained
    with read_transaction(open_database(settings.serving_database_url)) as session:
        found = read_overview(session, at=datetime.now(SHANGHAI))
    assert (found.newest["replay"].ok, found.newest["replay"].about_at) == (True, MIDNIGHT)
    replay = found.replay.report
    assert (replay.start, replay.end, replay.every, replay.budget) == (TRAIN_AT, MIDNIGHT, "12h", 5)
    (alerts,) = (row for row in replay.figures if row.name == "alerts_per_day")
    assert (alerts.champion, alerts.rule) == (
        figures["alerts_per_day"],
        figures["baseline_alerts_per_day"],
    )
    assert found.fairness.report.source == "replay"


def test_no_person_is_named_in_prefect(trained, prefect, flows):
    settings, landing = trained
    flows.nightly(landing=landing, home=settings.home, at=MIDNIGHT)
    stored = b"".join(path.read_bytes() for path in prefect.parent.glob(f"{prefect.name}*"))
    assert b"nightly" in stored
    assert not re.search(rb"[pna]1_[A-Za-z0-9_-]{16}", stored)


def test_no_raw_identifier_is_in_anything_that_was_written(
    trained, prefect, flows, tmp_path, caplog, capfd
):
    settings, district = trained
    landing, backup = tmp_path / "landing", tmp_path / "backup"
    deliver_canaries(landing, like=district, day=MIDNIGHT.date() - timedelta(days=1))
    flows.nightly(landing=landing, home=settings.home, at=MIDNIGHT)
    flows.intraday(landing=landing, home=settings.home, at=MIDNIGHT + timedelta(hours=9))
    lake = Lake.of(settings)
    assert lake.scan("cases").collect()["case_id"].str.starts_with("r1_").all()
    taken = lake.scan("calls").filter(pl.col("record_id").str.starts_with("r1_")).collect()
    assert taken.height > 39
    retry_quarantine(settings, received_at=MIDNIGHT + timedelta(hours=10))
    rejected = read_quarantine(settings)
    (tmp_path / "quarantine.json").write_text(rejected.write_json())
    revealed = read_quarantine(settings, reveal=True)
    assert RECORDS[1] in "".join(revealed["row_json"].drop_nulls())
    assert any(FILE_PHONES[0] in path for path in revealed["path"])
    pages = dict(read_pages(settings))
    assert len(pages) > 20
    (tmp_path / "pages.json").write_text(json.dumps(pages, ensure_ascii=False))
    (tmp_path / "metrics.txt").write_text("\n".join(map(str, verify_installation(settings))))
    back_up(settings, backup, at=MIDNIGHT)
    printed = capfd.readouterr()
    (tmp_path / "terminal.txt").write_text(caplog.text + printed.out + printed.err)

    numbers = raw_numbers(district) | raw_numbers(landing)
    assert len(numbers) > 10_000
    folders = [settings.home, tmp_path, *prefect.parent.glob(f"{prefect.name}*")]
    sealed = [settings.vault_file, backup / settings.vault_file.name, landing]
    assert find_raw(folders, numbers=numbers, but_for=sealed) == []
    # The search finds what is there.
    assert find_raw([landing], numbers=numbers, but_for=())


def read_pages(settings: Settings) -> Iterator[tuple[str, str]]:
    """What an administrator reads who follows the links, and who asks for no name."""
    token = add_user(settings, name="canary.reader", role="admin", communities=())
    with TestClient(build_application(settings)) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        to_read, read = ["/", "/operations", "/audit", "/metrics", "/openapi.json"], set()
        while to_read and len(read) < 60:
            path = to_read.pop(0)
            if path in read:
                continue
            read.add(path)
            page = client.get(path, headers={"Accept": "text/html"})
            yield path, page.text
            found = re.findall(r'href="(/[^"#]*)"', page.text)
            to_read += [unescape(one) for one in found if "lang=" not in one]


def test_what_would_fail_again_is_not_tried_again(prefect, tmp_path, flows):
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    (tmp_path / "landing").mkdir()
    state = flows.nightly(
        landing=tmp_path / "landing", home=tmp_path / "home", at=MIDNIGHT, return_state=True
    )
    with pytest.raises(NotReadyError, match="there is no champion"):
        state.result()
    with get_client(sync_client=True) as client:
        ours = FlowRunFilter(id=FlowRunFilterId(any_=[state.state_details.flow_run_id]))
        runs = {
            run.name.rpartition("-")[0]: run for run in client.read_task_runs(flow_run_filter=ours)
        }
    assert runs["score_and_publish"].run_count == 1


def test_a_busy_lake_is_tried_again(prefect, flows):
    from prefect import flow, task

    tries = []

    @task(**{**flows.RETRY_OPTIONS, "retry_delay_seconds": 0})
    def load_once_free():
        tries.append(1)
        if len(tries) < 3:
            raise LakeError("another load is running")
        return "loaded"

    @flow
    def patient():
        return load_once_free()

    assert patient() == "loaded"
    assert len(tries) == 3


def test_a_moment_needs_a_zone(prefect, tmp_path, flows):
    from prefect.exceptions import ParameterTypeError

    with pytest.raises(ParameterTypeError):
        flows.retrain(home=tmp_path, at=datetime(2026, 6, 26))  # noqa: DTZ001 -- that is the point


def test_moments_default_to_the_scheduled_minute_in_shanghai(prefect, flows):
    from prefect import flow

    before = datetime.now(SHANGHAI)
    moment = flow(flows.scheduled_time)()
    assert moment.utcoffset() == timedelta(hours=8)
    assert moment.second == moment.microsecond == 0
    assert timedelta(0) <= before - moment < timedelta(minutes=1, seconds=5)


def file_report(source, **counts):
    names = ("rows", "accepted", "quarantined", "duplicates", "skipped", "held")
    return FileReport(
        path=f"calls/{source}",
        dataset="calls",
        source=source,
        status="held" if counts.get("held") else "accepted",
        reason="",
        warnings=(),
        **dict.fromkeys(names, 0) | counts,
    )


def test_deliveries_are_counted_by_source(flows):
    files = [
        file_report("cucc", rows=4, held=4),
        file_report("cmcc", rows=10, accepted=9, quarantined=1),
        file_report("cmcc", rows=5, accepted=2, duplicates=3),
    ]
    counted = {
        "dataset": "calls",
        "files": 2,
        "rows": 15,
        "accepted": 11,
        "quarantined": 1,
        "duplicates": 3,
        "held": 0,
    }
    held = {
        "dataset": "calls",
        "files": 1,
        "rows": 4,
        "accepted": 0,
        "quarantined": 0,
        "duplicates": 0,
        "held": 4,
    }
    assert flows.delivery_rows(files) == [counted | {"source": "cmcc"}, held | {"source": "cucc"}]


def test_alerts_are_shown_without_who_they_are_about(flows):
    alert = Alert(
        person="p1_0123456789abcdef", rank=1, issued_at=MIDNIGHT, score=0.41234,
        baseline_score=0.5, level="orange", scam_type="police", community_id="C7", grid_id="G1",
        at_stake_cny=None, contributions=(), base_value=-4.0,
        reasons=(Reason(code="a", zh="来电频繁", en="many calls", contribution=1.0),
                 Reason(code="b", zh="新收款人", en="new payee", contribution=0.5)),
    )  # fmt: skip
    assert flows.watchlist_rows([alert]) == [
        {
            "rank": 1,
            "level": "orange",
            "probability": 0.412,
            "rule": 0.5,
            "type": "police",
            "reasons": "来电频繁；新收款人",
        }
    ]


def test_drift_is_told_in_plain_words(flows):
    drift = Drift(
        rows=10,
        features=(FeatureDrift(feature="sms_30d", psi=0.4, missing=0, missing_before=0),),
        volume=AlertVolume(expected=7.5, seen=8, low=2, high=16),
        estimated_precision=0.618,
    )
    assert flows.describe_drift(drift) == (
        "These moved: sms_30d. Look at the deliveries, then train again. "
        "8 alerts in the last 24 hours, 7.5 a day before. "
        "By their probabilities 62% of the alerts of the last 28 days are right."
    )
    assert flows.describe_drift(Drift(rows=10, features=())) == "Nothing that deserves a look."


def test_figures_stand_beside_those_of_the_rule(flows):
    model = AlertMetrics(4.0, 0.7, 0.4, 0.5, None, 30)
    rule = AlertMetrics(4.0, 0.2, 0.1, 0.2, None, 30)
    rows = flows.figure_rows(Comparison(challenger=model, rule=rule))
    assert rows[1] == {"figure": "precision at budget", "model": 0.7, "rule": 0.2}
    assert rows[4] == {"figure": "lead h median", "model": None, "rule": None}
    assert {row["model"] for row in flows.figure_rows(None)} == {None}


def test_every_flow_has_a_clock_and_is_given_its_places(tmp_path, flows):
    served = build_deployments(Settings(home=tmp_path), landing=tmp_path / "landing")
    clocks = {}
    for one in served:
        (schedule,) = one.schedules
        clocks[one.flow_name] = (schedule.schedule.cron, schedule.schedule.timezone)
        assert one.concurrency_limit == 1
    assert clocks == {
        "nightly": ("5 0 * * *", "Asia/Shanghai"),
        "intraday": ("*/15 * * * *", "Asia/Shanghai"),
        "retrain": ("30 3 * * 1", "Asia/Shanghai"),
        "backtest": ("30 4 1 * *", "Asia/Shanghai"),
        "retention": ("40 2 * * *", "Asia/Shanghai"),
    }
    assert set(clocks) == set(flows.__all__)
    assert served[0].parameters == {"home": str(tmp_path), "landing": str(tmp_path / "landing")}
    assert served[2].parameters == {"home": str(tmp_path)}


def test_prefect_yaml_is_the_one_the_schedule_gives():
    written = (ROOT / PREFECT_FILE).read_text(encoding="utf-8")
    assert written == prefect_configuration(), "write it anew with `forestall docs`"
    entry = yaml.safe_load(written)["deployments"][1]
    assert entry["entrypoint"] == "pipelines/orchestration/flows.py:intraday"
    assert entry["schedules"] == [{"cron": "*/15 * * * *", "timezone": "Asia/Shanghai"}]
    assert entry["parameters"] == {"landing": "landing"}


def test_a_clock_that_is_none_is_named(tmp_path):
    settings = Settings(home=tmp_path, schedule={"retrain": "weekly"})
    with pytest.raises(SettingsError, match=r"schedule\.retrain: 'weekly' is not a cron line"):
        build_deployments(settings, landing=tmp_path)
