"""Fresh scores: one at a time, audited."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine

from serving.app import create_app
from serving.context.ports import Rescore
from serving.context.settings import ServingSettings
from tests.serving.conftest import Client, a_client, audited, rescore_one
from tests.serving.published import MORNING

URL = "/api/v1/people/p1_a/rescore"


def test_anonymous_scores_nobody(client: Client, engine: Engine) -> None:
    assert client.post(URL).status_code == 401
    assert audited(engine, "rescore") == []


def test_a_fresh_score_explains_itself(client: Client, engine: Engine) -> None:
    fresh = client.post(URL, headers=client.as_("analyst")).json()
    assert (fresh["person"], fresh["score"], fresh["level"]) == ("p1_a", 0.41, "orange")
    assert fresh["at"] == "2026-07-05T09:00:00+08:00"
    assert fresh["reasons"][0]["en"] == "A stranger spoke for 84 min"
    assert len(fresh["contributions"]) == 2
    assert audited(engine, "rescore") == [("analyst-1", "p1_a")]


def test_an_unknown_person_is_a_problem(client: Client) -> None:
    answer = client.post("/api/v1/people/p1_zz/rescore", headers=client.as_("analyst"))
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "Nobody is known under this pseudonym.",
    )


def test_a_raw_identifier_is_no_person_and_is_not_repeated(client: Client) -> None:
    answer = client.post("/api/v1/people/11010119800101001X/rescore", headers=client.as_("analyst"))
    assert answer.status_code == 422
    assert "detail" in answer.json()
    assert "11010119800101001X" not in answer.text.replace(answer.json()["instance"], "")


def test_without_a_model_nobody_is_scored(settings: ServingSettings, engine: Engine) -> None:
    client = a_client(create_app(settings=settings, clock=lambda: MORNING), engine)
    assert client.post(URL, headers=client.as_("analyst")).status_code == 503


def test_people_are_scored_one_at_a_time(settings: ServingSettings, engine: Engine) -> None:
    running, most = 0, 0
    guard = threading.Lock()

    def slow(person: str, /) -> Rescore | None:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with guard:
            running -= 1
        return rescore_one(person)

    client = a_client(create_app(settings=settings, rescorer=slow, clock=lambda: MORNING), engine)
    with ThreadPoolExecutor(4) as threads:
        statuses = list(
            threads.map(
                lambda _: client.post(URL, headers=client.as_("analyst")).status_code, range(4)
            )
        )
    assert statuses == [200, 200, 200, 200]
    assert most == 1
