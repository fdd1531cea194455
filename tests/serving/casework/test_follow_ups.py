"""Follow-ups: planned by what was found, due on their day, done or moved once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import Response
from sqlalchemy import Engine

from serving.app import create_app
from serving.context.settings import ServingSettings
from tests.serving.casework.test_dispositions import decide
from tests.serving.conftest import Client, OpenVault, audited
from tests.serving.published import ID_A, ID_B, ID_C, MORNING

URL = "/api/v1/follow-ups"


def due(
    client: Client, until: str = "2027-01-01", *, role: str = "analyst", **more: Any
) -> list[dict[str, Any]]:
    found = client.get(URL, params={"due_by": until, **more}, headers=client.as_(role))
    assert found.status_code == 200
    return list(found.json()["items"])


def days_of(client: Client) -> list[str]:
    return [one["due_on"][5:] for one in due(client)]


def change(
    client: Client, follow_up: dict[str, Any], verb: str, *, role: str = "analyst", **body: str
) -> Response:
    headers = client.as_(role) | {"If-Match": f'"{follow_up["version"]}"'}
    return client.post(f"{URL}/{follow_up['id']}/{verb}", json=body, headers=headers)


def test_nobody_else_sees_or_changes_them(client: Client) -> None:
    decide(client, ID_C, "stopped", 0)
    (first, *_) = due(client)
    for headers, status in (({}, 401), (client.as_("engineer"), 403)):
        assert client.get(URL, headers=headers).status_code == status
        assert client.get(f"{URL}/{first['id']}", headers=headers).status_code == status
        for verb in ("done", "move"):
            assert (
                client.post(f"{URL}/{first['id']}/{verb}", json={}, headers=headers).status_code
                == status
            )
    assert due(client, role="officer") == []  # it is another community's
    assert client.get(f"{URL}/{first['id']}", headers=client.as_("officer")).status_code == 404
    assert change(client, first, "done", role="officer", outcome="safe").status_code == 404


def test_a_stopped_fraud_is_asked_about_after_1_3_and_7_days(client: Client) -> None:
    decide(client, ID_A, "stopped", 0)
    assert days_of(client) == ["07-06", "07-08", "07-12"]
    assert due(client, "2026-07-05") == []
    (first,) = due(client, "2026-07-06", role="officer")
    assert (first["alert_id"], first["level"], first["scam_type"], first["planned_by"]) == (
        ID_A,
        "red",
        "police",
        "analyst-1",
    )


@pytest.mark.parametrize(
    ("result", "days"),
    [
        ("contact_no_payment", ["07-06", "07-08", "07-12"]),
        ("already_paid", ["07-06", "07-08", "07-12"]),
        ("refused", ["07-06", "07-08", "07-12"]),
        ("lawful", []),
        ("wrong_person", []),
        ("in_progress", []),
        ("not_found_yet", []),
    ],
)
def test_what_was_found_decides_whether_somebody_asks_again(
    client: Client, result: str, days: list[str]
) -> None:
    decide(client, ID_A, result, 0)
    assert days_of(client) == days


def test_days_count_from_when_it_was_found(client: Client) -> None:
    decide(client, ID_A, "stopped", 0, found_at="2026-07-03T23:00:00+08:00")
    assert days_of(client) == ["07-04", "07-06", "07-10"]


def test_days_can_be_named_and_named_anew(client: Client) -> None:
    decide(client, ID_A, "stopped", 0, follow_up_days=[2, 5, 2])
    assert days_of(client) == ["07-07", "07-10"]
    decide(client, ID_A, "stopped", 1)  # what is planned stays
    assert days_of(client) == ["07-07", "07-10"]
    decide(client, ID_A, "stopped", 2, follow_up_days=[1])
    assert days_of(client) == ["07-06"]
    decide(client, ID_A, "lawful", 3)  # nothing to ask any more
    assert days_of(client) == []


def test_an_installation_sets_the_usual_days(engine: Engine, client: Client, url: str) -> None:
    settings = ServingSettings(database_url=url, follow_up_days={"police": (2, 4)})
    other = client_of(
        create_app(settings=settings, vault=OpenVault(), clock=lambda: MORNING), client
    )
    decide(other, ID_A, "stopped", 0)
    decide(other, ID_B, "stopped", 0)  # brushing: as its talk script has it
    assert days_of(other) == ["07-06", "07-07", "07-08", "07-09", "07-12"]


def client_of(app: FastAPI, client: Client) -> Client:
    """Return a client of another application with the same users."""
    other = Client(app, base_url="http://testserver", follow_redirects=False)
    other.tokens = client.tokens
    return other


def test_one_is_done_with_what_was_found(client: Client, engine: Engine) -> None:
    decide(client, ID_A, "stopped", 0)
    first, second, _ = due(client)
    read = client.get(f"{URL}/{first['id']}", headers=client.as_("officer"))
    assert read.headers["etag"] == f'"{first["version"]}"'
    done = change(client, first, "done", role="officer", outcome="safe", note="一切正常")
    assert (done.status_code, done.headers["etag"]) == (200, '"2"')
    assert (done.json()["outcome"], done.json()["closed_by"]) == ("safe", "officer-1")
    assert due(client)[0]["id"] == second["id"]
    again = change(client, done.json(), "done", outcome="paid")
    assert (again.status_code, again.json()["detail"]) == (409, "This follow-up is closed.")
    assert audited(engine, "follow-up") == [("officer-1", ID_A)]


def test_one_is_moved_to_another_day(client: Client) -> None:
    decide(client, ID_A, "stopped", 0, follow_up_days=[1])
    (first,) = due(client)
    for day in ("2026-07-04", "2027-07-06"):
        assert change(client, first, "move", due_on=day).status_code == 422
    moved = change(client, first, "move", due_on="2026-07-09")
    assert (moved.status_code, moved.json()["due_on"], moved.json()["version"]) == (
        200,
        "2026-07-09",
        2,
    )
    assert days_of(client) == ["07-09"]


def test_two_changes_of_one_version_never_both_stand(client: Client) -> None:
    decide(client, ID_A, "stopped", 0, follow_up_days=[1])
    (first,) = due(client)
    unread = client.post(
        f"{URL}/{first['id']}/done", json={"outcome": "safe"}, headers=client.as_("analyst")
    )
    assert unread.status_code == 428
    with ThreadPoolExecutor(4) as threads:
        days = ["2026-07-07", "2026-07-08", "2026-07-09", "2026-07-10"]
        statuses = list(
            threads.map(lambda day: change(client, first, "move", due_on=day).status_code, days)
        )
    assert sorted(statuses) == [200, 412, 412, 412]
    late = change(client, first, "done", outcome="safe")
    assert (late.status_code, late.json()["current"]["version"]) == (412, 2)


def test_pages_go_on_where_the_last_one_ended(client: Client) -> None:
    for alert in (ID_A, ID_B):
        decide(client, alert, "stopped", 0)
    seen, cursor = [], None
    while True:
        query = {"due_by": "2027-01-01", "limit": 4} | ({"cursor": cursor} if cursor else {})
        page = client.get(URL, params=query, headers=client.as_("analyst")).json()
        seen += [(one["due_on"], one["id"]) for one in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert len(seen) == 6
    assert seen == sorted(set(seen))
    forged = client.get(f"{URL}?cursor=WyJ4IiwgMV0", headers=client.as_("analyst"))  # ["x", 1]
    assert forged.status_code == 400


def test_overdue_ones_are_due_until_they_are_done(
    client: Client, settings: ServingSettings
) -> None:
    decide(client, ID_A, "stopped", 0)
    app = create_app(settings=settings, clock=lambda: MORNING + timedelta(days=3))
    later = client_of(app, client)
    found = later.get(URL, headers=client.as_("analyst")).json()["items"]
    assert [one["due_on"] for one in found] == ["2026-07-06", "2026-07-08"]
