"""Suspect numbers and accounts: published whole, read by analysts, revealed under audit."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from data_contracts.errors import ConflictError
from pipelines.storage.installation.vault import Vault
from serving.app import create_app
from serving.context.settings import ServingSettings
from serving.database.engine import read_transaction
from serving.database.tables import SuspectListRow, SuspectRow
from serving.publishing import publish_suspects
from tests.serving.conftest import SUSPECTS, Client, a_client, audited
from tests.serving.published import MIDNIGHT, MORNING, a_suspect

URL = "/api/v1/suspects"
WHY = {"reason": "核实可疑号码"}


def test_anonymous_reads_and_reveals_nothing(wary: Client, engine: Engine) -> None:
    assert wary.get(URL).status_code == 401
    assert wary.get(f"{URL}/n1_aa").status_code == 401
    assert wary.post(f"{URL}/n1_aa/reveal").status_code == 401
    assert audited(engine, "reveal") == []


def test_officers_are_kept_out(wary: Client) -> None:
    assert wary.get(URL, headers=wary.as_("officer")).status_code == 403


def test_before_the_first_list_there_is_nothing(client: Client) -> None:
    page = client.get(URL, headers=client.as_("analyst")).json()
    assert page == {
        "at": None,
        "counts": {"number": 0, "account": 0},
        "items": [],
        "next_cursor": None,
    }
    assert client.get(f"{URL}/n1_aa", headers=client.as_("analyst")).status_code == 404


def test_the_likeliest_stand_first(wary: Client) -> None:
    page = wary.get(URL, headers=wary.as_("engineer")).json()
    assert (page["at"], page["counts"]) == (
        "2026-07-05T00:00:00+08:00",
        {"number": 3, "account": 1},
    )
    assert [(item["rank"], item["key"]) for item in page["items"]] == [
        (1, "n1_cc"),
        (2, "n1_aa"),
        (3, "n1_dd"),
    ]
    assert page["items"][1] == {
        "kind": "number",
        "key": "n1_aa",
        "rank": 2,
        "score": 0.9,
        "peer_kind": "virtual",
        "first_seen_at": "2026-07-02T00:00:00+08:00",
        "residents_reached": 41,
        "residents_7d": 38,
        "alerts": 2,
        "named_in_case": False,
        "facts": {"answer_share": 0.314, "talk_mean_s": 150.0},
    }
    accounts = wary.get(f"{URL}?kind=account", headers=wary.as_("analyst")).json()["items"]
    assert [(item["rank"], item["key"]) for item in accounts] == [(1, "a1_bb")]


def test_pages_stay_with_the_list_they_began_on(wary: Client, engine: Engine) -> None:
    first = wary.get(f"{URL}?limit=2", headers=wary.as_("analyst")).json()
    publish_suspects(engine, at=MORNING, suspects=[a_suspect(f"n1_x{n}") for n in range(5)])
    second = wary.get(
        f"{URL}?limit=2&cursor={first['next_cursor']}", headers=wary.as_("analyst")
    ).json()
    assert [item["key"] for item in first["items"] + second["items"]] == ["n1_cc", "n1_aa", "n1_dd"]
    assert (second["at"], second["next_cursor"]) == ("2026-07-05T00:00:00+08:00", None)
    assert len(wary.get(URL, headers=wary.as_("analyst")).json()["items"]) == 5


def test_a_cursor_of_another_list_is_refused(wary: Client) -> None:
    cursor = wary.get(f"{URL}?limit=1", headers=wary.as_("analyst")).json()["next_cursor"]
    for query in (f"kind=account&cursor={cursor}", "cursor=nonsense"):
        answer = wary.get(f"{URL}?{query}", headers=wary.as_("analyst"))
        assert (answer.status_code, answer.json()["remedy"]) == (
            400,
            "Start again without a cursor.",
        )


def test_a_suspect_can_be_looked_up_after_it_left_the_list(wary: Client, engine: Engine) -> None:
    publish_suspects(engine, at=MORNING, suspects=[a_suspect("n1_aa", score=0.7)])
    now = wary.get(f"{URL}/n1_aa", headers=wary.as_("analyst")).json()
    assert (now["score"], now["at"]) == (0.7, "2026-07-05T09:00:00+08:00")
    gone = wary.get(f"{URL}/n1_cc", headers=wary.as_("analyst")).json()
    assert (gone["score"], gone["at"]) == (0.95, "2026-07-05T00:00:00+08:00")


def test_revealing_is_audited(wary: Client, engine: Engine) -> None:
    answer = wary.post(f"{URL}/n1_aa/reveal", json=WHY, headers=wary.as_("analyst"))
    assert answer.json() == {"key": "n1_aa", "kind": "number", "value": "17000000001"}
    account = wary.post(f"{URL}/a1_bb/reveal", json=WHY, headers=wary.as_("admin"))
    assert account.json()["value"] == "6222020000000000001"
    assert audited(engine, "reveal") == [("analyst-1", "n1_aa"), ("admin-1", "a1_bb")]
    with engine.connect() as connection:
        reasons = (
            connection.execute(text("SELECT details FROM audit WHERE action = 'reveal'"))
            .scalars()
            .all()
        )
    assert all(
        "核实可疑号码" in str(json.loads(one) if isinstance(one, str) else one) for one in reasons
    )


def test_nothing_is_revealed_without_a_reason(wary: Client, engine: Engine) -> None:
    path, headers = f"{URL}/n1_aa/reveal", wary.as_("analyst")
    assert wary.post(path, headers=headers).status_code == 422
    for reason in ("", "?", "回访 13800000001"):
        answer = wary.post(path, json={"reason": reason}, headers=headers)
        assert answer.status_code == 422
        assert "138" not in answer.text
    assert audited(engine, "reveal") == []


def test_nothing_but_a_published_suspect_is_revealed(wary: Client, engine: Engine) -> None:
    assert (
        wary.post(f"{URL}/n1_aa/reveal", json=WHY, headers=wary.as_("engineer")).status_code == 403
    )
    assert (
        wary.post(f"{URL}/n1_zz/reveal", json=WHY, headers=wary.as_("analyst")).status_code == 404
    )
    assert wary.post(f"{URL}/p1_a/reveal", json=WHY, headers=wary.as_("analyst")).status_code == 422
    unheld = wary.post(f"{URL}/n1_cc/reveal", json=WHY, headers=wary.as_("analyst"))
    assert (unheld.status_code, unheld.json()["detail"]) == (
        404,
        "The vault does not hold what is behind this pseudonym.",
    )
    assert audited(engine, "reveal") == []


def test_without_the_vault_nothing_is_revealed(settings: ServingSettings, engine: Engine) -> None:
    publish_suspects(engine, at=MIDNIGHT, suspects=SUSPECTS)
    client = a_client(create_app(settings=settings, clock=lambda: MORNING), engine)
    assert (
        client.post(f"{URL}/n1_aa/reveal", json=WHY, headers=client.as_("analyst")).status_code
        == 503
    )


def test_the_same_content_again_changes_nothing(engine: Engine) -> None:
    first = publish_suspects(engine, at=MIDNIGHT, suspects=SUSPECTS)
    assert publish_suspects(engine, at=MIDNIGHT, suspects=SUSPECTS[::-1]) == first
    with read_transaction(engine) as session:
        assert (session.query(SuspectListRow).count(), session.query(SuspectRow).count()) == (1, 4)


def test_other_content_becomes_a_new_revision(wary: Client, engine: Engine) -> None:
    publish_suspects(engine, at=MIDNIGHT, suspects=[replace(SUSPECTS[0], score=0.5)])
    page = wary.get(URL, headers=wary.as_("analyst")).json()
    assert [(item["key"], item["score"]) for item in page["items"]] == [("n1_aa", 0.5)]
    with read_transaction(engine) as session:
        lists = session.query(SuspectListRow).order_by(SuspectListRow.id).all()
        assert [(row.revision, row.superseded_at is None) for row in lists] == [
            (1, False),
            (2, True),
        ]


def test_a_list_that_cannot_be_written_leaves_the_old_one(wary: Client, engine: Engine) -> None:
    broken = a_suspect("n1_ee", peer_kind=None)
    with pytest.raises(Exception, match=r"peer_kind|publishing"):
        publish_suspects(engine, at=MIDNIGHT, suspects=[a_suspect("n1_ff"), broken])
    assert wary.get(URL, headers=wary.as_("analyst")).json()["counts"] == {
        "number": 3,
        "account": 1,
    }


def test_an_empty_list_says_that_nobody_is_suspected(wary: Client, engine: Engine) -> None:
    publish_suspects(engine, at=MORNING, suspects=[])
    page = wary.get(URL, headers=wary.as_("analyst")).json()
    assert (page["at"], page["items"]) == ("2026-07-05T09:00:00+08:00", [])


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "account"},
        {"score": 1.2},
        {"residents_7d": -1},
        {"first_seen_at": datetime(2026, 7, 5)},  # noqa: DTZ001
    ],
)
def test_an_impossible_suspect_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"kind|score|counts|first_seen_at"):
        a_suspect("n1_aa", **changes)


def test_a_list_names_nothing_twice_and_has_a_moment(engine: Engine) -> None:
    with pytest.raises(ValueError, match="twice"):
        publish_suspects(engine, at=MIDNIGHT, suspects=[SUSPECTS[0], SUSPECTS[0]])
    with pytest.raises(ValueError, match="zone"):
        publish_suspects(
            engine, at=(MIDNIGHT + timedelta(days=1)).replace(tzinfo=None), suspects=[]
        )


def test_of_many_publishers_each_list_stands_once(engine: Engine) -> None:
    def attempt(score: float) -> int | None:
        try:
            return publish_suspects(engine, at=MIDNIGHT, suspects=[a_suspect("n1_aa", score=score)])
        except ConflictError:
            return None

    with ThreadPoolExecutor(4) as threads:
        assert any(threads.map(attempt, (0.1, 0.2, 0.3, 0.4)))
    with read_transaction(engine) as session:
        assert (
            session.query(SuspectListRow).filter(SuspectListRow.superseded_at.is_(None)).count()
            == 1
        )


def test_the_real_vault_holds_what_is_revealed(
    settings: ServingSettings, engine: Engine, tmp_path: Path
) -> None:
    vault = Vault(tmp_path / "vault.db", key=bytes(32))
    vault.put_identifiers("account", {"a1_bb": "6222020000000000009"})
    publish_suspects(engine, at=MIDNIGHT, suspects=SUSPECTS)
    client = a_client(create_app(settings=settings, vault=vault, clock=lambda: MORNING), engine)
    assert (
        client.post(f"{URL}/a1_bb/reveal", json=WHY, headers=client.as_("analyst")).json()["value"]
        == "6222020000000000009"
    )
    assert (
        client.post(f"{URL}/n1_aa/reveal", json=WHY, headers=client.as_("analyst")).status_code
        == 404
    )
