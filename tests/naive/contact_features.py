"""The strangers of one person's last week, by looping over their relationships."""

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
    is_answered,
    is_in,
    is_named,
    is_voice,
    number_state,
    suspicion_score,
    talk_seconds,
)


def stranger_rows(
    district: District, person: str, naive_reputation: NaiveReputation
) -> list[Values]:
    """One for each stranger heard of in seven days."""
    last = latest_of_each(events_of(district.contacts, person))
    week = events_since(last, district.at - timedelta(days=7))
    recent = [e for e in week if e.is_young and e.counts]
    return [stranger_row(district, event, naive_reputation) for event in recent]


def stranger_row(district: District, event: Event, naive_reputation: NaiveReputation) -> Values:
    state = number_state(district, event.other)
    named = is_named(district, "suspect_numbers", event.other)
    talk_s, reputation = sum(map(talk_seconds, event.relationship)), naive_reputation.number(state)
    return {
        **state,
        "peer": event.other,
        "known_at": event.known_at,
        "started_at": event.started_at,
        "kind": state["peer_kind_code"],
        "named": named,
        "tagged": state["peer_tagged"],
        "relationship_n": len(event.relationship),
        "relationship_talk_s": talk_s,
        "relationship_max_talk_s": max(map(talk_seconds, event.relationship)),
        "relationship_sms_n": sum(not is_voice(e) for e in event.relationship),
        "relationship_answered_n": sum(map(is_answered, event.relationship)),
        "relationship_call_back_n": sum(not is_in(e) for e in event.relationship),
        "relationship_age_h": to_hours(district.at - event.started_at),
        "silent_h": to_hours(district.at - event.known_at),
        "reputation": reputation,
        "suspicion": suspicion_score(reputation, talk_s, named=named),
    }


WEEK_SUMS = (
    "suspicion_sum", "reputation_max_24h", "reputation_new_48h", "bad_reputation_peers_24h",
    "bad_reputation_peers_7d", "bad_reputation_talk_s", "bad_reputation_talk_48h_s",
    "bad_reputation_sms", "bad_reputation_calls_back", "named_peers_7d", "named_talk_s",
    "stranger_max_talk_s", "stranger_max_talk_24h_s", "stranger_max_calls",
    "stranger_max_reach_24h", "bad_reputation_long_24h", "bad_reputation_talk_24h_s",
    "bad_reputation_span_h", "followed_max", "followed_share_max", "returning_reputation",
    "returning_n", "text_talk_reputation", "text_talk_s", "relay_6h",
)  # fmt: skip


def week_sums(rows: list[Values]) -> Values:
    if not rows:
        return dict.fromkeys(WEEK_SUMS)
    today, fresh = (
        [r for r in rows if r["silent_h"] < 24],
        [r for r in rows if r["relationship_age_h"] < 48],
    )
    named, long = (
        [r for r in rows if r["named"]],
        [r for r in rows if r["relationship_max_talk_s"] >= 600],
    )
    return {
        "suspicion_sum": sum(r["suspicion"] for r in rows),
        "reputation_max_24h": max((r["reputation"] for r in today), default=None),
        "reputation_new_48h": max((r["reputation"] for r in fresh), default=None),
        "named_peers_7d": len(named),
        "named_talk_s": sum(r["relationship_talk_s"] for r in named),
        "relay_6h": sum(r["silent_h"] < 6 for r in long),
        "stranger_max_talk_s": max(r["relationship_max_talk_s"] for r in rows),
        "stranger_max_talk_24h_s": max((r["relationship_max_talk_s"] for r in today), default=0),
        "stranger_max_calls": max(r["relationship_answered_n"] for r in rows),
        "stranger_max_reach_24h": max(
            (r["peer_reach_24h"] for r in rows if r["peer_age_d"] < 15), default=0
        ),
        **bad_reputation_sums([r for r in rows if r["reputation"] > 0.5], today=today, fresh=fresh),
        **returning_numbers(rows),
        **paid_after_contact([r for r in today if r["peer_age_d"] < 20]),
    }


def bad_reputation_sums(bad: list[Values], *, today: list[Values], fresh: list[Values]) -> Values:
    span = (
        max(r["relationship_age_h"] for r in bad) - min(r["silent_h"] for r in bad) if bad else None
    )
    return {
        "bad_reputation_peers_24h": sum(r in today for r in bad),
        "bad_reputation_peers_7d": len(bad),
        "bad_reputation_long_24h": sum(
            r in today and r["relationship_max_talk_s"] >= 600 for r in bad
        ),
        "bad_reputation_talk_s": sum(r["relationship_talk_s"] for r in bad),
        "bad_reputation_talk_24h_s": sum(
            r["relationship_talk_s"] for r in bad if r["relationship_age_h"] < 24
        ),
        "bad_reputation_talk_48h_s": sum(r["relationship_talk_s"] for r in bad if r in fresh),
        "bad_reputation_span_h": span,
        "bad_reputation_sms": sum(r["relationship_sms_n"] for r in bad),
        "bad_reputation_calls_back": sum(r["relationship_call_back_n"] for r in bad),
    }


def returning_numbers(rows: list[Values]) -> Values:
    again = [
        r
        for r in rows
        if r["relationship_answered_n"] >= 2
        and 6 <= r["relationship_age_h"] <= 72
        and r["silent_h"] < 6
    ]
    texted = [r for r in rows if r["relationship_answered_n"] and r["relationship_sms_n"]]
    return {
        "returning_reputation": max((r["reputation"] for r in again), default=None),
        "returning_n": sum(r["reputation"] > 0.5 for r in again),
        "text_talk_reputation": max((r["reputation"] for r in texted), default=None),
        "text_talk_s": max(
            (r["relationship_talk_s"] for r in texted if r["reputation"] > 0.5), default=0
        ),
    }


def paid_after_contact(rows: list[Values]) -> Values:
    """Of young numbers heard of within a day."""
    return {
        "followed_max": max((r["peer_followed_n"] for r in rows), default=None),
        "followed_share_max": max(
            (r["peer_followed_n"] / (r["peer_reach_14d"] + 5) for r in rows), default=None
        ),
    }


LEAD = (
    "suspicion", "reputation", "relationship_n", "relationship_talk_s",
    "relationship_max_talk_s", "relationship_sms_n", "relationship_answered_n",
    "relationship_call_back_n", "relationship_age_h", "silent_h", "peer_reach_24h",
    "peer_reach_3d", "peer_reach_14d", "peer_contacts_14d", "peer_age_d", "peer_in_share",
    "peer_sms_share", "peer_answer_share", "peer_hang_up_share", "peer_engaged_n",
    "peer_followed_n", "peer_long_n", "peer_talk_mean_s", "kind", "named", "tagged",
    "started_at", "peer",
)  # fmt: skip


def lead_number(rows: list[Values]) -> Values:
    """The most suspicious stranger; of several the one heard of last."""
    ranked = sorted(rows, key=lambda r: (-r["suspicion"], -r["known_at"].timestamp(), r["peer"]))
    return {f"lead_{name}": ranked[0][name] if ranked else None for name in LEAD}
