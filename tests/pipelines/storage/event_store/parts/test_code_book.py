"""Codes: given out once, found again by name."""

import base64

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipelines.storage.event_store.parts.code_book import CodeBook, name_keys


def pseudonym(digest: bytes) -> str:
    return "n1_" + base64.urlsafe_b64encode(digest).decode()


pseudonyms = st.lists(
    st.binary(min_size=12, max_size=12).map(pseudonym), unique_by=lambda name: name[3:14]
)


@given(names=pseudonyms)
def test_keys_are_whole_numbers_that_sort_as_the_names_do(names: list[str]) -> None:
    series = pl.Series(names, dtype=pl.String)
    keys = name_keys(series)

    assert (keys >= 0).all()
    # Names of 12 bytes that differ in the last of the 63 bits alone have one key.
    apart = len(np.unique(keys)) == len(names)
    by_key = [names[place] for place in np.argsort(keys, kind="stable")]
    assert not apart or by_key == sorted(names)


def test_the_key_of_a_name_is_its_first_63_bits() -> None:
    names = pl.Series(["n1_-----------AAAAA", "n1_0----------AAAAA", "n1_zzzzzzzzzzzzzzzz"])
    assert name_keys(names).tolist() == [0, 1 << 57, (1 << 63) - 1]


def test_short_names_have_keys_as_well() -> None:
    keys = name_keys(pl.Series(["p1", "p2", "p10", "x1"]))
    assert keys[0] < keys[2] < keys[1] < keys[3]


def test_codes_stay_as_parts_are_added_and_merged(tmp_path) -> None:
    book = CodeBook(tmp_path)
    names = [f"number-{place:04}"[::-1] for place in range(60)]
    for start, end in ((0, 40), (40, 41), (41, 44), (44, 60)):
        book = book.with_names(pl.DataFrame({"name": names[start:end]}))
        again = CodeBook(tmp_path, book.parts)
        known = name_keys(pl.Series(names))
        assert again.find(known).tolist() == [*range(end), *[-1] * (60 - end)]
    assert [(part.first, part.length) for part in book.parts] == [(0, 60)]
    assert book.rows(["name"], schema=pl.Schema({"name": pl.String}))["name"].to_list() == names


def test_long_parts_are_left_as_they_are(tmp_path) -> None:
    book = CodeBook(tmp_path).with_names(pl.DataFrame({"name": [f"{n:05}" for n in range(100)]}))
    more = book.with_names(pl.DataFrame({"name": ["x"]}))
    assert more.parts[0] == book.parts[0]
    assert [(part.first, part.length) for part in more.parts] == [(0, 100), (100, 1)]
    assert len(more) == 101


def test_an_empty_book_knows_nobody(tmp_path) -> None:
    book = CodeBook(tmp_path)
    assert book.find(name_keys(pl.Series(["x"]))).tolist() == [-1]
    assert book.with_names(pl.DataFrame({"name": []}, schema={"name": pl.String})).parts == ()
