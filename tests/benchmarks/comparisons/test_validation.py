from datetime import datetime, timedelta

import pytest

from pipelines.simulate.district import simulate
from tests.benchmarks.comparisons import validation
from tests.benchmarks.comparisons.call_batches import (
    FAULTS,
    build_batch,
    compared_contract,
    spoil_batch,
)
from tests.benchmarks.comparisons.validation import compare_validations
from tests.features.districts import SHANGHAI

RECEIVED_AT = datetime(2026, 6, 3, tzinfo=SHANGHAI)


@pytest.fixture(scope="module")
def landing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("district") / "landing"
    simulate(folder, people=100, days=1, seed=3)
    return folder


def test_three_rules_of_the_contract_are_not_compared() -> None:
    assert len(compared_contract().rules) == 15


def test_a_batch_has_the_rows_asked_for(landing) -> None:
    batch = build_batch(landing, rows=2_000)  # more than there are: they come again
    assert batch["_row"].to_list() == list(range(1, 2_001))


def test_every_hundredth_row_is_spoilt(landing) -> None:
    clean = build_batch(landing, rows=1_000)
    spoilt = spoil_batch(clean)
    changed = {
        row["_row"]
        for row, before in zip(spoilt.to_dicts(), clean.to_dicts(), strict=True)
        if row != before
    }
    assert changed == set(range(100, 1_001, 100))
    assert [spoilt[name].ne_missing(clean[name]).sum() for name in FAULTS] == [2] * len(FAULTS)


def test_all_find_the_same_bad_rows(landing) -> None:
    rows = compare_validations(landing, rows=1_000, received_at=RECEIVED_AT, runs=1)
    assert [(row.name, row.peer, row.rows) for row in rows] == [
        (f"validation of a batch, {scene}", peer, 1_000)
        for scene in ("clean", "1 % faulty")
        for peer in ("Great Expectations, pandas", "pandera, polars", "dataframely")
    ]
    assert [row.note for row in rows] == ["15 rules; the same 0 bad rows"] * 3 + [
        "15 rules; the same 10 bad rows"
    ] * 3


def test_other_bad_rows_are_noticed(landing, monkeypatch) -> None:
    monkeypatch.setattr(validation, "find_bad_rows", lambda *_, **__: {7})
    with pytest.raises(ValueError, match="finds 0 bad rows, we find 1"):
        compare_validations(landing, rows=100, received_at=RECEIVED_AT + timedelta(days=1), runs=1)
