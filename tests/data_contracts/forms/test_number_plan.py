import re

import phonenumbers
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.forms.number_plan import (
    NUMBER_KINDS,
    load_number_plan,
    number_area,
    number_kind,
)


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
        ("8008123456", "service_400"),
        ("1008611", "service_short"),
        ("118114", "service_short"),
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


@given(st.from_regex(r"(00|0|9[56]|[48]00|106|1[0-9]|)[0-9]{0,18}", fullmatch=True))
def test_the_plan_tells_the_kind_of_one_number_as_of_a_column(number):
    assert load_number_plan().kind_of(number) == one(number_kind, number)


def test_the_area_codes_are_those_that_the_library_knows():
    metadata = phonenumbers.PhoneMetadata.metadata_for_region("CN")
    landline = re.compile(metadata.fixed_line.national_number_pattern)
    codes = ["10", *(f"2{digit}" for digit in range(10)), *(str(code) for code in range(300, 1000))]
    known = {
        code: lengths
        for code in codes
        if (lengths := tuple(n for n in (7, 8) if landline.fullmatch(code + "23456781"[:n])))
    }

    assert dict(load_number_plan().area_codes) == known


def test_what_is_given_out_is_of_its_own_kind():
    plan = load_number_plan()

    assert {kind for one in plan.ranges for kind in [one.kind]} <= set(NUMBER_KINDS)
    for number, kind in {
        "95588": "service_95",
        "13812345678": "mobile",
        "110": "service_short",
    }.items():
        assert plan.kind_given_out(number) == plan.kind_of(number) == kind
    assert plan.kind_given_out("138123456789") is None
