"""What the product writes is its user's alone."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.storage.places.private_files import close_home, make_private, write_privately


@pytest.fixture(autouse=True)
def _open_handed() -> Iterator[None]:
    """Begin as most systems do, with files that everybody may read."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_written_from_then_on_is_private(tmp_path: Path) -> None:
    write_privately()
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    assert (mode_of(tmp_path / "folder"), mode_of(tmp_path / "file")) == (0o700, 0o600)


def test_a_file_of_before_is_made_private_before_it_is_written(tmp_path: Path) -> None:
    old = tmp_path / "alerts.csv"
    old.write_text("of before")
    assert mode_of(old) == 0o644
    make_private(old)
    make_private(tmp_path / "new" / "alerts.csv")
    assert mode_of(old) == mode_of(tmp_path / "new" / "alerts.csv") == 0o600
    assert old.read_text() == "of before"


def test_an_open_home_is_closed_once_with_all_below(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("x")
    home = tmp_path / "home"
    (home / "lake" / "calls").mkdir(parents=True)
    (home / "lake" / "calls" / "a.parquet").write_text("x")
    (home / "tool").write_text("x")
    (home / "tool").chmod(0o755)
    (home / "link").symlink_to(outside)
    assert close_home(home) == 5
    modes = {path.name: mode_of(path) for path in (home, *home.rglob("*")) if not path.is_symlink()}
    assert modes == {
        "home": 0o700,
        "lake": 0o700,
        "calls": 0o700,
        "a.parquet": 0o600,
        "tool": 0o700,
    }
    assert mode_of(outside) == 0o644  # what only a link names is not ours
    assert close_home(home) == 0
    assert close_home(tmp_path / "nowhere") == 0


def test_what_belongs_to_another_user_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    assert close_home(tmp_path / "home") == 0
    assert mode_of(tmp_path / "home") == 0o755
