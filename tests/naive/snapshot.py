"""Every feature of one person at one moment, by looping over all rows known by then."""

from datetime import date, datetime, timedelta
from typing import Any

from tests.naive import standing
from tests.naive.feeds import feeds
from tests.naive.standing import cny, is_answered, is_debit, is_in, is_voice, talk
from tests.naive.threads import District, Event, latest_of_each, since

SPANS = {"1h": 1, "6h": 6, "24h": 24, "3d": 72, "7d": 168, "30d": 720}
EVERY, FEW = ("1h", "6h", "24h", "3d", "7d"), ("24h", "7d")
KINDS = {
    "international": ["international"],
    "virtual": ["virtual"],
    "service": ["service_95", "service_96", "service_400", "service_106", "service_short"],
    "landline": ["landline"],
    "mobile": ["mobile"],
}
KIND_CODES = {
    "international": 1, "virtual": 2, "service_95": 3, "service_96": 3, "service_400": 4, "service_106": 5,
    "landline": 6, "mobile": 7,
}  # fmt: skip
Values = dict[str, Any]


def snapshot(district: District, person: str) -> Values:
    """By feature name; beside them ``lead_peer`` and ``lead_payee``."""
    strangers, deals = stranger_rows(district, person), deal_rows(district, person)
    values = {
        **habits(district, person),
        **stranger_sums(district, person),
        **payment_sums(district, person),
        **new_payee_sums(district, person),
        **strangers_together(strangers),
        **lead(strangers),
        **deals_together(deals),
        **lead_deal(deals),
        **callers(strangers, deals),
        **register(district, person),
        **feeds(district, person),
    }
    return {**values, **derived(values)}


def over(name: str, windows: tuple[str, ...], events: list[Event], at: datetime, measure: Any) -> Values:
    return {
        f"{name}_{w}": sum(measure(event) for event in since(events, at - timedelta(hours=SPANS[w]))) for w in windows
    }


def of(events: list[Event], person: str) -> list[Event]:
    return [event for event in events if event.person == person]


def habits(district: District, person: str) -> Values:
    mine, at = of(district.contacts, person), district.at
    return {
        **over("calls_in", ("24h", "30d"), mine, at, lambda e: is_voice(e) and is_in(e)),
        **over("calls_out", ("24h", "30d"), mine, at, lambda e: is_voice(e) and not is_in(e)),
        **over("sms", ("30d",), mine, at, lambda e: not is_voice(e)),
        **over("talk_s", ("24h", "30d"), mine, at, talk),
    }


def stranger_sums(district: District, person: str) -> Values:
    mine, at = [e for e in of(district.contacts, person) if e.is_young], district.at
    values = {
        **over("stranger_calls", EVERY, mine, at, is_voice),
        **over("stranger_calls_long", ("6h", "24h", "7d"), mine, at, lambda e: talk(e) >= 600),
        **over("stranger_sms", EVERY, mine, at, lambda e: not is_voice(e)),
        **over("stranger_talk_s", EVERY, mine, at, talk),
        **over("stranger_call_back", FEW, mine, at, lambda e: not is_in(e)),
        **over("stranger_new", EVERY, mine, at, lambda e: e.is_first),
    }
    for kind, members in KINDS.items():
        begun = [e for e in mine if e.is_first and e.row["peer_kind"] in members]
        values.update(over(f"stranger_new_{kind}", FEW, begun, at, lambda _: 1))
    return values


def is_own(district: District, event: Event) -> bool:
    return district.holder.get(event.other) == event.person


def payment_sums(district: District, person: str) -> Values:
    at = district.at
    mine = of(district.moves, person)
    out = [e for e in mine if is_debit(e) and not is_own(district, e)]
    came = [e for e in mine if not is_debit(e) and not is_own(district, e)]
    own = [e for e in mine if not is_debit(e) and is_own(district, e)]
    return {
        **over("debits", ("24h", "7d", "30d"), out, at, lambda _: 1),
        **over("debit_cny", (*EVERY, "30d"), out, at, cny),
        **over("credit_cny", ("24h", "7d", "30d"), came, at, cny),
        **over("own_in_cny", ("6h", "24h", "7d"), own, at, cny),
        **over("first_credit_cny", ("6h", "24h", "7d"), [e for e in came if e.is_first], at, cny),
        **over("large", ("24h", "7d", "30d"), [e for e in out if cny(e) >= 5000], at, lambda _: 1),
    }


def fresh_moves(district: District, person: str) -> list[Event]:
    """Movements with private accounts of others that the person met less than 15 days before."""
    mine = of(district.moves, person)
    return [e for e in mine if e.is_young and not is_own(district, e) and e.row["payee_kind"] != "merchant"]


def new_payee_sums(district: District, person: str) -> Values:
    mine, at = fresh_moves(district, person), district.at
    paid = [e for e in mine if is_debit(e)]
    outside = [e for e in paid if e.other not in district.holder]
    back = [e for e in mine if not is_debit(e) and any(is_debit(earlier) for earlier in e.thread)]
    return {
        **over("new_payees", EVERY, paid, at, lambda e: e.is_first),
        **over("new_payees_outside", EVERY, outside, at, lambda e: e.is_first),
        **over("new_debit_cny", EVERY, paid, at, cny),
        **over("new_debit_outside_cny", EVERY, outside, at, cny),
        **over("new_back", ("24h", "3d", "7d"), back, at, lambda _: 1),
        **over("new_back_cny", FEW, back, at, cny),
    }


def hours(span: timedelta) -> float:
    return int(span.total_seconds()) / 3600


def stranger_rows(district: District, person: str) -> list[Values]:
    last = latest_of_each(of(district.contacts, person))
    recent = [e for e in since(last, district.at - timedelta(days=7)) if e.is_young]
    return [stranger_row(district, event) for event in recent]


def stranger_row(district: District, event: Event) -> Values:
    state = standing.peer(district, event.other)
    named = standing.is_named(district, "suspect_numbers", event.other)
    talk_s, worth = sum(map(talk, event.thread)), standing.reputation(state)
    return {
        **state,
        "peer": event.other,
        "known_at": event.known_at,
        "started_at": event.started_at,
        "kind": KIND_CODES.get(event.row["peer_kind"], 0),
        "named": named,
        "tagged": event.other in district.tagged,
        "thread_n": len(event.thread),
        "thread_talk_s": talk_s,
        "thread_max_talk_s": max(map(talk, event.thread)),
        "thread_sms_n": sum(not is_voice(e) for e in event.thread),
        "thread_answered_n": sum(map(is_answered, event.thread)),
        "thread_call_back_n": sum(not is_in(e) for e in event.thread),
        "thread_age_h": hours(district.at - event.started_at),
        "silent_h": hours(district.at - event.known_at),
        "reputation": worth,
        "suspicion": standing.suspicion(worth, talk_s, named=named),
    }


TOGETHER = (
    "suspicion_sum", "reputation_max_24h", "reputation_new_48h", "reputed_peers_24h", "reputed_peers_7d",
    "reputed_talk_s", "reputed_talk_48h_s", "reputed_sms", "reputed_calls_back", "named_peers_7d", "named_talk_s",
    "stranger_max_talk_s", "stranger_max_talk_24h_s", "stranger_max_calls", "stranger_max_reach_24h",
)  # fmt: skip


def strangers_together(rows: list[Values]) -> Values:
    if not rows:
        return dict.fromkeys(TOGETHER)
    today, fresh = [r for r in rows if r["silent_h"] < 24], [r for r in rows if r["thread_age_h"] < 48]
    reputed, named = [r for r in rows if r["reputation"] > 0.2], [r for r in rows if r["named"]]
    return {
        "suspicion_sum": sum(r["suspicion"] for r in rows),
        "reputation_max_24h": max((r["reputation"] for r in today), default=None),
        "reputation_new_48h": max((r["reputation"] for r in fresh), default=None),
        "reputed_peers_24h": sum(r in today for r in reputed),
        "reputed_peers_7d": len(reputed),
        "reputed_talk_s": sum(r["thread_talk_s"] for r in reputed),
        "reputed_talk_48h_s": sum(r["thread_talk_s"] for r in reputed if r in fresh),
        "reputed_sms": sum(r["thread_sms_n"] for r in reputed),
        "reputed_calls_back": sum(r["thread_call_back_n"] for r in reputed),
        "named_peers_7d": len(named),
        "named_talk_s": sum(r["thread_talk_s"] for r in named),
        "stranger_max_talk_s": max(r["thread_max_talk_s"] for r in rows),
        "stranger_max_talk_24h_s": max((r["thread_max_talk_s"] for r in today), default=0),
        "stranger_max_calls": max(r["thread_answered_n"] for r in rows),
        "stranger_max_reach_24h": max((r["peer_reach_24h"] for r in rows if r["peer_age_d"] < 15), default=0),
    }


LEAD = (
    "suspicion", "reputation", "thread_n", "thread_talk_s", "thread_max_talk_s", "thread_sms_n", "thread_answered_n",
    "thread_call_back_n", "thread_age_h", "silent_h", "peer_reach_24h", "peer_reach_3d", "peer_reach_14d",
    "peer_contacts_14d", "peer_age_d", "peer_in_share", "peer_sms_share", "peer_answer_share", "peer_hang_up_share",
    "peer_long_n", "peer_talk_mean_s", "kind", "named", "tagged", "started_at", "peer",
)  # fmt: skip


def lead(rows: list[Values]) -> Values:
    """The most suspicious stranger; of several the one heard of last."""
    ranked = sorted(rows, key=lambda r: (-r["suspicion"], -r["known_at"].timestamp(), r["peer"]))
    return {f"lead_{name}": ranked[0][name] if ranked else None for name in LEAD}


def deal_rows(district: District, person: str) -> list[Values]:
    mine = fresh_moves(district, person)
    last = latest_of_each(of(district.moves, person))
    recent = since(last, district.at - timedelta(days=7))
    return sorted(
        (deal_row(district, event) for event in recent if event in mine), key=lambda r: (r["known_at"], r["payee"])
    )


def deal_row(district: District, event: Event) -> Values:
    paid = [e for e in event.thread if is_debit(e)]
    back = [e for e in event.thread if not is_debit(e)]
    return {
        **standing.payee(district, event.other),
        "payee": event.other,
        "known_at": event.known_at,
        "started_at": event.started_at,
        "outside": event.other not in district.holder,
        "named": standing.is_named(district, "suspect_accounts", event.other),
        "last_debit_cny": cny(event) if is_debit(event) else None,
        "thread_paid_cny": sum(map(cny, paid)),
        "thread_back_cny": sum(map(cny, back)),
        "thread_paid_n": len(paid),
        "thread_back_n": len(back),
        "thread_first_cny": cny(event.thread[0]),
        "thread_age_h": hours(district.at - event.started_at),
        "silent_h": hours(district.at - event.known_at),
    }


DEALS_TOGETHER = (
    "named_payees_7d", "payee_max_cny", "payee_min_cny", "payee_last_cny", "payee_first_cny", "payee_back_n",
    "payee_back_share", "payee_outside_n", "rebates_n", "rebates_outside_n", "rebate_age_h", "payer_new_cny",
    "payer_new_reach", "payee_first_started_at",
)  # fmt: skip


def deals_together(rows: list[Values]) -> Values:
    if not rows:
        return dict.fromkeys(DEALS_TOGETHER)
    paid, payers = [r for r in rows if r["thread_paid_n"]], [r for r in rows if not r["thread_paid_n"]]
    rebates = [r for r in paid if 0 < r["thread_back_cny"] < 3 * r["thread_paid_cny"]]
    amounts = [r["last_debit_cny"] for r in rows if r["last_debit_cny"] is not None]
    opened = sorted(paid, key=lambda r: (r["started_at"], r["payee"]))
    spent = sum(r["thread_paid_cny"] for r in rows)
    return {
        "named_payees_7d": sum(r["named"] for r in rows),
        "payee_max_cny": max(r["thread_paid_cny"] for r in rows),
        "payee_min_cny": min((r["thread_first_cny"] for r in paid), default=None),
        "payee_last_cny": amounts[-1] if amounts else None,
        "payee_first_cny": opened[0]["thread_first_cny"] if opened else None,
        "payee_back_n": sum(r["thread_back_n"] for r in paid),
        "payee_back_share": sum(r["thread_back_cny"] for r in paid) / spent if spent else None,
        "payee_outside_n": sum(r["outside"] for r in paid),
        "rebates_n": len(rebates),
        "rebates_outside_n": sum(r["outside"] for r in rebates),
        "rebate_age_h": min((r["silent_h"] for r in rebates if r["outside"]), default=None),
        "payer_new_cny": sum(r["thread_back_cny"] for r in payers),
        "payer_new_reach": max((r["payee_receivers_14d"] for r in payers), default=0),
        "payee_first_started_at": min((r["started_at"] for r in paid if r["outside"]), default=None),
    }


DEAL = (
    "thread_paid_cny", "thread_back_cny", "thread_paid_n", "thread_back_n", "thread_first_cny", "thread_age_h",
    "silent_h", "outside", "payee_payers_14d", "payee_receivers_14d", "payee_received_cny_14d", "payee_age_d",
    "named",
)  # fmt: skip


def lead_deal(rows: list[Values]) -> Values:
    """The latest new payee that was paid, one outside the district before any other."""
    paid = [r for r in rows if r["thread_paid_n"]]
    ranked = sorted(paid, key=lambda r: (not r["outside"], -r["known_at"].timestamp(), r["payee"]))
    found = {f"payee_{name.removeprefix('payee_')}": ranked[0][name] if ranked else None for name in DEAL}
    return {**found, "lead_payee": ranked[0]["payee"] if ranked else None}


def callers(strangers: list[Values], deals: list[Values]) -> Values:
    pairs = [
        (stranger["reputation"], stranger["thread_talk_s"], deal["started_at"] - stranger["started_at"])
        for deal in deals
        for stranger in strangers
        if deal["outside"]
        and deal["thread_paid_n"]
        and timedelta(0) <= deal["started_at"] - stranger["started_at"] <= timedelta(days=3)
    ]
    worst = max(pairs, key=lambda pair: (pair[0], -pair[2]), default=None)
    return {
        "payee_caller_reputation": worst[0] if worst else None,
        "payee_caller_talk_s": max((talk_s for _, talk_s, _ in pairs), default=None),
        "payee_caller_h": hours(worst[2]) if worst else None,
    }


def register(district: District, person: str) -> Values:
    today = district.at.date()
    numbers = [row["activated_on"] for row in district.numbers if row["person"] == person]
    accounts = [row["opened_on"] for row in district.accounts if row["person"] == person]

    def held(days: list[date]) -> int | None:
        return (today - min(days)).days if days else None

    return {
        "age_years": (today - district.born[person]).days / 365.25,
        "number_n": len(numbers),
        "account_n": len(accounts),
        "number_tenure_d": held(numbers),
        "account_tenure_d": held(accounts),
    }


def derived(values: Values) -> Values:
    last, first = values["payee_last_cny"], values["payee_first_cny"]
    paid_at, heard_at = values["payee_first_started_at"], values["lead_started_at"]
    return {
        "new_debit_to_habit": values["new_debit_cny_24h"] / (values["debit_cny_30d"] / 30 + 50),
        "payee_escalation": last / first if last is not None and first is not None else None,
        "stranger_talk_to_habit": values["stranger_talk_s_24h"] / (values["talk_s_30d"] / 30 + 60),
        "call_to_payee_h": hours(paid_at - heard_at) if paid_at and heard_at else None,
    }
