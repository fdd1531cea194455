"""How long the sources of a person have been silent, drawn and counted by hand."""

from datetime import datetime, timedelta

import pytest

from features.event_index import build_event_index
from features.kernel.source_tables import SourceTables
from features.point_in_time import build_snapshot
from tests.features.districts import NOON, ago, call, delivered_records, district, moments

FEEDS = ("calls_feed_silent_h", "transfers_feed_silent_h", "feeds_missing_n")


def feed_values(
    tables: SourceTables, person: str, at: datetime = NOON
) -> tuple[float | None, float | None, int]:
    (row,) = build_snapshot(build_event_index(tables), moments((person, at))).select(FEEDS).rows()
    return row


def test_a_person_is_as_blind_as_the_quietest_of_their_sources() -> None:
    tables = delivered_records(
        cmcc=timedelta(hours=2),
        cucc=timedelta(hours=40),
        icbc=timedelta(hours=1),
        boc=timedelta(hours=50),
    )

    assert feed_values(tables, "p1") == (2.0, 50.0, 1)  # cmcc; icbc and boc
    assert feed_values(tables, "p2") == (2.0, 50.0, 1)  # cmcc; boc
    assert feed_values(tables, "p3") == (40.0, None, 1)  # cucc; no account


def test_silence_is_counted_up_to_a_week_and_a_source_unheard_of_counts_as_that() -> None:
    tables = delivered_records(cmcc=timedelta(days=9), icbc=timedelta(days=6))

    assert feed_values(tables, "p1") == (168.0, 168.0, 3)  # boc delivered nothing
    assert feed_values(tables, "p3") == (168.0, None, 1)


def test_a_nightly_delivery_may_be_six_hours_late() -> None:
    edge = {"icbc": timedelta(hours=1), "boc": timedelta(hours=1)}

    assert feed_values(delivered_records(cmcc=timedelta(hours=30), **edge), "p1") == (30.0, 1.0, 0)
    assert feed_values(delivered_records(cmcc=timedelta(hours=31), **edge), "p1") == (31.0, 1.0, 1)


def test_what_is_known_at_the_moment_itself_does_not_count_yet() -> None:
    tables = delivered_records(cmcc=timedelta(0))

    assert feed_values(tables, "p1")[0] == 168.0
    assert feed_values(tables, "p1", NOON + timedelta(minutes=30))[0] == 0.5


def test_silence_begins_with_the_first_delivery_of_the_last_hour_with_any() -> None:
    tables = district(
        calls=[call("x1", ago(minutes=minute), duration_s=0) for minute in (130, 110, 65)]
    )

    assert feed_values(tables, "p1")[0] == pytest.approx(
        110 / 60
    )  # 10:10 of 09:50, 10:10 and 10:55
