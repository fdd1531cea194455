"""The example of a receiver in docs/examples works against a real server."""

from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from standardwebhooks import WebhookVerificationError

from serving.notifications.webhooks.outbox import EVENT
from serving.notifications.webhooks.signature import new_signing_secret, signed_headers
from tests.serving.example_world import World, build_world
from tests.serving.published import ID_B, MORNING
from tests.serving.server import running

FOLDER = Path(__file__).parents[3] / "docs" / "examples"
SECRET = new_signing_secret()
BODY = f'{{"type":"{EVENT}","data":{{"alert_id":"{ID_B}"}}}}'.encode()
CLAIM = f"/api/v1/alerts/{ID_B}/claim"


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Give the example as a module."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return import_module("tell_gateway")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Give a filled database."""
    return build_world(tmp_path / "world.db")


@pytest.fixture
def api(world: World, tmp_path: Path) -> Iterator[httpx.Client]:
    """Give an analyst's connection to a real server."""
    app = world.client(tmp_path / "serving.db").app
    with (
        running(app) as address,  # type: ignore[arg-type]
        httpx.Client(base_url=address, headers=bearer(world, "analyst")) as api,
    ):
        yield api


def bearer(world: World, role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.tokens[role]}"}


def signed() -> dict[str, str]:
    now = datetime.now(MORNING.tzinfo)
    return signed_headers(BODY, message_id="msg_1", at=now, secret=SECRET)


def test_the_gateway_claims_the_alert_of_a_message(
    gateway: ModuleType, api: httpx.Client, world: World
) -> None:
    for _ in range(2):  # a message can come twice
        assert gateway.receive(BODY, signed(), secret=SECRET, api=api)["id"] == ID_B
    assert api.post(CLAIM, headers=bearer(world, "admin")).status_code == 409


def test_the_gateway_leaves_an_alert_to_whoever_has_it(
    gateway: ModuleType, api: httpx.Client, world: World
) -> None:
    api.post(CLAIM, headers=bearer(world, "admin")).raise_for_status()
    assert gateway.receive(BODY, signed(), secret=SECRET, api=api) is None


def test_the_gateway_believes_signed_messages_only(
    gateway: ModuleType, api: httpx.Client, world: World
) -> None:
    with pytest.raises(WebhookVerificationError):
        gateway.receive(BODY + b" ", signed(), secret=SECRET, api=api)
    # Nobody has claimed anything
    assert api.post(CLAIM, headers=bearer(world, "admin")).is_success
