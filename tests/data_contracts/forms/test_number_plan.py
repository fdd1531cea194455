import polars as pl
import pytest

from data_contracts.forms.number_plan import NUMBER_KINDS, number_area, number_kind


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
