"""Recording what was found: once a version, audited, back to the labels."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from alembic import command
from httpx import Response
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError

from serving.casework.dispositions.schemas import NewDisposition
from serving.casework.dispositions.service import record_disposition
from serving.context.settings import ServingSettings
from serving.database.engine import (
    _alembic_config,
    open_database,
    read_transaction,
    upgrade_database,
    write_transaction,
)
from serving.database.tables import DispositionRow
from serving.feedback import all_dispositions, recent_alerts
from serving.http.errors import ProblemError
from serving.http.notes import holds_identifier
from serving.publishing import alert_id_of, publish_watchlist
from serving.vocabulary.roles import Role, Viewer
from tests.serving.conftest import Client, audited
from tests.serving.published import (
    ID_A,
    ID_B,
    ID_C,
    MIDNIGHT,
    MORNING,
    NIGHTLY,
    a_tick,
    a_watchlist,
    an_alert,
)

URL = f"/api/v1/alerts/{ID_A}/dispositions"
ANALYST = Viewer(name="analyst-1", role=Role.ANALYST, communities=None)


def decide(
    client: Client, alert: str, result: str, version: int, *, role: str = "analyst", **more: Any
) -> Response:
    """Record a result on the ``version``-th word of an alert."""
    return client.post(
        f"/api/v1/alerts/{alert}/dispositions",
        json={"result": result, **more},
        headers=client.as_(role) | {"If-Match": f'"{version}"'},
    )


def test_anonymous_records_nothing(client: Client, engine: Engine) -> None:
    assert client.get(URL).status_code == 401
    assert (
        client.post(URL, json={"result": "stopped"}, headers={"If-Match": '"0"'}).status_code == 401
    )
    assert all_dispositions(engine) == []


def test_an_engineer_records_nothing(client: Client, engine: Engine) -> None:
    assert client.get(URL, headers=client.as_("engineer")).status_code == 403
    assert decide(client, ID_A, "stopped", 0, role="engineer").status_code == 403
    assert all_dispositions(engine) == []


def test_a_result_is_recorded_audited_and_comes_back(client: Client, engine: Engine) -> None:
    found = {
        "result": "stopped",
        "note": "当面劝阻",
        "found_at": "2026-07-05T08:40:00+08:00",
        "met_by": "王警官",
        "channel": "visit",
        "paid_cny": 3000.0,
        "prevented_cny": 52_000.0,
        "snoozed_until": "2026-07-12T00:00:00+08:00",
    }
    answer = decide(client, ID_A, version=0, role="officer", **found)
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    assert answer.json() == found | {
        "alert_id": ID_A,
        "version": 1,
        "level": None,
        "escalated_to": None,
        "escalated_why": None,
        "merged_into": None,
        "copied_from": None,
        "source": "api",
        "list_id": None,
        "decided_at": "2026-07-05T09:00:00+08:00",
        "decided_by": "officer-1",
    }
    listed = client.get(URL, headers=client.as_("analyst"))
    assert (listed.json(), listed.headers["etag"]) == ([answer.json()], '"1"')
    assert (
        client.get(f"/api/v1/alerts/{ID_A}", headers=client.as_("analyst")).json()["status"]
        == "stopped"
    )
    assert audited(engine, "disposition") == [("officer-1", ID_A)]
    assert [(decision.person, decision.result) for decision in all_dispositions(engine)] == [
        ("p1_a", "stopped")
    ]


def test_the_second_of_two_is_told_what_the_first_one_said(client: Client, engine: Engine) -> None:
    assert decide(client, ID_A, "in_progress", 0, note="正在打电话").is_success
    late = decide(client, ID_A, "lawful", 0, role="officer")
    assert (late.status_code, late.headers["etag"]) == (412, '"1"')
    problem = late.json()
    assert problem["detail"] == "Somebody else has changed this meanwhile."
    assert (problem["version"], problem["current"]["result"], problem["current"]["note"]) == (
        1,
        "in_progress",
        "正在打电话",
    )
    assert decide(client, ID_A, "lawful", 1, role="officer").is_success
    assert [decision.result for decision in all_dispositions(engine)] == ["in_progress", "lawful"]
    assert audited(engine, "disposition") == [("analyst-1", ID_A), ("officer-1", ID_A)]


def test_without_a_version_nothing_is_written(client: Client, engine: Engine) -> None:
    answer = client.post(URL, json={"result": "lawful"}, headers=client.as_("analyst"))
    assert answer.status_code == 428
    assert answer.json()["remedy"] == "Read it, then send its ETag as If-Match."
    assert all_dispositions(engine) == []


@pytest.mark.parametrize("tag", ["0", 'W/"0"', "*", '"-1"', '"x"', '"', '"99999999999"'])
def test_an_etag_that_was_never_given_matches_nothing(
    client: Client, engine: Engine, tag: str
) -> None:
    headers = client.as_("analyst") | {"If-Match": tag}
    assert client.post(URL, json={"result": "lawful"}, headers=headers).status_code == 412
    assert all_dispositions(engine) == []


def test_of_many_at_once_one_wins(client: Client, engine: Engine) -> None:
    with ThreadPoolExecutor(4) as threads:
        results = ["lawful", "stopped", "refused", "duplicate"]
        statuses = list(
            threads.map(lambda result: decide(client, ID_A, result, 0).status_code, results)
        )
    assert sorted(statuses) == [201, 412, 412, 412]
    assert len(all_dispositions(engine)) == 1


def test_two_sessions_that_read_the_same_version_write_one(
    client: Client, engine: Engine, settings: ServingSettings
) -> None:
    def attempt(result: str) -> str:
        new = NewDisposition.model_validate({"result": result})
        where = {"viewer": ANALYST, "alert_id": ID_A, "version": 0, "at": MORNING, "source": "api"}
        try:
            with write_transaction(engine) as session:
                return record_disposition(session, new=new, settings=settings, **where).result
        except ProblemError as problem:
            return str(problem.extra["current"]["result"])

    with ThreadPoolExecutor(2) as threads:
        told = set(threads.map(attempt, ["lawful", "stopped"]))
    # The one who lost is told what the other one wrote
    assert told == {all_dispositions(engine)[0].result}
    assert len(all_dispositions(engine)) == 1


def test_a_result_outlives_a_new_revision(client: Client, engine: Engine) -> None:
    decide(client, ID_A, "lawful", 0)
    publish_watchlist(engine, a_watchlist(an_alert("p1_a", 1, score=0.95), *NIGHTLY.alerts[1:]))
    alert = client.get(f"/api/v1/alerts/{ID_A}", headers=client.as_("analyst")).json()
    assert (alert["score"], alert["status"], alert["version"]) == (0.95, "lawful", 1)
    assert len(all_dispositions(engine)) == 1
    assert recent_alerts(engine, MIDNIGHT)[0].status == "lawful"


@pytest.mark.parametrize(
    "wrong",
    [
        {"result": "arrested"},
        {},
        {"result": "stopped", "note": "x" * 2001},
        {"result": "stopped", "note": "打 138 0000 0001 没人接"},
        {"result": "stopped", "surprise": 1},
        {"result": "stopped", "paid_cny": -1},
        {"result": "stopped", "prevented_cny": 1e10},
        {"result": "stopped", "found_at": "2026-07-05T09:01:00+08:00"},
        {"result": "stopped", "follow_up_days": [0]},
        {"result": "lawful", "snoozed_until": "2026-07-05T08:59:00+08:00"},
        {"result": "lawful", "snoozed_until": "2026-10-04T00:00:00+08:00"},
        {"result": "lawful", "snoozed_until": "2026-07-12T00:00:00"},
        {"result": "lawful", "merged_into": ID_B},
        {"result": "duplicate", "merged_into": ID_B},  # another person's
        {"result": "duplicate", "merged_into": ID_A},
        {"result": "in_progress", "escalate": {"to": "nobody", "why": "急"}},
        {"result": "in_progress", "escalate": {"to": "analyst-1", "why": "急"}},  # to oneself
        {"result": "in_progress", "escalate": {"to": "engineer-1", "why": "急"}},
        {"result": "in_progress", "escalate": {"to": "officer-1", "why": ""}},
    ],
)
def test_what_cannot_be_is_refused(
    client: Client, engine: Engine, wrong: dict[str, object]
) -> None:
    headers = client.as_("analyst") | {"If-Match": '"0"'}
    assert client.post(URL, json=wrong, headers=headers).status_code == 422
    assert all_dispositions(engine) == []


def test_an_officer_decides_on_the_own_communities_only(client: Client) -> None:
    assert decide(client, ID_C, "stopped", 0, role="officer").status_code == 404


def test_an_escalation_raises_the_level_and_stays(client: Client, engine: Engine) -> None:
    first = decide(
        client, ID_B, "in_progress", 0, escalate={"to": "officer-1", "why": "对方仍在通话"}
    ).json()
    assert (first["level"], first["escalated_to"], first["escalated_why"]) == (
        "red",
        "officer-1",
        "对方仍在通话",
    )
    second = decide(client, ID_B, "refused", 1).json()
    assert (second["level"], second["escalated_to"]) == ("red", None)
    assert audited(engine, "escalate") == [("analyst-1", ID_B)]
    assert (
        client.get(f"/api/v1/alerts/{ID_B}", headers=client.as_("officer")).json()["level"] == "red"
    )
    assert [who for who, _ in audited(engine, "assign")] == ["analyst-1"]  # the officer has it now
    for level, found in (("red", {ID_A, ID_B}), ("orange", set())):
        listed = client.get(f"/api/v1/alerts?level={level}", headers=client.as_("officer")).json()[
            "items"
        ]
        assert {one["id"] for one in listed} == found
    lowered = decide(
        client, ID_B, "refused", 2, escalate={"to": "officer-1", "why": "急", "level": "yellow"}
    )
    assert lowered.status_code == 422


LATER = 15


def test_a_later_alert_is_merged_into_the_earlier_one(client: Client, engine: Engine) -> None:
    publish_watchlist(engine, a_tick(an_alert("p1_a", 1, realert=True), minutes=LATER))
    later = alert_id_of(at=MIDNIGHT + timedelta(minutes=LATER), kind="intraday", person="p1_a")
    # Not the other way round
    assert decide(client, ID_A, "duplicate", 0, merged_into=later).status_code == 422
    merged = decide(client, later, "duplicate", 0, merged_into=ID_A)
    assert (merged.status_code, merged.json()["merged_into"]) == (201, ID_A)
    assert all_dispositions(engine)[0].merged_into == ID_A


def test_a_result_for_the_series_reaches_what_nobody_has_settled(
    client: Client, engine: Engine
) -> None:
    days = {"second": 3, "third": 6, "settled": 7, "another story": 15}
    ids = {}
    for name, day in days.items():
        at = MIDNIGHT + timedelta(days=day)
        publish_watchlist(engine, replace(a_watchlist(an_alert("p1_a", 1, issued_at=at)), at=at))
        ids[name] = alert_id_of(at=at, kind="nightly", person="p1_a")
    decide(client, ids["settled"], "lawful", 0)
    decide(client, ids["third"], "in_progress", 0)
    decide(client, ID_A, "stopped", 0, whole_episode=True, prevented_cny=9000.0, note="已见面")
    words = {
        name: client.get(f"/api/v1/alerts/{one}/dispositions", headers=client.as_("analyst")).json()
        for name, one in ids.items()
    }
    last = {name: found[-1] if found else None for name, found in words.items()}
    assert last["another story"] is None
    assert last["settled"]["result"] == "lawful"
    for name, version in (("second", 1), ("third", 2)):
        one = last[name]
        assert (one["result"], one["version"], one["copied_from"]) == ("stopped", version, ID_A)
        assert (one["note"], one["prevented_cny"]) == ("", None)  # said and counted once


@pytest.mark.parametrize(
    "text",
    [
        "电话 13800000001",
        "１３８００００００１１ 打不通",
        "138-0000-0001",
        "+86 138 0000 0001",
        "0731-82345678",
        "身份证 11010119800101001X",
        "110101 19800101 0011",
        "卡号 6222 0200 0000 0000 001",
        "6222020000000000001",
        "400-123-4567",
    ],
)
def test_identifiers_are_seen(text: str) -> None:
    assert holds_identifier(text)


@pytest.mark.parametrize(
    "text",
    [
        "已当面劝阻，未转账",
        "2026-07-05 14:30 见面，2026-07-08 回访",
        "2026/7/5 2026/7/8 2026/7/12",
        "已付 50000 元，又要 30000 20000 10000",
        "请拨 96110 或 110，客服 95588",
        "80,000.00",
        "损失 123456789 元",
        "20260705",
    ],
)
def test_dates_and_amounts_pass(text: str) -> None:
    assert not holds_identifier(text)


@given(st.text(max_size=30), st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.text(max_size=30))
def test_a_mobile_number_is_seen_in_any_company(before: str, number: str, after: str) -> None:
    alone = not (before and before[-1].isdigit()) and not (after and after[0].isdigit())
    if alone and before.isascii() and after.isascii():
        assert holds_identifier(before + number + after)


def test_results_of_before_are_kept_when_the_schema_moves_on(url: str) -> None:
    engine = open_database(url)
    with engine.execution_options(writes=True).begin() as connection:
        command.downgrade(_alembic_config(connection), "0004")
        connection.execute(
            text(
                "INSERT INTO dispositions "
                "(alert_id, version, person, result, note, decided_at, decided_by)"
                " VALUES ('al_1', 1, 'p1_a', 'refused', '家人在场', '2026-07-05', 'li')"
            )
        )
    upgrade_database(url)
    with read_transaction(engine) as session:
        (kept,) = session.query(DispositionRow).all()
        assert (kept.result, kept.note, kept.source, kept.found_at, kept.level) == (
            "refused",
            "家人在场",
            "screen",
            None,
            None,
        )
    for statement in ("UPDATE dispositions SET note = ''", "DELETE FROM dispositions"):
        with (
            pytest.raises(DatabaseError, match="append-only"),
            write_transaction(engine) as session,
        ):
            session.execute(text(statement))
    engine.dispose()
