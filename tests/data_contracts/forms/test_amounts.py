from decimal import Decimal

import polars as pl
import pytest

from data_contracts.forms.amounts import money, whole_number


def one(form, value, dtype=None):
    return form(pl.Series("column", [value], dtype=dtype)).to_list()[0]


@pytest.mark.parametrize(
    ("delivered", "amount"),
    [
        ("100", "100.00"),
        ("1,234.56", "1234.56"),
        ("１，２３４．５６", "1234.56"),
        ("¥5.10", "5.10"),
        ("￥1,000元", "1000.00"),
        ("-3", "-3.00"),
        ("0", "0.00"),
    ],
)
def test_money(delivered, amount):
    assert one(money, delivered) == Decimal(amount)


@pytest.mark.parametrize(
    "delivered", ["NaN", "inf", "many", "1.2.3", float("nan"), float("inf"), 1e20]
)
def test_what_is_no_money(delivered):
    assert one(money, delivered) is None


def test_money_from_floats_has_two_decimals():
    assert money(pl.Series([19.99, 0.1 + 0.2])).to_list() == [
        Decimal("19.99"),
        Decimal("0.30"),
    ]


def test_whole_numbers():
    delivered = pl.Series(
        ["25", "25.0", "-3", "２５", "1,200", "25.5", "long", "99999999999", None]
    )
    assert whole_number(delivered).to_list() == [
        25,
        25,
        -3,
        25,
        1200,
        None,
        None,
        None,
        None,
    ]
    assert whole_number(pl.Series([25.0, 25.5, float("nan"), 1e12])).to_list() == [
        25,
        None,
        None,
        None,
    ]
