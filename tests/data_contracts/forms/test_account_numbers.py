import polars as pl
import pytest

from data_contracts.forms.account_numbers import (
    account_number,
    is_placeholder_account,
    other_account,
)


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
        ("'6222020012345678", "6222020012345678"),
        ('="6222020012345678"', "6222020012345678"),
        ("6222020012345678.0", "6222020012345678"),
        ("6222020012345678.00", "6222020012345678"),
        ("1421.00", "1421.00"),
        ("2026-06-15", "2026-06-15"),
        ("622202\n0012345678", "622202\n0012345678"),
        ("622202001234567²", "622202001234567²"),
        ("6222020012345678 6217000000000001", "6222020012345678 6217000000000001"),
        ("1.234E10", "1.234E10"),
        ("none", "NONE"),
        ("0000", "0000"),
    ],
)
def test_account_numbers(delivered, account):
    assert one(account_number, delivered) == account


@pytest.mark.parametrize(
    ("delivered", "account", "is_placeholder"),
    [
        ("6222 0200 1234 5678", "6222020012345678", False),
        ("M0000000", "M0000000", False),
        ("6222****5678", "6222****5678", False),
        (None, None, False),
        ("", None, False),
        ("-", None, False),
        ("--", None, False),
        ("/", None, False),
        ("无", None, False),
        (r"\N", None, False),
        ("NONE", None, True),
        ("n/a", None, True),
        ("不详", None, True),
        ("0", None, True),
        ("000000", None, True),
        ("9999999999", None, True),
        ("UNKNOWN", None, True),
        ("cash", None, True),
        ("现金", None, True),
        ("mobile", "MOBILE", False),
    ],
)
def test_the_other_account_of_a_movement_may_be_none(delivered, account, is_placeholder):
    assert one(other_account, delivered, pl.String) == account
    assert one(is_placeholder_account, delivered, pl.String) == is_placeholder
