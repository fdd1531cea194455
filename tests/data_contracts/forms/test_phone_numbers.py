import phonenumbers
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data_contracts.forms.number_plan import load_number_plan
from data_contracts.forms.phone_numbers import phone_number, read_number
from tests.examples import examples

FULL_WIDTH = str.maketrans("0123456789+-", "０１２３４５６７８９＋－")


def one(form, value, dtype=None):
    return form(pl.Series("column", [value], dtype=dtype)).to_list()[0]


@pytest.mark.parametrize(
    ("delivered", "number"),
    [
        ("13812345678", "13812345678"),
        ("138\n12345678", "138\n12345678"),
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
        # The home prefix before anything.
        ("862131010426", "02131010426"),
        ("8602131010426", "02131010426"),
        ("08613812345678", "13812345678"),
        ("(+86)13812345678", "13812345678"),
        ("+0086 138 1234 5678", "13812345678"),
        ("8610086", "10086"),
        ("86110", "110"),
        ("8696110", "96110"),
        ("864008123456", "4008123456"),
        ("8695013123456", "95013123456"),
        ("+8695013123456", "95013123456"),
        ("+8695105105", "95105105"),
        ("+861065813919", "1065813919"),
        ("861065813919", "1065813919"),
        ("+861085551234", "01085551234"),
        ("+86 (10) 6555-1234", "01065551234"),
        ("86-10-65551234", "01065551234"),
        ("2131010426", "02131010426"),
        # An area code before a service number.
        ("057196110", "96110"),
        ("0571-96110", "96110"),
        ("0571-118114", "118114"),
        ("010116114", "116114"),
        ("01095588", "95588"),
        ("(010)12345", "12345"),
        ("047110086", "10086"),
        ("+861095566", "95566"),
        ("021962288", "962288"),
        ("0571-4008123456", "4008123456"),
        ("057113812345678", "13812345678"),
        ("04008123456", "4008123456"),
        ("095588", "95588"),
        # A sign by mistake, and digits before the home prefix.
        ("+4001600127", "4001600127"),
        ("+10086", "10086"),
        ("+95588", "95588"),
        ("+95013123456", "95013123456"),
        ("+13900001234", "13900001234"),
        ("+057188889999", "057188889999"),
        ("0018613900001234", "13900001234"),
        ("001862131010426", "02131010426"),
        # Numbers abroad that begin like one of this country.
        ("+40 21 312 3456", "0040213123456"),
        ("+95 1 234567", "00951234567"),
        ("+1 862 213 1010", "0018622131010"),
        ("+1 386 234 5678", "0013862345678"),
        ("+44 (0)20 7946 0958", "00442079460958"),
        ("+4402079460958", "00442079460958"),
        ("+39 06 698 12345", "00390669812345"),
        ("+80012345678", "0080012345678"),
        # What people dial before a number, and behind it.
        ("17951 13812345678", "13812345678"),
        ("17951013812345678", "13812345678"),
        ("12593 13812345678", "13812345678"),
        ("10193057188889999", "057188889999"),
        ("12583113812345678", "13812345678"),
        ("17951008613812345678", "13812345678"),
        ("010-65551234转801", "01065551234"),
        ("010-65551234-801", "01065551234"),
        ("(010)65551234 ext. 801", "01065551234"),
        # What programs add.
        ("'13812345678", "13812345678"),
        ('="13812345678"', "13812345678"),
        ("\u202d13812345678\u202c", "13812345678"),
        ("1.3812345678E+10", "13812345678"),
        ("tel:+8613812345678", "13812345678"),
        ("手机：13812345678", "13812345678"),
        ("13812345678（微信）", "13812345678"),
        # Look-alikes a digit short or long stay themselves.
        ("0106123456", "0106123456"),
        ("0951234567", "0951234567"),
        ("1713577791", "1713577791"),
        # No numbers.
        ("138****1234", "138****1234"),
        ("138xxxx1234", "138xxxx1234"),
        ("1.39E+10", "1.39E+10"),
        ("95588 95566", "95588 95566"),
        ("13900000001 13900000003", "13900000001 13900000003"),
        ("  ", None),
        ("NULL", None),
        (None, None),
    ],
)
def test_phone_numbers(delivered, number):
    assert one(phone_number, delivered, pl.String) == number


def test_phone_numbers_delivered_as_integers():
    assert one(phone_number, 13812345678) == "13812345678"


PLAN = load_number_plan()


def landlines():
    """Landlines with their 0, their area and the digits behind it."""
    return st.sampled_from(sorted(PLAN.area_codes)).flatmap(
        lambda area: st.sampled_from(PLAN.lengths_of(area)).flatmap(
            lambda length: st.tuples(
                st.just(area), st.from_regex(rf"[2-8][0-9]{{{length - 1}}}", fullmatch=True)
            )
        )
    )


MOBILES = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
SHORT_SERVICES = st.from_regex(r"9[56][0-9]{3}|1[0-2][0-9]{3}|1[12][0-9]", fullmatch=True)
SERVICES = SHORT_SERVICES | st.from_regex(
    r"[48]00[0-9]{7}|106[0-9]{8,17}|950[0-9]{8}|95105[0-9]{3}", fullmatch=True
)
HOME_PREFIXES = ("+86", "0086", "86", "086", "+86 ", "0086-", "(+86)", "+(86)", "+0086", "+86-0")
SEPARATORS = st.sampled_from(["", " ", "-", "\u3000", "‐"])


def every_way(digits, separator, *, full_width=False):
    written = separator.join((digits[:3], digits[3:7], digits[7:])).rstrip(separator or " ")
    return written.translate(FULL_WIDTH) if full_width else written


@given(
    MOBILES, st.sampled_from(["", "0", "17951", "12593", *HOME_PREFIXES]), SEPARATORS, st.booleans()
)
def test_a_mobile_number_is_the_same_number_however_it_is_written(
    number, prefix, separator, full_width
):
    written = prefix.translate(FULL_WIDTH) if full_width else prefix
    written += every_way(number, separator, full_width=full_width)

    assert one(phone_number, written) == number


@given(landlines(), st.sampled_from(["", *HOME_PREFIXES[:-1]]), st.booleans(), SEPARATORS)
def test_a_landline_is_the_same_number_however_it_is_written(line, prefix, zero, separator):
    area, local = line
    looks_like_text = f"{area}{local}".startswith(("106", "95"))

    written = prefix + ("0" if zero or looks_like_text else "") + area + separator + local

    assert one(phone_number, written) == f"0{area}{local}"


@given(SERVICES, st.sampled_from(["", *HOME_PREFIXES[:-1]]))
def test_a_service_number_is_the_same_number_however_it_is_written(number, prefix):
    assert one(phone_number, prefix + number) == number


@given(SHORT_SERVICES, st.sampled_from(sorted(PLAN.area_codes)), SEPARATORS)
def test_an_area_code_before_a_service_number_says_nothing(number, area, separator):
    assert one(phone_number, f"0{area}{separator}{number}") == number
    if len(number) == 5 and area[:2] != "95":  # 10110 and 95112345 are numbers themselves
        assert one(phone_number, f"+86{area}{number}") == number


def is_key(number):
    return one(phone_number, number) == number


@given(MOBILES | SERVICES | landlines().map(lambda line: f"0{line[0]}{line[1]}"))
def test_a_key_is_its_own_key(number):
    assert is_key(number)
    assert read_number(number) == number


@given(st.from_regex(r"[+]?[0-9]{3,20}", fullmatch=True))
def test_the_key_of_a_key_is_itself(written):
    assert is_key(one(phone_number, written))


REGIONS = [
    "HK",
    "MO",
    "TW",
    "US",
    "RU",
    "GB",
    "JP",
    "KR",
    "SG",
    "MY",
    "TH",
    "MM",
    "KH",
    "PH",
    "RO",
    "IT",
]


@examples(300)
@example("US", "12102000000")
@example("RU", "84951234567")
@example("GB", "02079460958")
@given(st.sampled_from(REGIONS), st.from_regex(r"[0-9]{7,11}", fullmatch=True))
def test_numbers_abroad_have_the_key_that_the_library_knows(region, digits):
    """Also as they are written in their country, with the 0 that is dialled only there."""
    code = phonenumbers.country_code_for_region(region)
    written = f"+{code}{digits}"
    parsed = phonenumbers.parse(written)
    if phonenumbers.is_valid_number(parsed):
        key = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)

        assert one(phone_number, written) == f"00{key[1:]}"
        assert one(phone_number, f"00{written[1:]}") == f"00{key[1:]}"


@examples(300)
@given(st.from_regex(r"(\+86|0)[1-9][0-9]{6,10}", fullmatch=True))
def test_numbers_of_this_country_that_are_one_for_the_library_have_one_key(written):
    """What the library takes for a mobile or landline; of service numbers it knows few."""
    parsed = phonenumbers.parse(written, "CN")
    kind = phonenumbers.number_type(parsed)
    national = str(parsed.national_number)
    if kind == phonenumbers.PhoneNumberType.MOBILE:
        assert one(phone_number, written) == national
    elif kind == phonenumbers.PhoneNumberType.FIXED_LINE and not national.startswith(
        ("106", "95", "96", "100", "116", "118", "125")
    ):
        service = one(phone_number, f"0{national}")
        assert one(phone_number, written) == service
        assert service in (f"0{national}", national[2:], national[3:])


KEYS = MOBILES | SERVICES | landlines().map(lambda line: f"0{line[0]}{line[1]}")
WAYS = st.sampled_from(["", *HOME_PREFIXES[:-1]])


@given(st.lists(st.tuples(KEYS, WAYS), min_size=2, max_size=8, unique_by=lambda drawn: drawn[0]))
def test_different_numbers_have_different_keys(drawn):
    written = pl.Series([prefix + number for number, prefix in drawn])

    assert phone_number(written).to_list() == [number for number, _ in drawn]
