"""A night and a tick at once alert nobody twice: who comes second decides with what the first has
published.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event, Thread

import pytest
from sqlalchemy import make_url

from pipelines.scoring.score import score
from pipelines.settings import Settings
from pipelines.storage.installation.databases import open_serving_database
from serving.alerts.watchlists.repository import WatchlistRepository
from serving.database.engine import engine_for, one_publisher, read_transaction
from tests.pipelines.conftest import copied
from tests.pipelines.district import TRAIN_AT
from tests.serving.conftest import POSTGRES_URL

NIGHT = TRAIN_AT + timedelta(days=1)
TICK = NIGHT + timedelta(minutes=15)
WAIT_S = 5


@pytest.fixture
def settings(own_trained, tmp_path_factory) -> Iterator[Settings]:
    found = copied(own_trained[0], tmp_path_factory)
    # The tick looks back as far as the night, so both would alert the same people.
    score(found, at=NIGHT - timedelta(hours=12), kind="intraday", budget=1)
    return found


def alerted(result) -> set[str]:
    return {alert.person for alert in result.alerts if not alert.realert}


def everybody(settings) -> list[str]:
    from pipelines.storage.lake import Lake

    return Lake(settings.lake_folder).scan("residents").collect()["person"].to_list()


def test_a_tick_that_comes_while_the_night_decides_waits_for_it(settings):
    with ThreadPoolExecutor(1) as pool:
        ticks, has_scored = [], Event()

        def note(text: str) -> None:
            if text.startswith("scoring"):
                has_scored.set()

        def start_tick(text: str) -> None:
            if text.startswith("explaining"):  # decided, not yet published
                people = everybody(settings)
                options = {"kind": "intraday", "people": people, "progress": note}
                ticks.append(pool.submit(score, settings, at=TICK, **options))
                has_scored.wait()
                with pytest.raises(TimeoutError):
                    ticks[0].result(timeout=WAIT_S)

        night = score(settings, at=NIGHT, progress=start_tick)
        tick = ticks[0].result()
    assert alerted(night)
    assert not alerted(night) & alerted(tick)


def test_a_night_published_after_the_tick_knows_the_alerts_of_the_tick(settings):
    tick = score(settings, at=TICK, kind="intraday", people=everybody(settings))
    night = score(settings, at=NIGHT)
    assert alerted(tick)
    assert not alerted(night) & alerted(tick)
    assert len(alerted(night) | alerted(tick)) <= 2 * settings.daily_budget
    assert score(settings, at=NIGHT) == night
    with read_transaction(open_serving_database(settings)) as session:
        current = WatchlistRepository(session).current(at=NIGHT, kind="nightly")
        assert current is not None
        assert current.revision == 1


@pytest.mark.postgres
@pytest.mark.skipif(POSTGRES_URL is None, reason="FORESTALL_TEST_POSTGRES_URL names no server")
def test_on_postgresql_the_second_publisher_waits_too():
    first, second = (engine_for(str(make_url(str(POSTGRES_URL)))) for _ in range(2))
    order = []

    def publish() -> None:
        with one_publisher(second):
            order.append("second")

    with one_publisher(first):
        waiting = Thread(target=publish)
        waiting.start()
        waiting.join(1)
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]
