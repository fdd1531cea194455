import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.forms.phone_numbers import phone_number

FULL_WIDTH = str.maketrans("0123456789+-", "０１２３４５６７８９＋－")


def one(form, value, dtype=None):
    return form(pl.Series("column", [value], dtype=dtype)).to_list()[0]


@pytest.mark.parametrize(
    ("delivered", "number"),
    [
        ("13812345678", "13812345678"),
        ("+8613812345678", "13812345678"),
        ("008613812345678", "13812345678"),
        ("8613812345678", "13812345678"),
        ("0086 138-1234-5678", "13812345678"),
        (" 138 1234 5678 ", "13812345678"),
        ("１３８１２３４５６７８", "13812345678"),
        ("＋８６１３８１２３４５６７８", "13812345678"),
        ("013812345678", "13812345678"),
        ("13812345678.0", "13812345678"),
        ("010-6555 1234", "01065551234"),
        ("(0471)1234567", "04711234567"),
        ("+86 10 6555 1234", "01065551234"),
        ("+8647112345678", "047112345678"),
        ("+86 951 1234567", "09511234567"),
        ("95588", "95588"),
        ("+8695588", "95588"),
        ("+864008123456", "4008123456"),
        ("+86106901234567", "106901234567"),
        ("+852 9123 4567", "0085291234567"),
        ("00852 9123-4567", "0085291234567"),
        ("+00852 91234567", "0085291234567"),
        ("110", "110"),
        ("anonymous", "anonymous"),
        ("  ", None),
        ("NULL", None),
        (None, None),
    ],
)
def test_phone_numbers(delivered, number):
    assert one(phone_number, delivered, pl.String) == number


def test_phone_numbers_delivered_as_integers():
    assert one(phone_number, 13812345678) == "13812345678"


@given(
    number=st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    prefix=st.sampled_from(["", "+86", "0086", "86", "+86 ", "0086-", "0"]),
    separator=st.sampled_from(["", " ", "-", "\u3000"]),
    full_width=st.booleans(),
)
def test_a_mobile_number_is_the_same_number_however_it_is_written(
    number, prefix, separator, full_width
):
    written = prefix + separator.join((number[:3], number[3:7], number[7:]))

    assert one(phone_number, written.translate(FULL_WIDTH) if full_width else written) == number
