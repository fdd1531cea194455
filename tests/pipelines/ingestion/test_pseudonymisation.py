"""Rows of a contract become rows of the lake: hand-drawn values, and keys that agree with what
people type.
"""

from datetime import datetime, timedelta

import polars as pl
import pytest

from data_contracts.pseudonyms import Pseudonymiser
from pipelines.ingestion.pseudonymisation import (
    RowPseudonymiser,
    pseudonymise_identifier,
)
from tests.pipelines.landing import SHANGHAI, id_number

PSEUDONYMISER = Pseudonymiser(bytes(range(32)), version=1)
MORNING = datetime(2026, 8, 1, 23, 59, tzinfo=SHANGHAI)


def described(*, delivered_at, delay=timedelta()):
    files = {
        "_file": ["f"],
        "source": ["cmcc"],
        "file_id": ["1"],
        "delivered_at": [delivered_at],
        "delay": [delay],
    }
    return pl.DataFrame(files).cast(
        {"delivered_at": pl.Datetime("us", "Asia/Shanghai"), "delay": pl.Duration("us")}
    )


def lake_row(*, peer_number="008521234567", duration_s=120, **file):
    row = {
        "record_id": "C1",
        "msisdn": "13800000001",
        "peer_number": peer_number,
        "direction": "in",
        "service": "voice",
        "started_at": MORNING,
        "duration_s": duration_s,
        "_file": "f",
        "_row": 7,
    }
    rows = pl.DataFrame([row]).cast({"started_at": pl.Datetime("us", "Asia/Shanghai")})
    return (
        RowPseudonymiser(PSEUDONYMISER)
        .to_lake_rows("calls", rows, files=described(**file))
        .row(0, named=True)
    )


def test_a_call_before_midnight_belongs_to_its_first_day_and_is_known_after_it():
    row = lake_row(delivered_at=datetime(2026, 8, 1, tzinfo=SHANGHAI))
    assert str(row["event_day"]) == "2026-08-01"
    assert row["known_at"] == datetime(2026, 8, 2, 0, 1, tzinfo=SHANGHAI)
    assert (row["peer_kind"], row["peer_area"]) == ("international", "00852")
    assert (row["source"], row["file_id"], row["_file"], row["_row"]) == ("cmcc", "1", "f", 7)


@pytest.mark.parametrize(
    ("delivered", "delay", "known"),
    [((0, 0), 15, (2, 0, 16)), ((0, 0), 0, (2, 0, 1)), ((2, 30), 15, (2, 2, 30))],
)
def test_known_at_is_the_later_of_the_delay_and_the_file(delivered, delay, known):
    row = lake_row(
        delivered_at=datetime(2026, 8, 2, *delivered, tzinfo=SHANGHAI),
        delay=timedelta(minutes=delay),
    )
    day, hour, minute = known
    assert row["known_at"] == datetime(2026, 8, day, hour, minute, tzinfo=SHANGHAI)


@pytest.mark.parametrize("typed", ["13800000001", "+86 138-0000-0001", "008613800000001"])
def test_a_typed_number_finds_the_key_of_the_lake(typed):
    row = lake_row(delivered_at=MORNING)
    assert (
        pseudonymise_identifier(typed, kind="number", pseudonymiser=PSEUDONYMISER) == row["number"]
    )


def test_both_forms_of_an_id_number_find_the_same_person():
    new = id_number(3)
    old = new[:6] + new[8:17]
    keys = {
        pseudonymise_identifier(typed, kind="person", pseudonymiser=PSEUDONYMISER)
        for typed in (new, old, f" {new} ")
    }
    assert len(keys) == 1


def test_keys_of_different_kinds_never_meet():
    assert (
        pseudonymise_identifier("6200000000000001", kind="account", pseudonymiser=PSEUDONYMISER)[3:]
        != pseudonymise_identifier("6200000000000001", kind="number", pseudonymiser=PSEUDONYMISER)[
            3:
        ]
    )
