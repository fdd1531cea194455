"""Numbers and accounts are looked at piece by piece: the pieces change nothing."""

import pytest

from features.event_index import build_event_index
from features.reputation import HAND_WRITTEN_REPUTATION
from features.whom_to_ask import query_points_for_everyone
from pipelines.scoring import suspects
from pipelines.scoring.suspects import list_suspects
from pipelines.storage.as_of import source_tables_before
from pipelines.storage.event_store.parts import segments
from pipelines.storage.event_store.store import EventStore
from pipelines.storage.lake import Lake
from serving.feedback import RecentAlert
from tests.pipelines.district import TRAIN_AT

BAD = 0.1  # of so few residents few accounts look worse


@pytest.fixture(scope="module", autouse=True)
def many_suspects():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suspects, "BAD_REPUTATION", BAD)
        yield


@pytest.fixture(scope="module")
def event_index(district):
    return build_event_index(source_tables_before(district, at=TRAIN_AT))


@pytest.fixture(scope="module")
def alerts(event_index) -> list[RecentAlert]:
    """An alert on every second resident."""
    return [
        RecentAlert(
            person=person,
            issued_at=TRAIN_AT,
            at=TRAIN_AT,
            kind="nightly",
            level="red",
            score=0.7,
            repeat=False,
            at_stake_cny=None,
            status="open",
            snoozed_until=None,
        )
        for person in query_points_for_everyone(event_index, at=TRAIN_AT)["person"][::2]
    ]


@pytest.fixture(scope="module")
def whole(event_index, alerts):
    return list_suspects(event_index, HAND_WRITTEN_REPUTATION, at=TRAIN_AT, alerts=alerts)


@pytest.mark.parametrize("most", [3, 200])
def test_pieces_change_nothing(event_index, alerts, whole, most, monkeypatch):
    monkeypatch.setattr(suspects, "PIECE", 97)
    monkeypatch.setattr(suspects, "MAX_SUSPECTS", most)
    pieces = list_suspects(event_index, HAND_WRITTEN_REPUTATION, at=TRAIN_AT, alerts=alerts)
    kinds = {kind: [one for one in whole if one.kind == kind] for kind in ("number", "account")}
    assert all(len(found) > 3 for found in kinds.values())
    assert pieces == [*kinds["number"][:most], *kinds["account"][:most]]


def test_the_store_gives_the_same(district, alerts, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(segments, "TOTALLED_FROM", 1)
    monkeypatch.setattr(suspects, "PIECE", 501)
    store = EventStore(tmp_path / "store", Lake(district.lake_folder))
    store.bring_forward()
    stored = store.open(at=TRAIN_AT)
    assert list_suspects(stored, HAND_WRITTEN_REPUTATION, at=TRAIN_AT, alerts=alerts) == whole


def test_the_worst_come_first_with_those_alerted_who_dealt_with_them(whole):
    for kind in ("number", "account"):
        found = [one for one in whole if one.kind == kind]
        order = [(-one.score, one.key) for one in found]
        assert order == sorted(order)
        assert all(one.score > BAD for one in found)
        assert all(0 <= one.residents_7d <= one.residents_reached for one in found)
        assert any(one.alerts > 0 for one in found)
