import polars as pl
import pytest

from data_contracts.forms.account_numbers import account_number


def one(form, value, dtype=None):
    return form(pl.Series("column", [value], dtype=dtype)).to_list()[0]


@pytest.mark.parametrize(
    ("delivered", "account"),
    [
        ("6222020012345678", "6222020012345678"),
        ("6222 0200 1234 5678", "6222020012345678"),
        ("6222-0200-1234-5678", "6222020012345678"),
        ("６２２２", "6222"),
        ("m0000021", "M0000021"),
        ("6222****5678", "6222****5678"),
    ],
)
def test_account_numbers(delivered, account):
    assert one(account_number, delivered) == account
