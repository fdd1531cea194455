import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.pseudonyms import Pseudonymiser

KEY = bytes(range(32))


def one(form, value, dtype=None):
    return form(pl.Series("column", [value], dtype=dtype)).to_list()[0]


def test_pseudonyms_are_pinned():
    numbers = Pseudonymiser(KEY).numbers(pl.Series(["13812345678", None, "13812345678"]))

    assert numbers.to_list() == ["n1_KZWyLONMRq_b8cHS", None, "n1_KZWyLONMRq_b8cHS"]


def test_pseudonyms_differ_by_space_version_and_key():
    value = pl.Series(["6222020012345678"])
    first, second = Pseudonymiser(KEY), Pseudonymiser(KEY[::-1], version=2)

    keys = [
        *(first.persons(value)[0], first.numbers(value)[0], first.accounts(value)[0]),
        *(second.persons(value)[0], second.numbers(value)[0], second.accounts(value)[0]),
    ]

    assert [key.partition("_")[0] for key in keys] == ["p1", "n1", "a1", "p2", "n2", "a2"]
    assert len({key.partition("_")[2] for key in keys}) == 6
    assert all(len(key) == 19 for key in keys)


def test_a_short_key_is_refused_and_no_key_is_shown():
    with pytest.raises(ValueError, match="at least 16 bytes"):
        Pseudonymiser(b"short")
    assert repr(Pseudonymiser(KEY)) == "Pseudonymiser(version=1)"


@given(st.lists(st.one_of(st.none(), st.text("0123456789", min_size=3, max_size=20)), max_size=50))
def test_pseudonyms_are_one_to_one_and_keep_nulls(values):
    series = pl.Series(values, dtype=pl.String)
    keys = Pseudonymiser(KEY).accounts(series)

    assert keys.is_null().to_list() == series.is_null().to_list()
    assert len(set(zip(values, keys, strict=True))) == len(set(values)) == len(set(keys))
