"""How a number or an account stands in the whole district, and how suspicious a stranger is."""

import math
from datetime import timedelta

from tests.naive.threads import District, Event, since

DAY = timedelta(days=1)


def talk(event: Event) -> int:
    return event.row["duration_s"]


def is_voice(event: Event) -> bool:
    return event.row["service"] == "voice"


def is_in(event: Event) -> bool:
    return event.row["direction"] == "in"


def is_answered(event: Event) -> bool:
    return is_voice(event) and talk(event) > 0


def is_debit(event: Event) -> bool:
    return event.row["direction"] == "debit"


def cny(event: Event) -> float:
    return float(event.row["amount_cny"])


def age(events: list[Event], district: District) -> float | None:
    seen = since(events, district.at - 30 * DAY)
    return (district.at - seen[0].known_at) / DAY if seen else None


def peer(district: District, number: str) -> dict[str, float | None]:
    events = [event for event in district.contacts if event.other == number]
    recent = since(events, district.at - 14 * DAY)
    heard = [e for e in recent if is_answered(e) and is_in(e)]
    rang = [e for e in recent if is_voice(e) and is_in(e)]
    texts = [e for e in recent if not is_voice(e)]

    def reach(days: int) -> int:
        return sum(e.is_first for e in since(events, district.at - days * DAY))

    def share(part: list[Event], whole: list[Event]) -> float | None:
        return len(part) / len(whole) if whole else None

    return {
        "peer_reach_24h": reach(1),
        "peer_reach_3d": reach(3),
        "peer_reach_14d": reach(14),
        "peer_contacts_14d": len(recent),
        "peer_age_d": age(events, district),
        "peer_in_share": share([e for e in recent if is_in(e)], recent),
        "peer_sms_share": share(texts, recent),
        "peer_answer_share": share(heard, rang),
        "peer_hang_up_share": share([e for e in heard if talk(e) <= 25], heard),
        "peer_long_n": sum(is_answered(e) and talk(e) >= 600 for e in recent),
        "peer_talk_mean_s": sum(map(talk, recent)) / max(1, len(recent) - len(texts)),
    }


def payee(district: District, account: str) -> dict[str, float | None]:
    events = [e for e in district.moves if e.other == account and e.row["payee_kind"] != "merchant"]
    recent = since(events, district.at - 14 * DAY)
    return {
        "payee_payers_14d": sum(e.is_first and is_debit(e) for e in recent),
        "payee_receivers_14d": sum(e.is_first and not is_debit(e) for e in recent),
        "payee_received_cny_14d": sum(cny(e) for e in recent if is_debit(e)),
        "payee_age_d": age(events, district),
    }


def is_named(district: District, column: str, key: str) -> bool:
    return any(key in (case[column] or []) for case in district.cases)


def reputation(state: dict[str, float | None]) -> float:
    youth = 1 - min(1.0, (state["peer_age_d"] or 0) / 20)
    reach = min(1.0, math.log2(1 + (state["peer_reach_14d"] or 0)) / 5)
    in_share = state["peer_in_share"]
    return youth * reach * (0.5 if in_share is None else in_share)


def suspicion(standing: float, talk_s: float, *, named: bool) -> float:
    engaged = min(1.0, math.log2(1 + talk_s / 30) / 6)
    return (0.1 + 0.9 * standing) * (0.35 + 0.65 * engaged) * (2 if named else 1)
