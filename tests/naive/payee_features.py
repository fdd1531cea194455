"""The new payees of one person's last week, and the payments of two, by looping over movements."""

from datetime import timedelta

from tests.naive.relationships import (
    District,
    Event,
    Values,
    events_of,
    events_since,
    latest_of_each,
    to_hours,
)
from tests.naive.reputation import (
    NaiveReputation,
    account_state,
    amount_cny,
    is_debit,
    is_named,
    new_payee_payments_of,
)


def payee_rows(district: District, person: str, naive_reputation: NaiveReputation) -> list[Values]:
    """One for each new account dealt with in seven days, in the order of the last movements."""
    mine = new_payee_payments_of(district, person)
    last = latest_of_each(events_of(district.moves, person))
    recent = events_since(last, district.at - timedelta(days=7))
    return sorted(
        (payee_row(district, event, naive_reputation) for event in recent if event in mine),
        key=lambda r: (r["known_at"], r["payee"]),
    )


def payee_row(district: District, event: Event, naive_reputation: NaiveReputation) -> Values:
    state = account_state(district, event.other)
    paid = [e for e in event.relationship if is_debit(e)]
    back = [e for e in event.relationship if not is_debit(e)]
    return {
        **state,
        "payee_reputation": naive_reputation.payee(state),
        "payee": event.other,
        "known_at": event.known_at,
        "started_at": event.started_at,
        "outside": event.other_holder is None,
        "named": is_named(district, "suspect_accounts", event.other),
        "last_debit_cny": amount_cny(event) if is_debit(event) else None,
        "relationship_paid_cny": sum(map(amount_cny, paid)),
        "relationship_back_cny": sum(map(amount_cny, back)),
        "relationship_paid_n": len(paid),
        "relationship_back_n": len(back),
        "relationship_first_cny": amount_cny(event.relationship[0]),
        "relationship_age_h": to_hours(district.at - event.started_at),
        "silent_h": to_hours(district.at - event.known_at),
    }


WEEK_SUMS = (
    "named_payees_7d", "payee_max_cny", "payee_min_cny", "payee_last_cny", "payee_first_cny",
    "payee_back_n", "payee_back_share", "payee_outside_n", "rebates_n", "rebates_outside_n",
    "rebate_age_h", "payer_new_cny", "payer_new_reach", "payee_first_started_at",
    "payee_reputation_max", "bad_reputation_payees_7d", "bad_reputation_payees_cny",
)  # fmt: skip


def week_sums(rows: list[Values]) -> Values:
    if not rows:
        return dict.fromkeys(WEEK_SUMS)
    paid, payers = (
        [r for r in rows if r["relationship_paid_n"]],
        [r for r in rows if not r["relationship_paid_n"]],
    )
    rebates = [r for r in paid if 0 < r["relationship_back_cny"] < 3 * r["relationship_paid_cny"]]
    bad = [r for r in paid if r["payee_reputation"] > 0.5]
    amounts = [r["last_debit_cny"] for r in rows if r["last_debit_cny"] is not None]
    opened = sorted(paid, key=lambda r: (r["started_at"], r["payee"]))
    spent = sum(r["relationship_paid_cny"] for r in rows)
    return {
        "payee_reputation_max": max((r["payee_reputation"] for r in paid), default=None),
        "bad_reputation_payees_7d": len(bad),
        "bad_reputation_payees_cny": sum(r["relationship_paid_cny"] for r in bad),
        "named_payees_7d": sum(r["named"] for r in rows),
        "payee_max_cny": max(r["relationship_paid_cny"] for r in rows),
        "payee_min_cny": min((r["relationship_first_cny"] for r in paid), default=None),
        "payee_last_cny": amounts[-1] if amounts else None,
        "payee_first_cny": opened[0]["relationship_first_cny"] if opened else None,
        "payee_back_n": sum(r["relationship_back_n"] for r in paid),
        "payee_back_share": sum(r["relationship_back_cny"] for r in paid) / spent
        if spent
        else None,
        "payee_outside_n": sum(r["outside"] for r in paid),
        "rebates_n": len(rebates),
        "rebates_outside_n": sum(r["outside"] for r in rebates),
        "rebate_age_h": min((r["silent_h"] for r in rebates if r["outside"]), default=None),
        "payer_new_cny": sum(r["relationship_back_cny"] for r in payers),
        "payer_new_reach": max((r["payee_receivers_14d"] for r in payers), default=0),
        "payee_first_started_at": min(
            (r["started_at"] for r in paid if r["outside"]), default=None
        ),
    }


LEAD_COLUMNS = (
    "relationship_paid_cny", "relationship_back_cny", "relationship_paid_n",
    "relationship_back_n", "relationship_first_cny", "relationship_age_h", "silent_h", "outside",
    "payee_payers_14d", "payee_receivers_14d", "payee_received_cny_14d", "payee_age_d",
    "payee_reputation", "named",
)  # fmt: skip


def lead_payee(rows: list[Values]) -> Values:
    """The latest new payee that was paid, one outside the district before any other."""
    paid = [r for r in rows if r["relationship_paid_n"]]
    ranked = sorted(paid, key=lambda r: (not r["outside"], -r["known_at"].timestamp(), r["payee"]))
    found = {
        f"payee_{name.removeprefix('payee_')}": ranked[0][name] if ranked else None
        for name in LEAD_COLUMNS
    }
    return {**found, "lead_payee": ranked[0]["payee"] if ranked else None}


def callers_before_payment(strangers: list[Values], payees: list[Values]) -> Values:
    pairs = [
        (
            stranger["reputation"],
            stranger["relationship_talk_s"],
            deal["started_at"] - stranger["started_at"],
        )
        for deal in payees
        for stranger in strangers
        if deal["outside"]
        and deal["relationship_paid_n"]
        and timedelta(0) <= deal["started_at"] - stranger["started_at"] <= timedelta(days=3)
    ]
    worst = max(pairs, key=lambda pair: (pair[0], -pair[2]), default=None)
    return {
        "payee_caller_reputation": worst[0] if worst else None,
        "payee_caller_talk_s": max((talk_s for _, talk_s, _ in pairs), default=None),
        "payee_caller_h": to_hours(worst[2]) if worst else None,
    }


NEW_PAYEE_PAYMENTS = (
    "new_payee_payment_n", "new_payee_payment_payees_n", "new_payee_payment_days_n",
    "new_payee_payment_cny", "new_payee_payment_large_n", "new_payee_payment_growth",
    "new_payee_payment_max_cny", "new_payee_payment_age_h", "new_payee_payment_silent_h",
)  # fmt: skip
LURES = ("lures_n", "lure_profit", "lure_age_h", "lure_cny")


def new_payee_payments(district: District, person: str) -> Values:
    """Two weeks of movements with new accounts outside the district."""
    outside = [e for e in new_payee_payments_of(district, person) if e.other_holder is None]
    recent = sorted(
        events_since(outside, district.at - timedelta(days=14)),
        key=lambda e: (e.known_at, e.row["occurred_at"], amount_cny(e), e.other),
    )
    paid = [e for e in recent if is_debit(e)]
    if not paid:
        return dict.fromkeys((*NEW_PAYEE_PAYMENTS, *LURES))
    return {
        "new_payee_payment_n": len(paid),
        "new_payee_payment_payees_n": len({e.other for e in paid}),
        "new_payee_payment_days_n": len({e.known_at.date() for e in paid}),
        "new_payee_payment_cny": sum(map(amount_cny, paid)),
        "new_payee_payment_large_n": sum(amount_cny(e) >= 1000 for e in paid),
        "new_payee_payment_growth": amount_cny(paid[-1]) / amount_cny(paid[0]),
        "new_payee_payment_max_cny": max(map(amount_cny, paid)),
        "new_payee_payment_age_h": to_hours(district.at - paid[0].known_at),
        "new_payee_payment_silent_h": to_hours(district.at - paid[-1].known_at),
        **lure_features(recent, district),
    }


def lure_features(recent: list[Event], district: District) -> Values:
    """Money that came back with a profit within six hours of a small payment: against the latest
    such.
    """
    found: list[tuple[float, Event, float]] = []
    for back in recent:
        stakes = [
            e
            for e in recent
            if is_debit(e)
            and amount_cny(e) <= 1000
            and timedelta(0) <= back.known_at - e.known_at <= timedelta(hours=6)
        ]
        if is_debit(back) or not stakes:
            continue
        profit = amount_cny(back) / amount_cny(stakes[-1])
        if 1.02 <= profit <= 2:
            found.append((profit, back, amount_cny(stakes[-1])))
    if not found:
        return dict.fromkeys(LURES)
    return {
        "lures_n": len(found),
        "lure_profit": max(profit for profit, _, _ in found),
        "lure_age_h": min(to_hours(district.at - back.known_at) for _, back, _ in found),
        "lure_cny": max(stake_cny for _, _, stake_cny in found),
    }
