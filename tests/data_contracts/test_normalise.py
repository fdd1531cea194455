from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from data_contracts import normalise

SHANGHAI = ZoneInfo("Asia/Shanghai")
HALF_PAST_NINE = datetime(2026, 8, 1, 9, 30, 15, tzinfo=SHANGHAI)


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
    assert one(normalise.phone_number, delivered, pl.String) == number


def test_phone_numbers_delivered_as_integers():
    assert one(normalise.phone_number, 13812345678) == "13812345678"


@pytest.mark.parametrize(
    ("delivered", "account"),
    [
        ("6222020012345678", "6222020012345678"),
        ("6222 0200 1234 5678", "6222020012345678"),
        ("6222-0200-1234-5678", "6222020012345678"),
        ("６２２２", "6222"),
        ("m0000021", "M0000021"),
        ("6222****5678", "6222****5678"),
    ],
)
def test_account_numbers(delivered, account):
    assert one(normalise.account_number, delivered) == account


@pytest.mark.parametrize(
    "delivered",
    [
        "11010519491231002X",
        "11010519491231002x",
        " 110105 19491231 002X",
        "110105491231002",
        "１１０１０５４９１２３１００２",
    ],
)
def test_id_numbers(delivered):
    assert one(normalise.id_number, delivered) == "11010519491231002X"


@pytest.mark.parametrize(
    "delivered",
    [
        "2026-08-01 09:30:15",
        "2026-08-01T09:30:15",
        "2026/08/01 09:30:15",
        "2026/8/1 9:30:15",
        "20260801093015",
        "2026年8月1日 09:30:15",
        "2026年08月01日09时30分15秒",
        "2026-08-01T09:30:15+08:00",
        "2026-08-01T09:30:15+0800",
        "2026-08-01T01:30:15Z",
        "2026-08-01 01:30:15+00:00",
        "2026-08-01T01:30:15.000000Z",
        "２０２６-０８-０１ 09：30：15",
    ],
)
def test_moments_as_text(delivered):
    assert one(normalise.moment, delivered) == HALF_PAST_NINE


def test_moments_without_seconds_and_with_fractions():
    assert one(normalise.moment, "2026/08/01 09:30") == HALF_PAST_NINE.replace(second=0)
    assert one(normalise.moment, "2026-08-01 09:30:15.25") == HALF_PAST_NINE.replace(
        microsecond=250_000
    )


@pytest.mark.parametrize(
    "delivered", ["yesterday", "2026-13-01 09:30:15", "2026-02-30 09:30:15", "2026-08-01", "25:00"]
)
def test_text_that_is_no_moment(delivered):
    assert one(normalise.moment, delivered) is None


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (pl.Datetime("us", "Asia/Shanghai"), HALF_PAST_NINE),
        (pl.Datetime("ms", "UTC"), HALF_PAST_NINE.astimezone(UTC)),
        (pl.Datetime("ns"), HALF_PAST_NINE.replace(tzinfo=None)),
    ],
)
def test_moments_from_parquet_with_and_without_zone(dtype, value):
    clean = normalise.moment(pl.Series([value], dtype=dtype))

    assert clean.dtype == pl.Datetime("us", "Asia/Shanghai")
    assert clean.to_list() == [HALF_PAST_NINE]


@given(
    st.lists(
        st.tuples(
            st.datetimes(datetime(2000, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001 # the zone is drawn beside it
            st.integers(-12 * 4, 14 * 4).map(
                lambda quarters: timezone(timedelta(minutes=15 * quarters))
            ),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_every_iso_timestamp_with_a_zone_is_read_as_its_moment(drawn):
    moments = [moment.replace(microsecond=0, tzinfo=zone) for moment, zone in drawn]

    clean = normalise.moment(pl.Series([moment.isoformat() for moment in moments]))

    assert clean.to_list() == [moment.astimezone(SHANGHAI) for moment in moments]


@pytest.mark.parametrize(
    "delivered",
    ["2026-08-01", "2026/8/1", "20260801", "2026.08.01", "2026年8月1日", "2026-08-01 23:59:59"],
)
def test_days(delivered):
    assert one(normalise.day, delivered) == date(2026, 8, 1)


def test_a_day_from_a_utc_timestamp_is_the_day_in_shanghai():
    assert one(normalise.day, datetime(2026, 7, 31, 18, tzinfo=UTC)) == date(2026, 8, 1)
    assert one(normalise.day, "31/07/2026") is None


@pytest.mark.parametrize(
    ("delivered", "amount"),
    [
        ("100", "100.00"),
        ("1,234.56", "1234.56"),
        ("１，２３４．５６", "1234.56"),
        ("¥5.10", "5.10"),
        ("￥1,000元", "1000.00"),
        ("-3", "-3.00"),
        ("0", "0.00"),
    ],
)
def test_money(delivered, amount):
    assert one(normalise.money, delivered) == Decimal(amount)


@pytest.mark.parametrize(
    "delivered", ["NaN", "inf", "many", "1.2.3", float("nan"), float("inf"), 1e20]
)
def test_what_is_no_money(delivered):
    assert one(normalise.money, delivered) is None


def test_money_from_floats_has_two_decimals():
    assert normalise.money(pl.Series([19.99, 0.1 + 0.2])).to_list() == [
        Decimal("19.99"),
        Decimal("0.30"),
    ]


def test_whole_numbers():
    delivered = pl.Series(
        ["25", "25.0", "-3", "２５", "1,200", "25.5", "long", "99999999999", None]
    )
    assert normalise.whole_number(delivered).to_list() == [
        25,
        25,
        -3,
        25,
        1200,
        None,
        None,
        None,
        None,
    ]
    assert normalise.whole_number(pl.Series([25.0, 25.5, float("nan"), 1e12])).to_list() == [
        25,
        None,
        None,
        None,
    ]


def test_lists_of_numbers():
    delivered = pl.Series(["13812345678;+85291234567", "010-65551234；", "", None])
    assert normalise.phone_numbers(delivered).to_list() == [
        ["13812345678", "0085291234567"],
        ["01065551234"],
        [],
        [],
    ]
    assert normalise.account_numbers(pl.Series(["6222 0200;m21"])).to_list() == [
        ["62220200", "M21"]
    ]


def test_choices_come_to_the_contracts_values_and_strangers_stay():
    allowed = {"手机银行": "mobile", "mobile": "mobile", "ATM": "atm", "atm": "atm"}
    delivered = pl.Series(["手机银行", "Mobile", "ATM", "atm", " ＡＴＭ ", "barter", None])

    clean = normalise.parse_choice(delivered, allowed=allowed)

    assert clean.to_list() == ["mobile", "mobile", "atm", "atm", "atm", "barter", None]


FULL_WIDTH = str.maketrans("0123456789+-", "０１２３４５６７８９＋－")


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

    assert (
        one(normalise.phone_number, written.translate(FULL_WIDTH) if full_width else written)
        == number
    )


@given(
    st.from_regex(
        r"[1-9][0-9]{5}[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])[0-9]{3}", fullmatch=True
    )
)
def test_every_15_digit_id_number_becomes_a_valid_one_of_18(fifteen):
    eighteen = one(normalise.id_number, fifteen)

    assert eighteen[:17] == f"{fifteen[:6]}19{fifteen[6:]}"
    assert eighteen[17] == ric.calc_check_digit(eighteen)
