"""Dirty deliveries: the listed faults, and nothing else, are in the files."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from data_contracts.errors import SettingsError
from pipelines.simulate import FAULTS, InjectedFault, Mix, inject_faults, simulate
from tests.pipelines.simulate.conftest import District


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clean") / "landing"
    simulate(path, people=300, days=7, seed=5, mix=Mix())
    return path


@pytest.fixture(scope="module")
def dirty(
    clean: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, InjectedFault]]:
    path = tmp_path_factory.mktemp("dirty") / "landing"
    shutil.copytree(clean, path)
    return path, {done.fault: done for done in inject_faults(path, seed=1)}


def test_every_fault_has_a_file_of_its_own(dirty: tuple[Path, dict[str, InjectedFault]]) -> None:
    landing, done = dirty
    assert list(done) == list(FAULTS)
    assert len({s.path for s in done.values()}) == len(done)
    for fault in done.values():
        assert (landing / fault.path).exists() == (fault.fault != "missing_source")


@pytest.mark.parametrize(
    ("fault", "wrong"),
    [
        ("unknown_enum", pl.col("service") == "fax"),
        ("negative_duration", pl.col("duration_s") < 0),
        ("overlong_duration", pl.col("duration_s") > 86_400),
        ("zero_amount", pl.col("amount") == 0),
        ("negative_amount", pl.col("amount") < 0),
        ("nan_amount", pl.col("amount").cast(float).is_nan()),
        ("future_time", pl.col("occurred_at").dt.year() == 2046),
        ("time_of_1900", pl.col("started_at").dt.year() == 1900),
        ("plus_86", pl.col("peer_number").str.starts_with("+861")),
        ("double_zero_86", pl.col("peer_number").str.starts_with("00861")),
        ("spaced_numbers", pl.col("msisdn").str.contains(r"^\d{3} \d{4}-\d{4}$")),
        ("full_width_numbers", pl.col("peer_number").str.contains("^[０-９]{11}$")),
        ("short_id_numbers", pl.col("id_number").str.len_chars() == 15),
    ],
)
def test_rows_that_are_wrong_are_as_many_as_listed(
    dirty: tuple[Path, dict[str, InjectedFault]], fault: str, wrong: pl.Expr
) -> None:
    landing, done = dirty
    rows = pl.read_parquet(landing / done[fault].path)
    assert len(rows.filter(wrong)) == done[fault].rows
    assert 1 <= done[fault].rows <= 0.05 * len(rows)


def test_chinese_csv_holds_the_same_rows(
    clean: Path, dirty: tuple[Path, dict[str, InjectedFault]]
) -> None:
    landing, done = dirty
    path = done["gb18030_calls"].path
    text = (landing / path).read_bytes().decode("gb18030")
    lines = text.split("\r\n")
    before = pl.read_parquet((clean / path).with_suffix(".parquet"))
    assert lines[0] == "记录号,本机号码,对方号码,呼叫方向,业务类型,开始时间,通话时长"
    assert len(lines) == len(before) + 2  # heading, and nothing after the last CRLF
    first = before.row(0, named=True)
    words = {"in": "被叫", "out": "主叫", "voice": "语音", "sms": "短信"}
    assert lines[1] == ",".join(
        [
            first["record_id"],
            first["msisdn"],
            first["peer_number"],
            words[first["direction"]],
            words[first["service"]],
            f"{first['started_at']:%Y-%m-%d %H:%M:%S}",
            str(first["duration_s"]),
        ]
    )
    assert (
        (landing / done["utf8_bom_calls"].path).read_bytes().startswith(b"\xef\xbb\xbfrecord_id,")
    )


def test_files_that_are_wrong_as_a_whole(
    clean: Path, dirty: tuple[Path, dict[str, InjectedFault]]
) -> None:
    landing, done = dirty
    assert (landing / done["empty_file"].path).read_bytes() == b""
    assert "duration_s" not in pl.read_parquet_schema(landing / done["missing_column"].path)
    assert "account_id" in pl.read_parquet_schema(landing / done["mislabelled_file"].path)
    with pytest.raises(Exception, match=r"(?i)parquet|invalid|eof"):
        pl.read_parquet(landing / done["truncated_file"].path)
    twice = landing / done["delivered_twice"].path
    assert twice.read_bytes() == twice.with_name(twice.name.replace("-2359", "")).read_bytes()
    late = landing / done["late_file"].path
    assert pl.read_parquet(late)["started_at"].dt.date().cast(pl.String)[0] < late.parent.name


def test_a_grouped_amount_has_its_comma(dirty: tuple[Path, dict[str, InjectedFault]]) -> None:
    landing, done = dirty
    amounts = pl.read_csv(landing / done["grouped_amounts"].path, infer_schema=False)["amount"]
    assert amounts.str.contains(r"^\d{1,3}(,\d{3})*\.\d{2}$").all()


def test_soiling_is_seeded_and_choosy(clean: Path, tmp_path: Path, small: District) -> None:
    for name in ("a", "b"):
        shutil.copytree(clean, tmp_path / name)
    chosen = ["plus_86", "negative_amount"]
    assert inject_faults(tmp_path / "a", seed=4, faults=chosen) == inject_faults(
        tmp_path / "b", seed=4, faults=chosen
    )
    changed = [
        p
        for p in clean.rglob("*.parquet")
        if p.read_bytes() != (tmp_path / "a" / p.relative_to(clean)).read_bytes()
    ]
    assert len(changed) == 2
    with pytest.raises(SettingsError, match="No such fault"):
        inject_faults(tmp_path / "a", seed=4, faults=["gremlins"])
