"""Every feature of one person at one moment, by looping over all rows known by then."""

from datetime import date, datetime, timedelta
from typing import Any

from tests.naive import contact_features, payee_features
from tests.naive.derived_features import derived_features
from tests.naive.feed_features import feed_features
from tests.naive.relationships import District, Event, Values, events_of, events_since
from tests.naive.reputation import (
    NaiveHandWrittenReputation,
    NaiveReputation,
    amount_cny,
    is_debit,
    is_in,
    is_own,
    is_voice,
    new_payee_payments_of,
    talk_seconds,
)

SPANS = {"1h": 1, "6h": 6, "24h": 24, "3d": 72, "7d": 168, "30d": 720}
EVERY, FEW = ("1h", "6h", "24h", "3d", "7d"), ("24h", "7d")
KINDS = {
    "international": ["international"],
    "virtual": ["virtual"],
    "service": ["service_95", "service_96", "service_400", "service_106", "service_short"],
    "landline": ["landline"],
    "mobile": ["mobile"],
}


def naive_snapshot(
    district: District, person: str, naive_reputation: NaiveReputation = NaiveHandWrittenReputation
) -> Values:
    """By feature name; beside them ``lead_peer`` and ``lead_payee``."""
    heard, payees = (
        contact_features.stranger_rows(district, person, naive_reputation),
        payee_features.payee_rows(district, person, naive_reputation),
    )
    values = {
        **habit_sums(district, person),
        **stranger_sums(district, person),
        **payment_sums(district, person),
        **new_payee_sums(district, person),
        **contact_features.week_sums(heard),
        **contact_features.lead_number(heard),
        **payee_features.week_sums(payees),
        **payee_features.lead_payee(payees),
        **payee_features.callers_before_payment(heard, payees),
        **payee_features.new_payee_payments(district, person),
        **register_features(district, person),
        **feed_features(district, person),
    }
    return {**values, **derived_features(values)}


def sums_over_windows(
    name: str, windows: tuple[str, ...], events: list[Event], at: datetime, measure: Any
) -> Values:
    return {
        f"{name}_{w}": sum(
            measure(event) for event in events_since(events, at - timedelta(hours=SPANS[w]))
        )
        for w in windows
    }


def habit_sums(district: District, person: str) -> Values:
    mine, at = [e for e in events_of(district.contacts, person) if e.counts], district.at
    return {
        **sums_over_windows(
            "calls_in", ("24h", "30d"), mine, at, lambda e: is_voice(e) and is_in(e)
        ),
        **sums_over_windows(
            "calls_out", ("24h", "30d"), mine, at, lambda e: is_voice(e) and not is_in(e)
        ),
        **sums_over_windows("sms", ("30d",), mine, at, lambda e: not is_voice(e)),
        **sums_over_windows("talk_s", ("24h", "30d"), mine, at, talk_seconds),
    }


def stranger_sums(district: District, person: str) -> Values:
    at, heard = district.at, events_of(district.contacts, person)
    mine = [e for e in heard if e.is_young and e.counts]
    values = {
        **sums_over_windows("stranger_calls", EVERY, mine, at, is_voice),
        **sums_over_windows(
            "stranger_calls_long", ("6h", "24h", "7d"), mine, at, lambda e: talk_seconds(e) >= 600
        ),
        **sums_over_windows("stranger_sms", EVERY, mine, at, lambda e: not is_voice(e)),
        **sums_over_windows("stranger_talk_s", EVERY, mine, at, talk_seconds),
        **sums_over_windows("stranger_call_back", FEW, mine, at, lambda e: not is_in(e)),
        **sums_over_windows("stranger_new", EVERY, mine, at, lambda e: e.is_first),
    }
    for kind, members in KINDS.items():
        begun = [e for e in mine if e.is_first and e.row["peer_kind"] in members]
        values.update(sums_over_windows(f"stranger_new_{kind}", FEW, begun, at, lambda _: 1))
    return values


def payment_sums(district: District, person: str) -> Values:
    at = district.at
    mine = events_of(district.moves, person)
    out = [e for e in mine if is_debit(e) and not is_own(e)]
    came = [e for e in mine if not is_debit(e) and not is_own(e)]
    own = [e for e in mine if not is_debit(e) and is_own(e)]
    return {
        **sums_over_windows("debits", ("24h", "7d", "30d"), out, at, lambda _: 1),
        **sums_over_windows("debit_cny", (*EVERY, "30d"), out, at, amount_cny),
        **sums_over_windows("credit_cny", ("24h", "7d", "30d"), came, at, amount_cny),
        **sums_over_windows("own_in_cny", ("6h", "24h", "7d"), own, at, amount_cny),
        **sums_over_windows(
            "first_credit_cny", ("6h", "24h", "7d"), [e for e in came if e.is_first], at, amount_cny
        ),
        **sums_over_windows(
            "large",
            ("24h", "7d", "30d"),
            [e for e in out if amount_cny(e) >= 5000],
            at,
            lambda _: 1,
        ),
    }


def new_payee_sums(district: District, person: str) -> Values:
    mine, at = new_payee_payments_of(district, person), district.at
    paid = [e for e in mine if is_debit(e)]
    outside = [e for e in paid if e.other_holder is None]
    back = [
        e for e in mine if not is_debit(e) and any(is_debit(earlier) for earlier in e.relationship)
    ]
    return {
        **sums_over_windows("new_payees", EVERY, paid, at, lambda e: e.is_first),
        **sums_over_windows("new_payees_outside", EVERY, outside, at, lambda e: e.is_first),
        **sums_over_windows("new_debit_cny", EVERY, paid, at, amount_cny),
        **sums_over_windows("new_debit_outside_cny", EVERY, outside, at, amount_cny),
        **sums_over_windows("new_back", ("24h", "3d", "7d"), back, at, lambda _: 1),
        **sums_over_windows("new_back_cny", FEW, back, at, amount_cny),
    }


def register_features(district: District, person: str) -> Values:
    today = district.at.date()
    numbers, accounts = (
        [one.since for one in held if one.person == person and one.on(today)]
        for held in (district.numbers_held, district.accounts_held)
    )

    def held(days: list[date | None]) -> int | None:
        known = [day for day in days if day]
        return (today - min(known)).days if known else None

    return {
        "age_years": (today - district.born[person]).days / 365.25,
        "number_n": len(numbers),
        "account_n": len(accounts),
        "number_tenure_d": held(numbers),
        "account_tenure_d": held(accounts),
    }
