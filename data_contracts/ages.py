"""The one scale of ages: alerts, outreach lists and figures by group speak of the same bands."""

import re
from itertools import pairwise
from math import inf

__all__ = ["AGE_BANDS", "AGE_BAND_STARTS", "age_band", "band_limits"]

# Ages at which a band begins. Those above 60 are fine enough for every usual setting of who is old.
AGE_BAND_STARTS = (0, 18, 30, 45, 60, 65, 75)
AGE_BANDS = (
    *(f"{first}-{after - 1}" for first, after in pairwise(AGE_BAND_STARTS)),
    f"{AGE_BAND_STARTS[-1]}+",
)


def age_band(age_years: float | None) -> str | None:
    """Return the band of an age, such as ``45-59`` or ``75+``; None where the age is unknown."""
    if age_years is None:
        return None
    begun = sum(age_years >= start for start in AGE_BAND_STARTS)
    return AGE_BANDS[max(begun, 1) - 1]


def band_limits(band: str) -> tuple[float, float]:
    """Return the first age of a band, and the age at which it is over.

    It reads every band of this form, also those that were published on an earlier scale (``60+``).
    A band without an upper end is never over: infinity. Raises ``ValueError`` for other text.
    """
    found = re.fullmatch(r"(\d+)(?:-(\d+)|\+)", band)
    if found is None:
        raise ValueError(f"{band!r} is not a band of ages")
    first, last = found.groups()
    return float(first), float(last) + 1 if last else inf
