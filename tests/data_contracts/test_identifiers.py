import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import ric

from data_contracts.identifiers import (
    NUMBER_KINDS,
    Pseudonymiser,
    id_15_to_18,
    id_check_digit_sql,
    number_area,
    number_kind,
)

KEY = bytes(range(32))


def one(expression, value):
    return (
        pl.DataFrame({"value": pl.Series([value], dtype=pl.String)})
        .select(expression(pl.col("value")))
        .item()
    )


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("13812345678", "mobile"),
        ("19912345678", "mobile"),
        *((f"{prefix}12345678", "virtual") for prefix in (162, 165, 167, 170, 171)),
        ("1713577791", "virtual"),
        ("01065551234", "landline"),
        ("047112345678", "landline"),
        ("95588", "service_95"),
        ("952612345", "service_95"),
        ("96110", "service_96"),
        ("4008123456", "service_400"),
        ("106901234567", "service_106"),
        ("10086", "service_short"),
        ("110", "service_short"),
        ("12306", "service_short"),
        ("0085291234567", "international"),
        ("anonymous", "unknown"),
        ("12", "unknown"),
        (None, "unknown"),
    ],
)
def test_number_kinds(number, kind):
    assert one(number_kind, number) == kind
    assert kind in NUMBER_KINDS


@pytest.mark.parametrize(
    ("number", "area"),
    [
        ("01065551234", "010"),
        ("02165551234", "021"),
        ("047112345678", "0471"),
        ("0085291234567", "00852"),
        ("0012125551234", "001"),
        ("00447911123456", "0044"),
        ("00999123456", None),
        ("13812345678", None),
        ("95588", None),
        (None, None),
    ],
)
def test_number_areas(number, area):
    assert one(number_area, number) == area


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
    assert one(id_15_to_18, fifteen) == eighteen


@given(
    st.lists(st.from_regex(r"[1-9][0-9]{5}490228[0-9]{3}", fullmatch=True), min_size=1, max_size=20)
)
def test_check_digits_are_those_of_the_standard_library_for_numbers(fifteens):
    found = pl.DataFrame({"id": fifteens}).select(id_15_to_18(pl.col("id")))["id"]
    seventeens = [f"{number[:6]}19{number[6:]}" for number in fifteens]
    expected = [number + ric.calc_check_digit(number + "0") for number in seventeens]
    assert found.to_list() == expected


@settings(max_examples=20)
@given(st.from_regex(r"[0-9]{17}", fullmatch=True))
def test_the_sql_check_digit_is_the_same(seventeen):
    number = seventeen + "0"
    ((digit,),) = duckdb.sql(
        f"SELECT {id_check_digit_sql('number')} FROM (SELECT '{number}' AS number)"
    ).fetchall()

    assert digit == ric.calc_check_digit(number)


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
