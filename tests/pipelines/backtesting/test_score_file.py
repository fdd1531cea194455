"""The file of a replay's scores: which rows, in which order, in which form."""

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from data_contracts.errors import SettingsError
from pipelines.backtesting.score_file import ScoreFile
from pipelines.clock import SHANGHAI

NOON = datetime(2026, 7, 1, 12, tzinfo=SHANGHAI)


def _rows(*rows: tuple[str, int, float, float]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "person": [person for person, *_ in rows],
            "at": pl.Series(
                [NOON + timedelta(hours=hour) for _, hour, *_ in rows],
                dtype=pl.Datetime("us", "Asia/Shanghai"),
            ),
            "score": [score for *_, score, _ in rows],
            "baseline_score": [points for *_, points in rows],
            "another_feature": 1,
        }
    )


TWO_TICKS = _rows(
    ("a", 1, 0.30, 2.0), ("b", 0, 0.10, 0.0), ("c", 1, 0.90, 3.0), ("d", 0, 0.09999, 3.0)
)  # fmt: skip
NEXT_DAY = _rows(("b", 24, 0.10, 1.0), ("a", 24, 0.10, 1.0), ("c", 24, 0.01, 1.0))
WANTED = [
    ("b", NOON, 0.10, 0.0),
    ("c", NOON + timedelta(hours=1), 0.90, 3.0),
    ("a", NOON + timedelta(hours=1), 0.30, 2.0),
    ("a", NOON + timedelta(hours=24), 0.10, 1.0),
    ("b", NOON + timedelta(hours=24), 0.10, 1.0),
]


def test_rows_from_the_floor_on_are_written_tick_by_tick(tmp_path: Path) -> None:
    path = tmp_path / "new" / "scores.parquet"
    with ScoreFile(path, floor=0.1) as scores:
        scores.add(TWO_TICKS)
        scores.add(NEXT_DAY)
    found = pl.read_parquet(path)
    assert found.columns == ["person", "at", "score", "baseline_score"]
    assert found.schema["at"] == pl.Datetime("us", "Asia/Shanghai")
    assert found.rows() == WANTED
    assert scores.rows == 5
    # What was added is written, and let go of.
    assert pq.ParquetFile(path).num_row_groups == 2


def test_a_csv_file_says_the_same(tmp_path: Path) -> None:
    with ScoreFile(tmp_path / "scores.csv", floor=0.1) as scores:
        scores.add(TWO_TICKS)
        scores.add(NEXT_DAY)
    assert (tmp_path / "scores.csv").read_text(encoding="utf-8").splitlines() == [
        "person,at,score,baseline_score",
        "b,2026-07-01T12:00:00+08:00,0.1,0.0",
        "c,2026-07-01T13:00:00+08:00,0.9,3.0",
        "a,2026-07-01T13:00:00+08:00,0.3,2.0",
        "a,2026-07-02T12:00:00+08:00,0.1,1.0",
        "b,2026-07-02T12:00:00+08:00,0.1,1.0",
    ]


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_what_fails_before_it_has_a_score_leaves_no_folder(tmp_path: Path, ending: str) -> None:
    with (
        pytest.raises(ValueError, match="no model"),
        ScoreFile(tmp_path / "new" / f"scores.{ending}", floor=0),
    ):
        raise ValueError("no model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_without_a_tick_the_file_has_its_columns(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "new" / f"scores.{ending}"
    with ScoreFile(path, floor=0):
        pass
    found = pl.read_parquet(path) if ending == "parquet" else pl.read_csv(path)
    assert found.columns == ["person", "at", "score", "baseline_score"]


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_a_file_without_rows_has_its_columns(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"scores.{ending}"
    with ScoreFile(path, floor=0.95) as scores:
        scores.add(TWO_TICKS)
    found = pl.read_parquet(path) if ending == "parquet" else pl.read_csv(path)
    assert found.columns == ["person", "at", "score", "baseline_score"]
    assert len(found) == scores.rows == 0


def test_persons_are_revealed_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"

    def reveal(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.select(
            ("number of " + pl.col("person")).alias("id_number"), pl.exclude("person")
        )

    with ScoreFile(path, floor=0.2, reveal=reveal) as scores:
        scores.add(TWO_TICKS)
    found = pl.read_parquet(path)
    assert found.columns == ["id_number", "at", "score", "baseline_score"]
    assert found["id_number"].to_list() == ["number of c", "number of a"]


def test_another_ending_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"'\.xlsx'"):
        ScoreFile(tmp_path / "scores.xlsx", floor=0)
    assert list(tmp_path.iterdir()) == []
