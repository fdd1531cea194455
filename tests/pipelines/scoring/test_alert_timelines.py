"""What an alert shows of a person's last days, on a district drawn by hand."""

from dataclasses import asdict
from datetime import timedelta

import polars as pl
import pytest

from features.event_index import build_event_index
from features.kernel.source_tables import SourceTables
from features.point_in_time import build_snapshot
from features.reputation import HAND_WRITTEN_REPUTATION
from models.policy.already_paid import PAID_COLUMN
from pipelines.scoring.alert_timelines import MAX_EVENTS, AlertTimeline, build_alert_timelines
from pipelines.scoring.score_history import select_history_scores
from serving.alerts import schemas
from serving.alerts.service import payments_out
from serving.vocabulary.alerts import TimelineEvent
from tests.features.districts import NOON, ago, call, credit, district, text, transfer


def story(
    tables: SourceTables, *, number: str | None = None, account: str | None = None
) -> AlertTimeline:
    """The story of p1 at noon, when the alert names ``number`` and ``account``."""
    event_index = build_event_index(tables.known_before(NOON))
    peers = dict(event_index.numbers.select("peer", "code").iter_rows())
    payees = dict(event_index.accounts.select("payee", "code").iter_rows())
    chosen = pl.DataFrame(
        {
            "person": ["p1"],
            "lead_peer_code": [peers.get(number)],
            "lead_payee_code": [payees.get(account)],
        },
        schema_overrides={"lead_peer_code": pl.UInt32, "lead_payee_code": pl.UInt32},
    )
    (told,) = build_alert_timelines(
        tables.known_before(NOON),
        event_index,
        chosen,
        reputation_model=HAND_WRITTEN_REPUTATION,
        at=NOON,
    )
    return told


def test_a_call_and_the_payment_after_it() -> None:
    tables = district(
        calls=[call("x1", ago(hours=2), duration_s=3000, peer_kind="virtual")],
        transfers=[transfer("s1", ago(hours=1), "20000.00")],
    )
    told = story(tables, number="x1", account="s1")
    assert [
        (event.channel, event.direction, event.peer, event.peer_kind) for event in told.events
    ] == [
        ("call", "in", "x1", "virtual"),
        ("transfer", "out", "s1", "outside"),
    ]
    heard, paid = told.events
    assert (heard.at, heard.duration_s) == (ago(hours=2), 3000)
    assert (heard.amount_cny, heard.reached) == (None, 1)
    assert (paid.at, paid.duration_s) == (ago(hours=1), None)
    assert (paid.amount_cny, paid.reached) == (20_000.0, 1)
    assert (heard.is_stranger, heard.first_seen) == (True, True)
    assert (paid.is_stranger, paid.first_seen) == (True, True)
    assert heard.reputation == pytest.approx(0.5, abs=0.01)
    assert told.first_contact_at == ago(hours=2)  # when the call began, not when it became known


def test_the_second_contact_is_not_first_seen_and_an_old_acquaintance_is_no_stranger() -> None:
    old = [call("friend", ago(days=20)), call("friend", ago(days=1))]
    told = story(district(calls=[*old, call("x1", ago(hours=5)), text("x1", ago(hours=4))]))
    assert [
        (event.peer, event.channel, event.is_stranger, event.first_seen) for event in told.events
    ] == [
        ("friend", "call", False, False),
        ("x1", "call", True, True),
        ("x1", "text", True, False),
    ]
    assert told.events[0].reputation is None
    assert told.first_contact_at is None


def test_what_is_not_known_yet_or_long_ago_is_not_shown() -> None:
    running = call("x1", ago(minutes=10), duration_s=1800)  # ends, and is known, after noon
    told = story(
        district(
            calls=[running, call("x1", ago(days=15))],
            transfers=[transfer("s1", ago(days=15), "5.00")],
        )
    )
    assert told.events == ()


def test_money_is_told_apart_by_whose_account_it_was() -> None:
    tables = district(
        transfers=[
            transfer("m1", ago(hours=4), "12.50"),
            transfer("a9", ago(hours=3), "100.00"),
            transfer("a2", ago(hours=2), "200.00"),
            credit("s1", ago(hours=1), "106.00"),
        ]
    )
    told = story(tables)
    assert [(event.peer_kind, event.direction, event.amount_cny) for event in told.events] == [
        ("merchant", "out", 12.5),
        ("own", "out", 100.0),
        ("resident", "out", 200.0),
        ("outside", "in", 106.0),
    ]
    assert [event.is_stranger for event in told.events] == [False, False, True, True]


def test_whom_else_the_suspects_dealt_with() -> None:
    tables = district(
        calls=[
            call("x1", ago(hours=3)),
            call("x1", ago(hours=2), number="n2"),
            text("x1", ago(days=3), number="n3"),
            call("x2", ago(hours=1), number="n3"),
        ],
        transfers=[
            transfer("s1", ago(hours=1), "9000.00"),
            transfer("s1", ago(days=1), "8000.00", account="a2"),
        ],
    )
    told = story(tables, number="x1", account="s1")
    assert [(one.key, one.person, one.community_id, one.channel) for one in told.touched] == [
        ("x1", "p2", "c", "call"),
        ("x1", "p3", "c", "text"),
        ("s1", "p2", "c", "transfer"),
    ]
    assert told.touched[0].last_at == ago(hours=2) + timedelta(minutes=1)
    assert told.first_contact_at == ago(hours=3)


def test_the_newest_events_are_kept() -> None:
    many = [text(f"x{number}", ago(minutes=number)) for number in range(1, MAX_EVENTS + 50)]
    told = story(district(calls=many))
    assert len(told.events) == MAX_EVENTS
    assert told.events[-1].at == ago(minutes=1)
    assert told.events[0].at == ago(minutes=MAX_EVENTS)


def test_somebody_without_records_has_an_empty_story() -> None:
    assert story(district(calls=[call("x1", ago(hours=1), number="n2")])) == AlertTimeline()


def test_an_event_says_what_it_is_of() -> None:
    fields = {"at": NOON, "direction": "in", "peer": "n", "peer_kind": "mobile", "reached": 0}
    with pytest.raises(ValueError, match="duration_s"):
        TimelineEvent(channel="call", **fields)
    with pytest.raises(ValueError, match="amount_cny"):
        TimelineEvent(channel="transfer", **fields)
    with pytest.raises(ValueError, match="zone"):
        TimelineEvent(channel="text", **(fields | {"at": NOON.replace(tzinfo=None)}))


def test_the_history_keeps_the_alerted_and_at_night_the_likely() -> None:
    rows = pl.DataFrame({"person": ["p1", "p2", "p3"], "score": [0.001, 0.4, 0.01]})
    assert select_history_scores(rows, alerted={"p1", "p9"}, nightly=False) == {"p1": 0.001}
    assert select_history_scores(rows, alerted={"p1"}, nightly=True) == {"p1": 0.001, "p2": 0.4}
    assert select_history_scores(rows, alerted=(), nightly=False) == {}


def test_the_payments_of_an_alert_add_up_to_what_was_already_paid() -> None:
    """The page lists them from the timeline, the amount is a feature: one rule, told twice."""
    tables = district(
        transfers=[
            transfer("s1", ago(days=6), "300.00"),
            transfer("s1", ago(hours=1), "20000.00"),
            transfer("s2", ago(hours=2), "5000.50"),
            transfer("s3", ago(days=8), "700.00"),  # more than 7 days ago
            credit("s2", ago(hours=1), "100.00"),
            transfer("m1", ago(hours=3), "80.00"),
            # Long ago, and known but lately; or of the last days, and known too late
            transfer("s4", ago(days=16), "900.00", known_at=ago(days=2)),
            transfer("s5", ago(hours=1), "400.00", known_at=NOON),
            # Bills and presents since: more than a timeline shows
            *(
                credit("s6", ago(minutes=number / 10), "1.00")
                for number in range(1, MAX_EVENTS + 2)
            ),
        ],
    )
    snapshot = build_snapshot(
        build_event_index(tables), pl.DataFrame({"person": ["p1"], "at": [NOON]})
    )
    told = [schemas.TimelineEvent(**asdict(event)) for event in story(tables, account="s1").events]
    shown = payments_out(told, until=NOON)
    assert [(event.peer, event.amount_cny) for event in shown] == [
        ("s1", 20_000.0),
        ("s2", 5_000.5),
        ("s1", 300.0),
        ("s4", 900.0),
    ]
    assert snapshot[PAID_COLUMN].to_list() == [26_200.5]
    assert len(told) == MAX_EVENTS + len(shown)


def test_what_was_stored_before_payments_were_marked_goes_by_their_time() -> None:
    tables = district(
        transfers=[transfer("s1", ago(days=6), "300.00"), transfer("s2", ago(days=8), "700.00")]
    )
    told = [
        schemas.TimelineEvent(**{**asdict(event), "just_paid": None})
        for event in story(tables).events
    ]
    assert [event.peer for event in payments_out(told, until=NOON)] == ["s1"]
