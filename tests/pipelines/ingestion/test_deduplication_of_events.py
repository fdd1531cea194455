"""Which events are new: drawn cases, and the same verdicts as a reading row by row."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingestion.deduplication import EVENT_IDENTITIES, classify_events
from pipelines.storage.lake_schemas import TABLES
from tests.examples import examples

NOON = datetime(2026, 8, 1, 4, tzinfo=UTC)
MIDNIGHT = datetime(2026, 7, 31, 16, tzinfo=UTC)  # in Shanghai
IDENTITY = EVENT_IDENTITIES["transfers"]
COLUMNS = ("record_id", "source", "account", "payee", "direction", "occurred_at", "amount_cny")


def frame(*rows, dataset="transfers"):
    """Rows as dictionaries, with the rest of the lake's columns."""
    kinds = {**TABLES[dataset], "_file": pl.String()}
    return pl.DataFrame(list(rows), schema=kinds)


def payment(record_id, *, file="a", minute=0, amount="100.00", **others):
    return {
        "record_id": record_id,
        "source": "icbc",
        "account": "a1",
        "payee": "p1",
        "direction": "debit",
        "occurred_at": NOON + timedelta(minutes=minute),
        "amount_cny": Decimal(amount),
        "channel": "mobile",
        "event_day": date(2026, 8, 1),
        "_file": file,
        **others,
    }


def call(record_id, *, file="a", duration_s=60, **others):
    return {
        "record_id": record_id,
        "source": "cmcc",
        "number": "n1",
        "peer": "n2",
        "direction": "in",
        "service": "voice",
        "started_at": NOON,
        "duration_s": duration_s,
        "event_day": date(2026, 8, 1),
        "_file": file,
        **others,
    }


def verdicts(*rows, known=(), dataset="transfers", wider_keys=None):
    found = classify_events(
        frame(*rows, dataset=dataset),
        known=frame(*known, dataset=dataset),
        identity=EVENT_IDENTITIES[dataset],
        wider_keys=wider_keys or {},
    )
    return found["result"].to_list()


def test_a_fee_shares_the_number_of_its_payment_and_two_cards_share_one():
    assert verdicts(
        payment("F1", amount="25.00"),
        payment("F1", amount="50000.00"),
        payment("F1", account="a2"),
        payment("F1", amount="25.00"),
    ) == ["accepted", "accepted", "accepted", "duplicate"]


def test_a_statement_that_counts_from_one_again_keeps_its_rows():
    known = [payment(str(number), minute=number, payee=f"p{number}") for number in range(4)]
    second = [
        payment(str(number), file="b", minute=number + 2, payee=f"p{number + 2}")
        for number in range(4)
    ]
    assert verdicts(*second, known=known) == ["duplicate", "duplicate", "accepted", "accepted"]


def test_a_record_with_another_amount_or_moment_in_another_file_is_a_conflict():
    known = [payment("1", amount="10000.00"), payment("2", minute=5)]
    again = [payment("1", file="b"), payment("2", file="b", minute=6)]
    assert verdicts(*again, known=known) == ["conflict", "conflict"]
    assert verdicts(*again, known=known, wider_keys={"icbc": ["amount_cny"]}) == [
        "accepted",
        "conflict",
    ]


def test_a_conflict_repeated_in_a_third_file_is_a_conflict_too():
    rows = [payment("1", file="b", amount="2.00"), payment("1", file="c", amount="2.00")]
    assert verdicts(*rows, known=[payment("1")]) == ["conflict", "conflict"]


def test_the_same_movement_under_another_number_counts_once_but_two_in_one_file_are_two():
    twins = [payment("1"), payment("2")]
    assert verdicts(*twins) == ["accepted", "accepted"]
    export = [payment("X8", file="b"), payment("X9", file="b"), payment("X10", file="b")]
    assert verdicts(*export, known=twins) == ["duplicate", "duplicate", "accepted"]


def test_a_record_that_came_before_is_the_duplicate_whatever_the_order_of_its_file():
    again = [payment("2", file="b"), payment("1", file="b")]
    assert verdicts(*again, known=[payment("1")]) == ["accepted", "duplicate"]


def test_a_day_without_time_tells_two_payments_apart_by_their_numbers():
    rows = [
        payment("2", file="b", occurred_at=MIDNIGHT),
        payment("1", file="b", occurred_at=MIDNIGHT),
    ]
    assert verdicts(*rows, known=[payment("1", occurred_at=MIDNIGHT)]) == ["accepted", "duplicate"]


def test_the_same_record_with_another_channel_is_a_conflict():
    again = payment("1", file="b", channel="atm")
    assert verdicts(again, known=[payment("1")]) == ["conflict"]
    assert verdicts(payment("9", file="b", channel="atm"), known=[payment("1")]) == ["duplicate"]


def test_a_call_from_two_operators_counts_once_and_names_the_first():
    rows = [call("1"), call("7", file="b", source="cucc"), call("8", file="b", peer="n3")]
    found = classify_events(
        frame(*rows, dataset="calls"),
        known=frame(dataset="calls"),
        identity=EVENT_IDENTITIES["calls"],
        wider_keys={},
    )
    assert found.rows() == [("accepted", None), ("duplicate", "cmcc"), ("accepted", None)]


def test_a_call_twice_in_one_file_with_another_duration_is_a_conflict():
    rows = [call("1"), call("1", duration_s=61), call("1", peer="n3")]
    assert verdicts(*rows, dataset="calls") == ["accepted", "conflict", "accepted"]


ROWS = st.lists(
    st.tuples(
        st.sampled_from("12"),  # record
        st.sampled_from(["icbc", "abc"]),
        st.integers(0, 2),  # minute
        st.sampled_from(["1.00", "2.00"]),
        st.sampled_from(["p1", None]),
    ),
    max_size=5,
)


@given(files=st.lists(ROWS, max_size=4))
@examples(60)
def test_files_one_by_one_or_together_give_the_same_lake(files):
    """Files in one batch bring the same movements as one after another, and as many of each."""
    rows = [
        [
            payment(
                record, file=str(name), source=source, minute=minute, amount=amount, payee=payee
            )
            for record, source, minute, amount, payee in file
        ]
        for name, file in enumerate(files)
    ]
    every = [row for file in rows for row in file]
    together = accepted(every, verdicts(*every))
    known = []
    for file in rows:
        known += accepted(file, verdicts(*file, known=known))
    assert happenings(together) == happenings(known)


def accepted(rows, found):
    return [row for row, verdict in zip(rows, found, strict=True) if verdict == "accepted"]


def happenings(rows):
    return Counter(tuple(row[name] for name in IDENTITY.happening) for row in rows)


@given(rows=ROWS)
@examples(40)
def test_a_file_that_comes_again_brings_nothing(rows):
    first = [
        payment(record, source=source, minute=minute, amount=amount, payee=payee)
        for record, source, minute, amount, payee in rows
    ]
    known = accepted(first, verdicts(*first))
    again = [row | {"_file": "b", "record_id": f"X{row['record_id']}"} for row in first]
    assert "accepted" not in verdicts(*(row | {"_file": "b"} for row in first), known=known)
    assert verdicts(*again, known=known).count("accepted") == 0
