"""Events kept on disk until their day: the same ones, in the same order."""

from pathlib import Path

import numpy as np
import pytest

from pipelines.simulate.events import columns, day_store
from pipelines.simulate.events.columns import DAY_S, CallEvents, Journal, PaymentEvents
from pipelines.simulate.events.day_store import DayStore


def _calls(*rows: tuple[int, bool, int]) -> CallEvents:
    """Calls of a caller, whether a text, at a second; they last as long as the caller's number."""
    caller = np.array([who for who, _, _ in rows])
    text = np.array([text for _, text, _ in rows])
    at = np.array([at for _, _, at in rows])
    return CallEvents(caller, caller + 100, text, at, caller.copy(), ~text)


@pytest.mark.parametrize("page", [1, 3, 1000])
def test_a_day_has_its_events_in_order_of_time(
    tmp_path: Path, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day_store, "PAGE", page)
    store = DayStore(tmp_path / "calls", CallEvents, days=2)
    store.add(_calls((1, False, 50), (2, True, DAY_S + 7), (3, False, 20)))
    store.add(_calls((4, False, 2 * DAY_S), (5, False, -1)))  # on no day of these
    store.add(_calls((6, True, 20), (7, False, DAY_S)))
    first, second = store.take(0), store.take(1)
    assert first.caller.tolist() == [3, 6, 1]  # of one second as they were added
    assert first.at.tolist() == [20, 20, 50]
    assert first.text.tolist() == [False, True, False]
    assert first.text.dtype == first.scripted.dtype == np.dtype(bool)
    assert first.callee.tolist() == [103, 106, 101]
    assert second.caller.tolist() == [7, 2]
    assert second.duration_s.tolist() == [7, 2]
    # What was taken is kept no longer.
    assert list((tmp_path / "calls").iterdir()) == []
    assert len(store.take(0)) == 0


def test_a_full_journal_is_emptied(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(columns, "FULL", 2)
    store = DayStore(tmp_path / "payments", PaymentEvents, days=1)
    emptied = []

    def empty(journal: Journal) -> None:
        emptied.append((len(journal.calls()), len(journal.payments())))
        store.add(journal.payments())
        journal.clear()

    journal = Journal(np.random.default_rng(1), full=empty)
    journal.pay(1, 2, at=10, amount_cny=100)
    journal.call(1, 2, at=10, duration_s=5)
    journal.text(1, 2, at=11)
    journal.pay(3, 4, at=5, amount_cny=200)
    journal.pay(5, 6, at=7, amount_cny=300)
    assert emptied == [(2, 1), (0, 2)]
    assert len(journal.payments()) == 0
    assert store.take(0).payer.tolist() == [3, 5, 1]
