"""A record that is loaded after the run that it should have been part of is looked at by the
next.
"""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.ingestion.ingest import ingest
from pipelines.scoring.score import score
from tests.pipelines.conftest import copied
from tests.pipelines.district import END, TRAIN_AT

NINE = TRAIN_AT + timedelta(days=1, hours=9)
QUARTER_PAST = NINE + timedelta(minutes=15)


def deliver(landing: Path, *, name: str, msisdn: str) -> Path:
    """One call of twenty past eight, in a file that says since when it could be known."""
    started_at = NINE - timedelta(minutes=40)
    row = {
        "record_id": "L1", "msisdn": msisdn, "peer_number": "17012345678", "direction": "in",
        "service": "voice", "started_at": started_at, "duration_s": 300,
    }  # fmt: skip
    folder = landing / "calls" / f"{started_at:%Y-%m-%d}"
    folder.mkdir(parents=True)
    pl.DataFrame([row]).write_parquet(folder / name)
    return landing


def quiet_number(landing: Path) -> str:
    """A resident's number of cmcc of which there is no call that day."""
    lines = pl.scan_parquet(landing / "subscribers.parquet").filter(operator="cmcc")
    calls = pl.scan_parquet(landing / "calls" / f"{NINE:%Y-%m-%d}" / "*.parquet")
    quiet = lines.join(calls, on="msisdn", how="anti").sort("msisdn")
    one_line = pl.len().over("id_number") == 1
    return quiet.filter(one_line).select("msisdn").first().collect().item()


@pytest.fixture
def settings(own_trained, tmp_path_factory):
    found = copied(own_trained[0], tmp_path_factory)
    score(found, at=NINE, kind="intraday")
    return found


def test_a_record_loaded_after_its_tick_is_looked_at_by_the_next(settings, district, tmp_path):
    usual = score(settings, at=QUARTER_PAST, kind="intraday")
    assert usual.late == 0
    number = quiet_number(district.home.parent / "landing")
    late = deliver(tmp_path / "late", name="cmcc-0845.parquet", msisdn=number)
    ingest(late, settings=settings, received_at=END + timedelta(days=1))
    with_late = score(settings, at=QUARTER_PAST, kind="intraday")
    assert (with_late.late, with_late.scored) == (1, usual.scored + 1)
    # The next tick has nothing more to catch up with.
    assert score(settings, at=QUARTER_PAST + timedelta(minutes=15), kind="intraday").late == 0


def test_a_record_known_since_the_last_tick_is_not_late(settings, district, tmp_path):
    number = quiet_number(district.home.parent / "landing")
    punctual = deliver(tmp_path / "punctual", name="cmcc-0905.parquet", msisdn=number)
    ingest(punctual, settings=settings, received_at=END + timedelta(days=1))
    assert score(settings, at=QUARTER_PAST, kind="intraday").late == 0
