"""A reader sees the list before or the list after.

A publisher that is killed leaves one of the two.
"""

import random
import signal
import subprocess
import sys
import time

from sqlalchemy import Engine

from serving.alerts.watchlists.service import latest_day
from serving.database.engine import read_transaction
from serving.database.tables import WatchlistRow
from serving.publishing import publish_watchlist
from serving.vocabulary.roles import Role, Viewer
from tests.serving.published import a_watchlist, an_alert
from tests.serving.publisher import PEOPLE

ANALYST = Viewer(name="li", role=Role.ANALYST, communities=None)


def start(url: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.serving.publisher", url]
    publisher = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert publisher.stdout is not None
    publisher.stdout.readline()
    return publisher


def scores_seen(engine: Engine) -> list[float]:
    with read_transaction(engine) as session:
        return [alert.score for alert in latest_day(session, viewer=ANALYST).alerts]


def assert_whole(scores: list[float]) -> None:
    assert len(scores) == PEOPLE
    assert len(set(scores)) == 1


def test_a_reader_never_sees_half_a_list(url: str, engine: Engine) -> None:
    publisher = start(url)
    seen: set[float] = set()
    try:
        until = time.monotonic() + 20
        while len(seen) < 2 and time.monotonic() < until:
            scores = scores_seen(engine)
            assert_whole(scores)
            seen.update(scores)
    finally:
        publisher.kill()
        publisher.wait()
    assert seen == {0.25, 0.75}


def test_a_killed_publisher_leaves_a_whole_list(url: str, engine: Engine) -> None:
    rng = random.Random(3)
    for _ in range(3):
        publisher = start(url)
        time.sleep(rng.uniform(0, 0.2))
        publisher.send_signal(signal.SIGKILL)
        publisher.wait()
        assert_whole(scores_seen(engine))
        with read_transaction(engine) as session:
            assert (
                session.query(WatchlistRow).filter(WatchlistRow.superseded_at.is_(None)).count()
                == 1
            )
    publish_watchlist(engine, a_watchlist(an_alert("p1_a", 1, score=0.5)))  # no lock is left behind
    assert scores_seen(engine) == [0.5]
