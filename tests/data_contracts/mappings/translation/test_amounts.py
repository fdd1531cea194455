"""Signs come off amounts, and nothing else does."""

import polars as pl
import pytest

from data_contracts.forms.amounts import money
from data_contracts.mappings.translation.amounts import take_signs


@pytest.mark.parametrize("written", ["-100.00", "100.00-", "(100.00)", "￥-100", "－100", "-1e2"])
def test_a_sign_is_taken_off(written):
    taken = take_signs(pl.Series([written, "7"]))
    assert taken.is_negative.to_list() == [True, False]
    assert [str(one) for one in money(taken.amount)] == ["100.00", "7.00"]


@pytest.mark.parametrize("written", ["1.5e-2", "5E-3", "1.5ｅ－2", "-1.5e-2", "--5", "1-2"])
def test_the_minus_of_a_power_of_ten_and_of_two_numbers_is_no_sign(written):
    taken = take_signs(pl.Series([written]))
    assert taken.is_negative.to_list() == [False]
    assert money(taken.amount).to_list() == [None]


def test_a_power_of_ten_to_the_cent_is_read():
    taken = take_signs(pl.Series(["1e-1", "1.5E+3"]))
    assert [str(one) for one in money(taken.amount)] == ["0.10", "1500.00"]
