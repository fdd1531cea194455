"""What may be published: lists, alerts and suspects for the serving tests.

Imports nothing heavy: a process that only publishes starts with this.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from serving.publishing import Alert, PublishedSuspect, Watchlist, alert_id_of
from serving.vocabulary.alerts import Contribution, Reason
from serving.vocabulary.times import SHANGHAI

MIDNIGHT = datetime(2026, 7, 5, tzinfo=SHANGHAI)
MORNING = MIDNIGHT + timedelta(hours=9)


def an_alert(person: str, rank: int, **changes: object) -> Alert:
    """Return a complete alert; ``changes`` replace its fields."""
    fields: dict[str, object] = {
        "person": person,
        "rank": rank,
        "issued_at": MIDNIGHT,
        "score": 0.8,
        "baseline_score": 0.4,
        "level": "red",
        "scam_type": "police",
        "community_id": "C01",
        "grid_id": "C01-G1",
        "at_stake_cny": 52_000.0,
        "reasons": (
            Reason(
                code="long_call",
                zh="陌生来电最长 84 分钟",
                en="A stranger spoke for 84 min",
                contribution=1.9,
            ),
        ),
        "contributions": (
            Contribution(
                feature="call_max_s_72h",
                value=5040.0,
                contribution=1.9,
                zh="最长陌生通话 84 分钟",
                en="Longest stranger call 84 minutes",
            ),
            Contribution(
                feature="tenure_days",
                value=None,
                contribution=-0.2,
                zh="开户时长：未知",
                en="Account tenure: unknown",
            ),
        ),
        "base_value": -4.0,
        "age_band": "60+",
        "missing": ("transfers",),
        "suspect_numbers": ("n1_aa",),
        "suspect_accounts": ("a1_bb",),
    }
    return Alert(**(fields | changes))  # type: ignore[arg-type]


def a_watchlist(*alerts: Alert, **changes: object) -> Watchlist:
    """Return a nightly list of ``alerts``; ``changes`` replace its fields."""
    fields: dict[str, object] = {
        "at": MIDNIGHT,
        "kind": "nightly",
        "model_version": "3",
        "model_digest": "sha256:aa",
        "data_version": "calls@7",
        "contract_version": "1.0.0",
        "budget": 8,
        "residents_scored": 1500,
        "alerts": alerts,
    }
    return Watchlist(**(fields | changes))  # type: ignore[arg-type]


def a_suspect(key: str, **changes: object) -> PublishedSuspect:
    """Return a complete suspect, an account if its key is one; ``changes`` replace its fields."""
    is_number = key.startswith("n")
    fields: dict[str, object] = {
        "kind": "number" if is_number else "account",
        "key": key,
        "score": 0.9,
        "peer_kind": "virtual" if is_number else "icbc",
        "first_seen_at": MIDNIGHT - timedelta(days=3),
        "residents_reached": 41,
        "residents_7d": 38,
        "alerts": 2,
        "named_in_case": False,
        "facts": {"answer_share": 0.314, "talk_mean_s": 150.0}
        if is_number
        else {"received_cny_14d": 52_000.0},
    }
    return PublishedSuspect(**(fields | changes))  # type: ignore[arg-type]


NIGHTLY = a_watchlist(
    an_alert("p1_a", 1),
    an_alert("p1_b", 2, score=0.6, level="orange", age_band="30-39", scam_type="brushing"),
    an_alert(
        "p1_c", 3, score=0.3, level="yellow", age_band="30-39", community_id="C02", grid_id="C02-G1"
    ),
    an_alert("p1_d", 4, score=0.1, level="blue", age_band="18-29"),
)
ID_A, ID_B, ID_C, ID_D = (
    alert_id_of(at=MIDNIGHT, kind="nightly", person=alert.person) for alert in NIGHTLY.alerts
)


def a_tick(*alerts: Alert, minutes: int) -> Watchlist:
    """Return the intraday list some minutes after midnight."""
    at = MIDNIGHT + timedelta(minutes=minutes)
    return a_watchlist(*(replace(alert, issued_at=at) for alert in alerts), at=at, kind="intraday")
