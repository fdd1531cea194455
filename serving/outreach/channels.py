"""How somebody is reached: a voice or a face for those whom a text does not reach."""

import re
from collections.abc import Iterable, Sequence

from data_contracts.ages import band_limits
from serving.vocabulary.dispositions import ContactChannel

__all__ = ["channel_of", "is_old", "voice_first"]

MOBILE = re.compile(r"(?:\+?86)?1[3-9]\d{9}")
LEVELS_BY_VISIT = frozenset({"red", "orange"})


def channel_of(
    *, level: str, old: bool, numbers: Sequence[str], status: str, already_paid: bool = False
) -> ContactChannel:
    """Return how to reach somebody: visit, call, family or text.

    ``old`` people and those without a mobile number never get a text: at the urgent levels somebody
    goes there, else they are called. Who refused is reached through the family; who could not be
    found, or has no number, is visited. Nor is a text enough where the money has gone already.
    """
    if status == "refused":
        return "family"
    careful = old or not any(MOBILE.fullmatch(number) for number in numbers)
    if not numbers or status == "not_found_yet" or (careful and level in LEVELS_BY_VISIT):
        return "visit"
    return "text" if level == "blue" and not careful and not already_paid else "call"


def is_old(age_band: str | None, *, from_age: int) -> bool:
    """Say whether somebody of a band such as ``65-74`` may be ``from_age`` or older.

    Of a band that ``from_age`` divides nobody knows who is older: all count as old, since a call
    too many does no harm and a text that is not read does. Who is of unknown age does not.
    """
    if age_band is None:
        return False
    _, over_at = band_limits(age_band)
    return over_at > from_age


def voice_first(numbers: Iterable[str], *, old: bool) -> tuple[str, ...]:
    """Return the numbers, of an old person the landline first."""
    return tuple(sorted(numbers, key=lambda number: old and MOBILE.fullmatch(number) is not None))
