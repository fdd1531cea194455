"""Publishes alternately a list of 50 alerts with one score and one with another, until killed."""

import sys
from itertools import cycle

from serving.database.engine import engine_for
from serving.publishing import publish_watchlist
from tests.serving.published import a_watchlist, an_alert

PEOPLE = 50


def publish_forever(url: str) -> None:
    """Print a line for each list that stands."""
    engine = engine_for(url)
    for score in cycle((0.25, 0.75)):
        publish_watchlist(
            engine, a_watchlist(*(an_alert(f"p1_{n}", n + 1, score=score) for n in range(PEOPLE)))
        )
        print(score, flush=True)


if __name__ == "__main__":
    publish_forever(sys.argv[1])
