"""Other districts are other settings."""

from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

from data_contracts.errors import SettingsError
from pipelines.simulate import Mix, load_mix, simulate
from tests.pipelines.simulate.conftest import District

NEW_TYPE = """
intensity: 30
scams:
  ai_voice:
    weight: 3.0
    clock: evening
    caller_kinds: {spoofed_contact: 0.5, mobile: 0.5}
    opening: {call_share: 1.0, text_share: 0.0}
    payments: {count: [1, 1], total_cny_median: 8000}
    delay_h_median: 1.0
outages:
  - {source: abc, first_day: 1, days: 2}
  - {source: cucc, first_day: 0, days: 3}
"""


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_laid_over_the_defaults(tmp_path: Path) -> None:
    mix = load_mix(
        _write(tmp_path / "mix.yaml", "scams: {police: {payments: {total_cny_median: 99000}}}")
    )
    assert mix.scams["police"].payments.total_cny_median == 99_000
    assert mix.scams["police"].payments.count == (1, 7)
    assert mix.scams["brushing"] == Mix().scams["brushing"]
    assert mix.lookalikes == Mix().lookalikes


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"scams\.police\.weight"):
        load_mix(_write(tmp_path / "mix.yaml", "scams: {police: {weight: -1}}"))
    with pytest.raises(SettingsError, match="polise"):
        load_mix(_write(tmp_path / "mix.yaml", "polise: 1"))
    with pytest.raises(SettingsError, match="cannot be read"):
        load_mix(tmp_path / "nothing.yaml")


def test_a_new_scam_type_and_silent_sources(tmp_path: Path) -> None:
    mix = load_mix(_write(tmp_path / "mix.yaml", NEW_TYPE))
    out = tmp_path / "landing"
    simulate(out, people=300, days=4, seed=3, mix=mix)
    truth = pl.read_parquet(out / "truth.parquet")
    assert (truth["scam_type"] == "ai_voice").mean() > 0.5
    assert [p.parent.name for p in sorted(out.glob("transfers/*/abc.parquet"))] == [
        "2026-06-01",
        "2026-06-04",
    ]
    assert [p.parent.name for p in sorted(out.glob("calls/*/cucc.parquet"))] == ["2026-06-04"]


def test_the_same_seed_writes_the_same_bytes(small: District, tmp_path: Path) -> None:
    simulate(tmp_path / "again", people=300, days=5, seed=7, mix=Mix(intensity=20))
    files = sorted(p.relative_to(small.path) for p in small.path.rglob("*.parquet"))
    assert len(files) == 6 + 5 * 9
    for file in files:
        assert (small.path / file).read_bytes() == (tmp_path / "again" / file).read_bytes(), file


def test_the_default_district_is_the_one_it_has_always_been(small: District) -> None:
    """What was measured on it is measured on the same records still."""
    digest = sha256()
    for file in sorted(small.path.rglob("*.parquet")):
        digest.update(file.relative_to(small.path).as_posix().encode())
        digest.update(pl.read_parquet(file).write_csv().encode())
    assert digest.hexdigest() == "12574dc8e4e079d33e45c75e7fb05280440d09c366fae572bed04c119e5d610b"


def test_another_seed_writes_another_district(small: District, tmp_path: Path) -> None:
    report = simulate(tmp_path / "other", people=300, days=1, seed=8)
    ids = pl.read_parquet(tmp_path / "other" / "residents.parquet")["id_number"]
    assert len(set(ids) & set(small.register("residents")["id_number"])) == 0
    assert report.calls == len(pl.read_parquet(tmp_path / "other" / "calls" / "*" / "*.parquet"))
    assert report.files == 6 + 9


def test_a_folder_in_use_is_refused(small: District, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not empty"):
        simulate(small.path, people=300, days=1, seed=1)
    with pytest.raises(SettingsError, match="at least 100 people"):
        simulate(tmp_path / "tiny", people=10, days=1, seed=1)
