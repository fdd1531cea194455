import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from data_contracts.forms.identity_numbers import id_15_to_18, id_check_digit_sql, id_number
from tests.examples import examples


def one(form, value, dtype=None):
    return form(pl.Series("column", [value], dtype=dtype)).to_list()[0]


@pytest.mark.parametrize(
    "delivered",
    [
        "11010519491231002X",
        "11010519491231002x",
        " 110105 19491231 002X",
        "110105491231002",
        "１１０１０５４９１２３１００２",
        "'11010519491231002X",
        "11010519491231002×",
    ],
)
def test_id_numbers(delivered):
    assert one(id_number, delivered) == "11010519491231002X"


@pytest.mark.parametrize(
    ("delivered", "number"),
    [
        ("931840198501011235", "931840198501011235"),
        ("usa310185010112", "USA310185010112"),
        ("e12345678", "E12345678"),
        ("11010519\n491231002X", "11010519\n491231002X"),
        ("E 1234 5678", "E12345678"),
        ("C01X00T47", "C01X00T47"),
        ("H1234567802", "H12345678"),
        ("h12345678", "H12345678"),
        ("M1234567801", "M12345678"),
        ("01234567", "01234567"),
        ("01234567(B)", "01234567"),
        ("A123456(7)", "A1234567"),
        ("军字第1234567号", "军字第1234567号"),
        ("11010519491231", "11010519491231"),
        ("1.10105E+17", "1.10105E+17"),
    ],
)
def test_other_documents(delivered, number):
    assert one(id_number, delivered) == number


@given(
    st.from_regex(
        r"[1-9][0-9]{5}[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])[0-9]{3}", fullmatch=True
    )
)
def test_every_15_digit_id_number_becomes_a_valid_one_of_18(fifteen):
    eighteen = one(id_number, fifteen)

    assert eighteen[:17] == f"{fifteen[:6]}19{fifteen[6:]}"
    assert eighteen[17] == ric.calc_check_digit(eighteen)


@pytest.mark.parametrize(
    ("fifteen", "eighteen"),
    [
        ("110105491231002", "11010519491231002X"),
        ("150105571008514", "150105195710085145"),
        ("11010519491231002X", "11010519491231002X"),
        ("12345", "12345"),
        (None, None),
    ],
)
def test_id_numbers_of_15_digits_come_to_18(fifteen, eighteen):
    assert (
        pl.DataFrame({"id": pl.Series([fifteen], dtype=pl.String)})
        .select(id_15_to_18(pl.col("id")))
        .item()
        == eighteen
    )


@given(
    st.lists(st.from_regex(r"[1-9][0-9]{5}490228[0-9]{3}", fullmatch=True), min_size=1, max_size=20)
)
def test_check_digits_are_those_of_the_standard_library_for_numbers(fifteens):
    found = pl.DataFrame({"id": fifteens}).select(id_15_to_18(pl.col("id")))["id"]
    seventeens = [f"{number[:6]}19{number[6:]}" for number in fifteens]
    expected = [number + ric.calc_check_digit(number + "0") for number in seventeens]
    assert found.to_list() == expected


@examples(20)
@given(st.from_regex(r"[0-9]{17}", fullmatch=True))
def test_the_sql_check_digit_is_the_same(seventeen):
    number = seventeen + "0"
    ((digit,),) = duckdb.sql(
        f"SELECT {id_check_digit_sql('number')} FROM (SELECT '{number}' AS number)"
    ).fetchall()

    assert digit == ric.calc_check_digit(number)
