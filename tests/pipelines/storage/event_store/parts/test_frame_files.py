"""Frames in files: mapped, whole or not at all."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from data_contracts.errors import LakeError
from pipelines.storage.event_store.parts.frame_files import read_frame, write_frame

FRAME = pl.DataFrame({"owner": [1, 2, 3], "name": ["a", None, "c"], "is_in": [True, False, None]})


def test_a_frame_is_read_as_it_was_written_and_without_a_copy(tmp_path):
    file = write_frame(FRAME, folder=tmp_path)
    assert_frame_equal(read_frame(tmp_path / file), FRAME)
    assert not read_frame(tmp_path / file)["owner"].to_numpy().flags.owndata
    assert [path.name for path in tmp_path.iterdir()] == [file]


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
