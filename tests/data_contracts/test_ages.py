"""The scale of ages, by absolute values."""

from math import inf

import pytest

from data_contracts.ages import AGE_BANDS, age_band, band_limits


def test_the_bands_follow_each_other_without_a_gap():
    assert AGE_BANDS == ("0-17", "18-29", "30-44", "45-59", "60-64", "65-74", "75+")
    limits = [band_limits(band) for band in AGE_BANDS]
    assert [first for first, _ in limits[1:]] == [over for _, over in limits[:-1]]


@pytest.mark.parametrize(
    ("age_years", "band"),
    [
        (0.0, "0-17"),
        (17.99, "0-17"),
        (18, "18-29"),
        (44.9, "30-44"),
        (59.99, "45-59"),
        (60, "60-64"),
        (65, "65-74"),
        (74.9, "65-74"),
        (75, "75+"),
        (103.0, "75+"),
        (None, None),
    ],
)
def test_an_age_falls_into_one_band(age_years, band):
    assert age_band(age_years) == band


def test_bands_of_an_earlier_scale_are_read():
    assert band_limits("60+") == (60, inf)
    assert band_limits("30-39") == (30, 40)
    with pytest.raises(ValueError, match="is not a band of ages"):
        band_limits("old")
