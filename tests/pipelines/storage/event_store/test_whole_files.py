"""A file of the store that is not what was written is never read into a list."""

import os
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from data_contracts.errors import LakeError
from pipelines.storage.event_store import whole_files
from tests.features.districts import NOON
from tests.pipelines.storage.objects.stores import DAYS, SmallHome


@pytest.fixture
def home(tmp_path) -> SmallHome:
    found = SmallHome(tmp_path).begin()
    for day in DAYS[:2]:
        found.load_day(day)
        found.store.bring_forward()
    return found


def largest(folder: Path) -> Path:
    return max(folder.glob("*.arrow"), key=lambda path: path.stat().st_size)


def overwrite(path: Path) -> None:
    """Some bytes in the middle become others; size and time of the last change stay."""
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(before.st_size // 2)
        held = file.read(8)
        file.seek(before.st_size // 2)
        file.write(bytes(byte ^ 1 for byte in held))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_changed_file_opens_nothing_until_the_store_is_made_anew(home):
    expected, damaged = home.features(), largest(home.store.folder)
    overwrite(damaged)
    with pytest.raises(LakeError, match=damaged.name) as error:
        home.store.open(at=NOON)
    assert error.value.remedy is not None
    assert "forestall store rebuild" in error.value.remedy
    home.load_day(DAYS[2])
    with pytest.raises(LakeError, match=damaged.name):
        home.store.bring_forward()
    home.store.rebuild()
    assert len(home.features()) == len(expected)


def test_a_file_that_is_gone_is_named(home):
    gone = largest(home.store.folder)
    gone.unlink()
    with pytest.raises(LakeError, match=gone.name):
        home.store.open(at=NOON)
    home.store.rebuild()
    home.store.open(at=NOON)


def test_what_was_written_or_compared_is_not_read_again(home, monkeypatch):
    read: list[Path] = []

    def digest(path: Path) -> str:
        read.append(path)
        return file_digest(path)

    file_digest = whole_files.file_digest
    monkeypatch.setattr(whole_files, "file_digest", digest)
    expected = home.features()
    assert read == []
    touched = largest(home.store.folder)
    touched.touch()
    for _ in range(2):
        assert_frame_equal(home.features(), expected)
    assert read == [touched]
