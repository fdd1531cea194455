"""Which sources serve a person, and which of them are late."""

from datetime import timedelta

from features.entities.feeds import LateSource
from features.event_index import build_event_index
from tests.features.districts import NOON, ago, delivered_records


def test_late_sources_are_named_with_the_hour_since_which_they_are_silent() -> None:
    event_index = build_event_index(
        delivered_records(
            cmcc=timedelta(hours=2), icbc=timedelta(hours=36), boc=timedelta(hours=37)
        )
    )
    (code,) = event_index.people.filter(person="p1")["code"]

    assert list(event_index.call_feeds.late_sources(code, NOON)) == []
    assert list(event_index.transfer_feeds.late_sources(code, NOON)) == [
        LateSource("boc", ago(hours=36)),  # its last hour ended then
        LateSource("icbc", ago(hours=35)),
    ]


def test_a_source_that_never_delivered_is_not_named() -> None:
    """The register may call it by another name than its files do."""
    event_index = build_event_index(delivered_records(cmcc=timedelta(days=2)))

    assert event_index.call_feeds.delivering_sources == ("cmcc",)
    assert event_index.transfer_feeds.delivering_sources == ()
    assert [list(event_index.transfer_feeds.late_sources(code, NOON)) for code in range(3)] == [
        [],
        [],
        [],
    ]
    assert list(event_index.call_feeds.late_sources(0, ago(days=3))) == [LateSource("cmcc", None)]
