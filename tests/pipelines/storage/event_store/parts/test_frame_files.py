"""Frames in files: mapped, whole or not at all."""

import gc
import hashlib

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from data_contracts.errors import LakeError
from pipelines.storage.event_store.parts.frame_files import (
    MAPPED,
    digest_in_name,
    read_frame,
    release_pages,
    write_frame,
)

FRAME = pl.DataFrame({"owner": [1, 2, 3], "name": ["a", None, "c"], "is_in": [True, False, None]})


def test_a_frame_is_read_as_it_was_written_and_without_a_copy(tmp_path):
    file = write_frame(FRAME, folder=tmp_path)
    assert_frame_equal(read_frame(tmp_path / file), FRAME)
    assert not read_frame(tmp_path / file)["owner"].to_numpy().flags.owndata
    assert [path.name for path in tmp_path.iterdir()] == [file]


def test_the_name_is_the_digest_so_that_equal_frames_share_a_file(tmp_path):
    file = write_frame(FRAME, folder=tmp_path)
    assert digest_in_name(file) == hashlib.sha256((tmp_path / file).read_bytes()).hexdigest()
    assert write_frame(FRAME, folder=tmp_path) == file
    assert write_frame(FRAME.head(2), folder=tmp_path) != file
    assert digest_in_name("0123456789abcdef0123456789abcdef.arrow") is None  # of an earlier version


def test_an_empty_frame_keeps_its_columns(tmp_path):
    file = write_frame(FRAME.clear(), folder=tmp_path)
    assert_frame_equal(read_frame(tmp_path / file), FRAME.clear())


@pytest.mark.parametrize("left", [0, 40, -1])
def test_a_file_that_is_cut_off_or_gone_says_how_to_mend_it(tmp_path, left):
    path = tmp_path / write_frame(FRAME, folder=tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:left])
    with pytest.raises(LakeError, match="cannot be read") as caught:
        read_frame(path)
    assert caught.value.remedy == "Run `forestall store rebuild`."
    path.unlink()
    with pytest.raises(LakeError):
        read_frame(path)


def test_pages_that_were_let_go_of_are_read_again_even_of_a_file_that_is_gone(tmp_path):
    long = pl.DataFrame({"number": range(200_000)})
    path = tmp_path / write_frame(long, folder=tmp_path)
    frame = read_frame(path)
    assert frame["number"].sum() == 19_999_900_000
    path.unlink()
    release_pages()
    assert frame["number"].sum() == 19_999_900_000


def test_a_file_without_any_frame_reader_left_is_not_held(tmp_path):
    frame = read_frame(tmp_path / write_frame(pl.DataFrame({"a": [1]}), folder=tmp_path))
    held = len(MAPPED)
    del frame
    gc.collect()
    assert len(MAPPED) == held - 1
