"""Phone numbers: every spelling of a number to one key.

A key is digits only. Numbers of China have no country code: mobiles and service numbers stand
alone, landlines begin with the 0 of their area code. Numbers abroad begin with 00 and the country.
What is no number stays as it is, and the contract's pattern rejects it.

Where one spelling could be two numbers, these rules decide:

- ``+86106`` and seven digits is a text sender of range 106, not Beijing 010-6. Written apart behind
  the 10 (``+86 10 6555 1234``), or with the 0, it is Beijing.
- ``+8695`` is a 95 service number, but for ten digits that are a landline of Ningxia (0951 to 0955)
  with its right length.
- An area code and a service number (``0571-96110``, ``01095588``, ``02112345``) is the service
  number alone: its caller is the service, wherever the call went through.
- A number behind ``+`` or ``00`` is abroad if a number of that country can look like it. Where it
  cannot (``+4001600127``, ``+10086``, ``+13900001234``), the sign is a mistake. So is a digit 1
  before the home prefix (``0018613900001234``).
- A prefix that chooses a carrier (``17951``) or a second number of the same holder comes off a full
  number.
- Numbers with digits masked or lost (``138****1234``, ``1.39E+10``) are no numbers.
"""

import re
from functools import cache
from itertools import accumulate

import polars as pl
from phonenumbers import NumberParseException, is_valid_number
from phonenumbers import parse as parse_abroad

from data_contracts.forms.number_plan import NumberPlan, load_number_plan
from data_contracts.forms.text import half_width, repair_untidy

__all__ = ["phone_number", "read_number"]

HOME_MOBILE = r"^(?:\+?86|0086)(1[3-9]\d{9})$"

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_QUOTED = re.compile(r"""^[='"`]+|['"`]+$""")
_LABEL = re.compile(
    r"^(?:tel(?:ephone)?|phone|mobile|mob|cell|sip|(?:联系)?电话(?:号码)?|手机(?:号码?)?|座机|固话"
    r"|号码)[.:\s]*(?=[+(\d])",
    re.IGNORECASE,
)
_NOTE = re.compile(r"\([^()\d]*[^()\d\s+\-][^()]*\)$|@[\w.\-]+$")
_EXTENSION = re.compile(
    r"(?<=\d)(?:\s*[,;]?\s*ext(?:ension|\.)?|\s+x|\s*转|\s*分机|\s*#)[\s:.]*\d{1,6}$", re.IGNORECASE
)
_HYPHENED_END = re.compile(r"\d\s*[-‐-―−]\s*\d{1,5}$")
_FLOAT = re.compile(r"(\d+)\.0+")
_WHOLE_POWER = re.compile(r"(\d)\.(\d{4,14})E\+?(\d\d?)", re.IGNORECASE)
#: No line end: a digit may have stood there.
_SEPARATORS = r" \t\u00a0\-‐-―−()\[\]·_"
_WRITTEN = re.compile(rf"[{_SEPARATORS}]*\+?[{_SEPARATORS}]*\d[\d{_SEPARATORS}]*")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_SHORT_SERVICE = re.compile(r"9[56]\d{3,4}|1[0-2]\d{3}|1[12]\d|11[68]\d{3}")
_LONGEST_LOCAL = 8
_FIRST_OF_LANDLINES = "2345678"


def phone_number(values: pl.Series) -> pl.Series:
    """The key of each number; what is no number stays as it is."""
    plain = half_width(values)
    return repair_untidy(plain, plain.str.contains(_tidy_pattern()), _repair_numbers)


@cache
def _tidy_pattern() -> str:
    """Keys that are known at a glance; all else is read one by one."""
    areas = load_number_plan().area_codes
    short, long = ("|".join(code for code in areas if len(code) == n) for n in (2, 3))
    return (
        rf"^(?:1[3-9]\d{{9}}|0(?:{short})[2-8]\d{{7}}|0(?:{long})[2-8]\d{{6,7}}"
        r"|9[56]\d{3}|95\d{6,10}|[48]00\d{7}|106\d{5,17}|1[0-2]\d{3}|1[12]\d)$"
    )


def _repair_numbers(untidy: pl.Series) -> pl.Series:
    """Distinct untidy numbers; mobiles behind the home prefix, which whole sources send, go
    first.
    """
    mobile = untidy.str.extract(HOME_MOBILE)
    others = untidy.filter(mobile.is_null())
    read = pl.Series(others.name, [read_number(written) for written in others], dtype=pl.String)
    return mobile.scatter(mobile.is_null().arg_true(), read)


def read_number(written: str) -> str:
    """The key of one number in half-width letters; ``written`` itself if it is none."""
    bare = _without_words(written)
    if not _WRITTEN.fullmatch(bare):
        return written
    groups = re.findall(r"\d+", re.sub(r"(?<=\d)\s*\(0\)", " ", bare) if "+" in bare else bare)
    if _are_several(groups):
        return written
    key = _read_groups(groups, plus="+" in bare)
    if _HYPHENED_END.search(bare) and not _is_given_out(key):  # an extension
        main = _read_groups(groups[:-1], plus="+" in bare)
        key = main if _is_given_out(main) else key
    return written if key is None else key


def _are_several(groups: list[str]) -> bool:
    """Whether every group is a number by itself."""
    plan = load_number_plan()
    return (
        len(groups) > 1
        and groups[0] not in plan.dial_prefixes
        and all(plan.kind_given_out(group) for group in groups)
    )


def _is_given_out(key: str | None) -> bool:
    """Whether a key has a form of the plan; of a number abroad nobody here can say."""
    if key is None or not key.startswith("0"):
        return key is not None and load_number_plan().kind_given_out(key) is not None
    area = load_number_plan().area_of(key[1:])
    return key.startswith("00") or (area is not None and len(key) - 1 - len(area) in _lengths(area))


def _without_words(written: str) -> str:
    """The number without its label, note, extension, quotation marks and what a spreadsheet
    adds.
    """
    bare = _QUOTED.sub("", _INVISIBLE.sub("", written)).strip()
    bare = _EXTENSION.sub("", _NOTE.sub("", _LABEL.sub("", bare)).strip()).strip()
    if whole := _FLOAT.fullmatch(bare):
        return whole[1]
    if (power := _WHOLE_POWER.fullmatch(bare)) and len(power[2]) == int(power[3]):
        return power[1] + power[2]  # every digit is there
    return bare.replace(".", " ") if bare.count(".") > 1 else bare


def _read_groups(groups: list[str], *, plus: bool) -> str | None:
    """The key of digits that are written in groups; None if they cannot be a number."""
    digits = "".join(groups)
    cuts = frozenset(accumulate(len(group) for group in groups[:-1]))
    if plus or digits.startswith("00"):
        rest = digits.removeprefix("00")
        return _read_abroad(rest, _moved(cuts, by=len(digits) - len(rest)))
    return _read_bare(digits, cuts) or digits


def _moved(cuts: frozenset[int], *, by: int) -> frozenset[int]:
    return frozenset(cut - by for cut in cuts)


def _read_bare(digits: str, cuts: frozenset[int]) -> str | None:
    """The key of digits without a sign: of this country, or behind its code or a carrier's."""
    if key := _read_home(digits, cuts):
        return key
    home = load_number_plan().home
    for prefix in (home, f"0{home}"):
        rest = digits.removeprefix(prefix)
        # Eight digits are rather a landline without its area code.
        if rest != digits and (len(digits) != _LONGEST_LOCAL or prefix != home):
            key = _read_home(rest, _moved(cuts, by=len(prefix)), behind_prefix=True)
            if key:
                return key
    return _read_carried(digits)


def _read_carried(digits: str) -> str | None:
    """The key of a full number behind a prefix that people dial before it."""
    for prefix in load_number_plan().dial_prefixes:
        rest = digits.removeprefix(prefix)
        if rest != digits and len(rest) >= 10:
            if rest.startswith("00"):
                return _read_abroad(rest[2:], frozenset())
            if key := _read_home(rest, frozenset()):
                return key
    return None


def _read_abroad(rest: str, cuts: frozenset[int]) -> str | None:
    """The key of what stands behind ``+`` or ``00``."""
    plan = load_number_plan()
    if rest.startswith(plan.home):
        return _read_behind_home(rest.removeprefix(plan.home), _moved(cuts, by=2))
    if rest.startswith("0"):
        return _read_home(rest, cuts)
    if rest.startswith(f"1{plan.home}") and len(rest) != 11:
        number = _read_home(rest[3:], _moved(cuts, by=3), behind_prefix=True)
        if number and len(number) >= 10:
            return number
    if _only_at_home(rest, plan):
        return rest
    if len(rest) > 15 and (key := _read_carried(rest)):  # no number on earth is longer
        return key
    return f"00{_without_trunk_prefix(rest)}"


def _read_behind_home(number: str, cuts: frozenset[int]) -> str | None:
    key = _read_home(number, cuts, behind_prefix=True) or _read_carried(number)
    if key or not number:
        return key
    # A landline of no known area or length, as callers make them up.
    made_up = re.fullmatch(r"10\d{8}|(?:[235679]\d|[48][1-9])\d{7,9}", number)
    return f"0{number}" if made_up else number


def _read_home(number: str, cuts: frozenset[int], *, behind_prefix: bool = False) -> str | None:
    """The key of a number of this country, with or without the 0 before it; None if it has no
    form of the plan. ``cuts`` are the places at which it is written apart.
    """
    if number.startswith("0"):
        return _read_behind_zero(number[1:], _moved(cuts, by=1))
    plan = load_number_plan()
    kind, area = plan.kind_given_out(number), plan.area_of(number)
    local = number.removeprefix(area or "")
    apart = len(area or "") in cuts
    if area and (kind is None or apart or (kind == "service_95" and behind_prefix)):
        is_usual = len(local) in plan.lengths_of(area) and local[0] in _FIRST_OF_LANDLINES
        is_meant = behind_prefix and (kind is None or apart) and len(local) in _lengths(area)
        if is_usual or is_meant:
            return f"0{number}"
    if kind:
        return number
    return local if area and behind_prefix and _SHORT_SERVICE.fullmatch(local) else None


def _read_behind_zero(bare: str, cuts: frozenset[int]) -> str | None:
    plan = load_number_plan()
    area = plan.area_of(bare)
    local = bare.removeprefix(area or "")
    if _MOBILE.fullmatch(bare) or (area is None and plan.kind_given_out(bare)):
        return bare
    if area is None or _stands_alone(local):
        return local if area else None
    if _LONGEST_LOCAL - 2 <= len(local) <= _LONGEST_LOCAL + 1:  # a landline, or what imitates one
        return f"0{bare}"
    return bare if len(area) not in cuts and plan.kind_given_out(bare) else None


def _stands_alone(local: str) -> bool:
    """Whether behind an area code comes a number that needs none."""
    return bool(
        _SHORT_SERVICE.fullmatch(local)
        or _MOBILE.fullmatch(local)
        or re.fullmatch(r"[48]00\d{7}|106\d{7,17}", local)
    )


def _lengths(area: str) -> tuple[int, ...]:
    """Lengths that landlines of an area are seen with; made-up ones, too."""
    return (8,) if len(area) == 2 else (7, 8)


def _only_at_home(number: str, plan: NumberPlan) -> bool:
    """Whether a number behind a plus is one of this country, since no other has such a number."""
    if plan.kind_given_out(number) is None:
        return False
    if len(number) <= 6 or re.match(r"1[01]|400|800", number):
        return True
    # Myanmar has numbers like 95013, and North America like mobiles.
    if number.startswith("950") or _MOBILE.fullmatch(number):
        return not _is_valid_abroad(number)
    return False


def _without_trunk_prefix(number: str) -> str:
    """A number abroad without the 0 that is dialled only inside of its country, as are the 1 in
    North America and the 8 in Russia.
    """
    if not re.match(r"[1-9]\d{0,2}0|11[2-9]\d{9}$|78\d{10}$", number):
        return number
    try:
        parsed = parse_abroad(f"+{number}")
    except NumberParseException:
        return number
    zeros = "0" * (parsed.number_of_leading_zeros or 1) if parsed.italian_leading_zero else ""
    key = f"{parsed.country_code}{zeros}{parsed.national_number}"
    return key if is_valid_number(parsed) else number


@cache
def _is_valid_abroad(number: str) -> bool:
    try:
        return is_valid_number(parse_abroad(f"+{number}"))
    except NumberParseException:
        return False
