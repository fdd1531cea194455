"""Who a person is: told to those who have to reach them, with a reason, and written down."""

import pytest
from sqlalchemy import Engine, text

from serving.app import create_app
from serving.context.settings import ServingSettings
from serving.publishing import publish_watchlist
from tests.serving.conftest import Client, a_client, audited
from tests.serving.published import ID_A, ID_C, MORNING, NIGHTLY

WHY = {"reason": "拨打劝阻电话"}


def path_of(alert: str) -> str:
    return f"/api/v1/alerts/{alert}/reveal"


def test_strangers_and_engineers_learn_nothing(client: Client, engine: Engine) -> None:
    assert client.post(path_of(ID_A), json=WHY).status_code == 401
    assert client.post(path_of(ID_A), json=WHY, headers=client.as_("engineer")).status_code == 403
    assert audited(engine, "reveal") == []


def test_the_name_and_the_numbers_and_nothing_more(client: Client, engine: Engine) -> None:
    answer = client.post(path_of(ID_A), json=WHY, headers=client.as_("analyst"))
    assert answer.json() == {
        "person": "p1_a",
        "name": "张三",
        "msisdns": ["13800000001", "13900000001"],
    }
    assert audited(engine, "reveal") == [("analyst-1", "p1_a")]
    with engine.connect() as connection:
        details = str(
            connection.execute(text("SELECT details FROM audit WHERE action = 'reveal'")).scalar()
        )
    assert ID_A in details
    assert "138" not in details


def test_an_officer_learns_of_the_own_communities_only(client: Client, engine: Engine) -> None:
    assert (
        client.post(path_of(ID_A), json=WHY, headers=client.as_("officer")).json()["name"] == "张三"
    )
    assert client.post(path_of(ID_C), json=WHY, headers=client.as_("officer")).status_code == 404
    assert audited(engine, "reveal") == [("officer-1", "p1_a")]


@pytest.mark.parametrize(
    "body", [None, {}, {"reason": ""}, {"reason": "x"}, {"reason": "打 13800000001"}]
)
def test_nothing_without_a_proper_reason(
    client: Client, engine: Engine, body: dict[str, str] | None
) -> None:
    answer = client.post(path_of(ID_A), json=body, headers=client.as_("analyst"))
    assert answer.status_code == 422
    assert "138" not in answer.text
    assert audited(engine, "reveal") == []


def test_without_the_vault_nothing_is_told(settings: ServingSettings, engine: Engine) -> None:
    publish_watchlist(engine, NIGHTLY)
    client = a_client(create_app(settings=settings, clock=lambda: MORNING), engine)
    assert client.post(path_of(ID_A), json=WHY, headers=client.as_("analyst")).status_code == 503
