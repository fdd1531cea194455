import polars as pl

from data_contracts.forms.account_numbers import account_numbers
from data_contracts.forms.phone_numbers import phone_numbers


def one(form, value, dtype=None):
    return form(pl.Series("column", [value], dtype=dtype)).to_list()[0]


def test_lists_of_numbers():
    delivered = pl.Series(["13812345678;+85291234567", "010-65551234；", "", None])
    assert phone_numbers(delivered).to_list() == [
        ["13812345678", "0085291234567"],
        ["01065551234"],
        [],
        [],
    ]
    assert account_numbers(pl.Series(["6222 0200;m21"])).to_list() == [["62220200", "M21"]]
