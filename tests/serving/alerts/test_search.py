"""Search by a real number or ID, which is kept nowhere."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text

from pipelines.ingestion.pseudonymisation import load_pseudonymiser
from pipelines.settings import Settings
from pipelines.storage.installation.vault import Vault
from pipelines.webapp.identifier_lookup import IdentifierLookup
from serving.app import create_app
from serving.context.settings import ServingSettings
from serving.publishing import publish_suspects, publish_watchlist
from tests.serving.conftest import SUSPECTS, Client, a_client, audited
from tests.serving.published import ID_A, ID_C, MIDNIGHT, MORNING, NIGHTLY

URL = "/api/v1/search"
KNOWN = {
    "13800000001": ("n1_own", "p1_a"),
    "17000000001": ("n1_aa",),
    "110101198001010036": ("p1_c",),
}


def find(value: str, /) -> Sequence[str]:
    """Know three identifiers."""
    return KNOWN.get(value, ("n1_unknown",))


@pytest.fixture
def finding(settings: ServingSettings, engine: Engine) -> Client:
    """Give a client of an application that can search."""
    publish_watchlist(engine, NIGHTLY)
    publish_suspects(engine, at=MIDNIGHT, suspects=SUSPECTS)
    return a_client(create_app(settings=settings, finder=find, clock=lambda: MORNING), engine)


def test_strangers_and_engineers_search_for_nobody(finding: Client, engine: Engine) -> None:
    body = {"value": "13800000001"}
    assert finding.post(URL, json=body).status_code == 401
    assert finding.post(URL, json=body, headers=finding.as_("engineer")).status_code == 403
    assert audited(engine, "search") == []


def test_a_persons_number_leads_to_the_alerts(finding: Client, engine: Engine) -> None:
    found = finding.post(
        URL, json={"value": " 13800000001 "}, headers=finding.as_("analyst")
    ).json()
    assert [alert["id"] for alert in found["alerts"]] == [ID_A]
    assert found["suspects"] == []
    assert audited(engine, "search") == [("analyst-1", "p1_a")]


def test_a_suspects_number_leads_to_the_suspect(finding: Client, engine: Engine) -> None:
    found = finding.post(URL, json={"value": "17000000001"}, headers=finding.as_("admin")).json()
    assert found == {"alerts": [], "suspects": ["n1_aa"]}
    assert audited(engine, "search") == [("admin-1", "n1_aa")]


def test_an_officer_finds_nobody_of_elsewhere(finding: Client, engine: Engine) -> None:
    def found(value: str, role: str) -> tuple[list[str], list[str]]:
        document = finding.post(URL, json={"value": value}, headers=finding.as_(role)).json()
        return [alert["id"] for alert in document["alerts"]], document["suspects"]

    assert found("13800000001", "officer") == ([ID_A], [])
    assert found("110101198001010036", "officer") == ([], [])
    assert found("17000000001", "officer") == ([], [])
    assert found("110101198001010036", "admin") == ([ID_C], [])
    assert audited(engine, "search")[:3] == [
        ("officer-1", "p1_a"),
        ("officer-1", "nobody"),
        ("officer-1", "nobody"),
    ]


def test_what_was_typed_is_kept_nowhere(
    finding: Client, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = finding.post(URL, json={"value": "13800000001"}, headers=finding.as_("analyst"))
        refused = finding.post(URL, json={"value": "138" * 30}, headers=finding.as_("analyst"))
    assert refused.status_code == 422
    assert "138" not in caplog.text + answer.text + refused.text
    with engine.connect() as connection:
        assert "138" not in str(
            connection.execute(text("SELECT subject, details FROM audit")).all()
        )


def test_without_the_keys_nothing_is_found(client: Client, app: FastAPI) -> None:
    assert app.state.services.finder is None
    assert (
        client.post(URL, json={"value": "13800000001"}, headers=client.as_("analyst")).status_code
        == 503
    )


def test_the_real_keys_lead_from_any_spelling_to_the_holder(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    vault = Vault.open(settings)
    load_pseudonymiser(settings)  # as the first load does
    finder = IdentifierLookup(settings, vault=vault)
    person, number, account = finder("13800000001")
    assert [key[:3] for key in (person, number, account)] == ["p1_", "n1_", "a1_"]
    vault.put_numbers_of([("p1_holder", number), ("p1_other", "n1_x")])
    for spelling in ("13800000001", "+86 138-0000-0001", "008613800000001"):
        assert finder(spelling)[-1] == "p1_holder"
    assert finder("11010519491231002X")[0] == finder("11010519491231002x")[0]
    assert finder("110105491231002")[0] == finder("11010519491231002X")[0]
