import json

import polars as pl
import pytest

from data_contracts.errors import NotReadyError, SettingsError
from pipelines.ingestion.outcomes.quarantine import export_quarantine, read_quarantine
from tests.pipelines.conftest import Home
from tests.pipelines.landing import DAY, RECEIVED_AT, calls, put, put_text, transfers

COLUMNS = [
    "dataset",
    "path",
    "row",
    "reasons",
    "reason_text_zh",
    "reason_text_en",
    "held",
    "received_at",
    "severity",
]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """One bad call of 40, one bad transfer of 40, a file held for its rows and one that cannot be
    read.
    """
    home = Home(tmp_path_factory.mktemp("quarantine"))
    call, transfer = calls(), transfers()
    call[9] |= {"duration_s": -5}
    transfer[3] |= {"direction": "sideways"}
    put(home.landing, f"calls/{DAY}/cmcc.parquet", call)
    put(home.landing, f"transfers/{DAY}/icbc.parquet", transfer)
    put(
        home.landing,
        f"calls/{DAY}/ctcc.parquet",
        [call[9], call[9], *calls(18, first=100, first_line=10)],
    )
    put_text(home.landing, f"calls/{DAY}/cucc.parquet", "")
    home.ingest()
    return home


def test_before_any_load_there_is_nothing(tmp_path):
    frame = read_quarantine(Home(tmp_path).settings)
    assert frame.columns == COLUMNS
    assert frame.height == 0


def test_every_rejected_row_has_its_place_and_reasons(home):
    rows = read_quarantine(home.settings).filter(pl.col("row").is_not_null() & ~pl.col("held"))
    assert rows.select("dataset", "path", "row", "reasons").rows() == [
        ("calls", f"calls/{DAY}/cmcc.parquet", 10, ["duration_s.negative"]),
        ("transfers", f"transfers/{DAY}/icbc.parquet", 4, ["direction.unknown_value"]),
    ]
    assert rows["received_at"].to_list() == [RECEIVED_AT] * 2
    assert "通话时长" in rows["reason_text_zh"][0]
    assert rows["reason_text_en"][0].startswith("duration_s: ")


def test_held_files_are_listed_with_their_reason_and_their_bad_rows(home):
    held = read_quarantine(home.settings, dataset="calls").filter("held")
    assert held.select("path", "row").rows() == [
        (f"calls/{DAY}/ctcc.parquet", None),
        (f"calls/{DAY}/ctcc.parquet", 1),
        (f"calls/{DAY}/ctcc.parquet", 2),
        (f"calls/{DAY}/cucc.parquet", None),
    ]
    assert held["reason_text_en"][0].startswith(
        "2 of 20 rows are bad, more than 5%: duration_s.negative (2). "
    )


def test_one_dataset_only(home):
    assert set(read_quarantine(home.settings, dataset="transfers")["dataset"]) == {"transfers"}


def test_the_row_itself_needs_the_vault_key(home, tmp_path):
    assert "13800000009" not in read_quarantine(home.settings).write_json()
    revealed = read_quarantine(home.settings, dataset="calls", reveal=True).drop_nulls("row")
    assert json.loads(revealed["row_json"][0])["msisdn"] == "13800000009"
    with pytest.raises(NotReadyError, match=r"vault\.key"):
        read_quarantine(home.settings.model_copy(update={"keys": tmp_path}), reveal=True)


def test_export_as_csv_and_parquet(home, tmp_path):
    frame = read_quarantine(home.settings)
    export_quarantine(frame, out=tmp_path / "q.parquet")
    assert pl.read_parquet(tmp_path / "q.parquet").equals(frame)
    export_quarantine(frame, out=tmp_path / "q.csv")
    text = (tmp_path / "q.csv").read_text(encoding="utf-8-sig")
    assert text.splitlines()[0] == ",".join(COLUMNS)
    assert "duration_s.negative" in text
    with pytest.raises(SettingsError, match=r"q\.xlsx"):
        export_quarantine(frame, out=tmp_path / "q.xlsx")
