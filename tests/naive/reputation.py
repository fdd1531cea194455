"""How a number or an account behaves in the whole district, and how suspicious a stranger is."""

import math
from datetime import datetime, timedelta
from typing import Protocol

from tests.naive.relationships import District, Event, Values, events_of, events_since

DAY = timedelta(days=1)
KIND_CODES = {
    "international": 1, "virtual": 2, "service_95": 3, "service_96": 3, "service_400": 4,
    "service_106": 5,
    "landline": 6, "mobile": 7,
}  # fmt: skip


class NaiveReputation(Protocol):
    """How bad one number or account looks, from its state."""

    @staticmethod
    def number(state: Values) -> float: ...

    @staticmethod
    def payee(state: Values) -> float: ...


def talk_seconds(event: Event) -> int:
    return event.row["duration_s"]


def is_voice(event: Event) -> bool:
    return event.row["service"] == "voice"


def is_in(event: Event) -> bool:
    return event.row["direction"] == "in"


def is_answered(event: Event) -> bool:
    return is_voice(event) and talk_seconds(event) > 0


def is_debit(event: Event) -> bool:
    return event.row["direction"] == "debit"


def amount_cny(event: Event) -> float:
    return float(event.row["amount_cny"])


def age_days(events: list[Event], district: District) -> float | None:
    seen = events_since(events, district.at - 30 * DAY)
    return (district.at - seen[0].known_at) / DAY if seen else None


def is_own(event: Event) -> bool:
    return event.other_holder == event.person


def new_payee_payments_of(district: District, person: str) -> list[Event]:
    """Movements with private accounts of others that the person met less than 15 days before."""
    mine = events_of(district.moves, person)
    return [e for e in mine if e.is_young and not is_own(e) and e.row["payee_kind"] != "merchant"]


def number_state(district: District, number: str) -> Values:
    events = [event for event in district.contacts if event.other == number]
    recent = events_since(events, district.at - 14 * DAY)
    heard = [e for e in recent if is_answered(e) and is_in(e)]
    rang = [e for e in recent if is_voice(e) and is_in(e)]
    texts = [e for e in recent if not is_voice(e)]

    def reach(days: int) -> int:
        return sum(e.is_first for e in events_since(events, district.at - days * DAY))

    def share(part: list[Event], whole: list[Event]) -> float | None:
        return len(part) / len(whole) if whole else None

    return {
        "peer_reach_24h": reach(1),
        "peer_reach_3d": reach(3),
        "peer_reach_14d": reach(14),
        "peer_contacts_14d": len(recent),
        "peer_age_d": age_days(events, district),
        "peer_in_share": share([e for e in recent if is_in(e)], recent),
        "peer_sms_share": share(texts, recent),
        "peer_answer_share": share(heard, rang),
        "peer_hang_up_share": share([e for e in heard if talk_seconds(e) <= 25], heard),
        "peer_engaged_n": sum(is_answered(e) and talk_seconds(e) >= 120 for e in recent),
        "peer_long_n": sum(is_answered(e) and talk_seconds(e) >= 600 for e in recent),
        "peer_talk_mean_s": sum(map(talk_seconds, recent)) / max(1, len(recent) - len(texts)),
        "peer_followed_n": count_followed(district, number),
        "peer_kind_code": KIND_CODES.get(events[0].row["peer_kind"], 0),
        "peer_tagged": number in district.tagged,
    }


def count_followed(district: District, number: str) -> int:
    """Threads of residents with a stranger, soon after which they first paid an account outside the
    district.
    """
    paid_at: dict[Event, datetime] = {}
    for heard in (e for e in district.contacts if e.other == number and e.is_young):
        for paid in new_payee_payments_of(district, heard.person):
            first = paid.is_first and is_debit(paid) and paid.other_holder is None
            if first and timedelta(0) <= paid.known_at - heard.known_at <= DAY:
                relationship = heard.relationship[0]
                paid_at[relationship] = min(paid.known_at, paid_at.get(relationship, paid.known_at))
    return sum(moment >= district.at - 14 * DAY for moment in paid_at.values())


def account_state(district: District, account: str) -> Values:
    events = [e for e in district.moves if e.other == account and e.row["payee_kind"] != "merchant"]
    recent = events_since(events, district.at - 14 * DAY)
    return {
        "payee_payers_14d": sum(e.is_first and is_debit(e) for e in recent),
        "payee_receivers_14d": sum(e.is_first and not is_debit(e) for e in recent),
        "payee_received_cny_14d": sum(amount_cny(e) for e in recent if is_debit(e)),
        "payee_sent_cny_14d": sum(amount_cny(e) for e in recent if not is_debit(e)),
        "payee_debits_14d": sum(map(is_debit, recent)),
        "payee_large_14d": sum(is_debit(e) and amount_cny(e) >= 1000 for e in recent),
        "payee_age_d": age_days(events, district),
        "payee_outside": account not in district.local_accounts,
    }


def is_named(district: District, column: str, key: str) -> bool:
    return any(key in (case[column] or []) for case in district.cases)


class NaiveHandWrittenReputation:
    """Young, reaching out to many, and not called back; an account outside the district, young and
    paid by several.
    """

    @staticmethod
    def number(state: Values) -> float:
        youth = 1 - min(1.0, (state["peer_age_d"] or 0) / 20)
        reach = min(1.0, math.log2(1 + state["peer_reach_14d"]) / 2)
        return youth * reach * (0.5 if state["peer_in_share"] is None else state["peer_in_share"])

    @staticmethod
    def payee(state: Values) -> float:
        youth = 1 - min(1.0, (state["payee_age_d"] or 0) / 20)
        return (
            youth * min(1.0, math.log2(1 + state["payee_payers_14d"]) / 3) * state["payee_outside"]
        )


def suspicion_score(reputation: float, talk_s: float, *, named: bool) -> float:
    engaged = min(1.0, math.log2(1 + talk_s / 30) / 6)
    return (0.1 + 0.9 * reputation) * (0.35 + 0.65 * engaged) * (2 if named else 1)
