"""The client in docs/client is the one that the description gives, and it works against a real
server.
"""

from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from standardwebhooks import WebhookVerificationError

from serving.app import api_document
from serving.http.client_source import client_source
from serving.notifications.webhooks.outbox import EVENT
from serving.notifications.webhooks.signature import new_signing_secret, signed_headers
from tests.serving.conftest import ID_A, ID_B, MORNING
from tests.serving.example_world import World, build_world
from tests.serving.server import running

FOLDER = Path(__file__).parents[3] / "docs" / "client"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Give a filled database, to be copied."""
    return build_world(tmp_path_factory.mktemp("world") / "world.db")


@pytest.fixture
def client_module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Give the client of the documentation."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return import_module("forestall_client")


@pytest.fixture
def api(world: World, tmp_path: Path, client_module: ModuleType) -> Iterator[Any]:
    """Give an analyst's client of a real server."""
    app = world.client(tmp_path / "serving.db").app
    with (
        running(app) as address,
        client_module.Forestall(address, token=world.tokens["analyst"]) as api,
    ):  # type: ignore[arg-type]
        yield api


def test_the_client_is_the_one_that_the_description_gives() -> None:
    written = (FOLDER / "forestall_client.py").read_text(encoding="utf-8")
    assert written == client_source(api_document()), (
        "write it anew with `forestall docs --folder docs`"
    )


def test_it_reads_page_after_page_and_writes(api: Any, client_module: ModuleType) -> None:
    assert len(list(api.pages(api.list_alerts, limit=2))) == 5
    detail = api.read_alert(ID_A)
    written = api.add_disposition(
        ID_A, {"result": "stopped", "note": "已劝阻"}, if_match=f'"{detail["version"]}"'
    )
    assert (written["version"], written["decided_by"]) == (1, "analyst-1")
    with pytest.raises(client_module.ProblemError) as refused:
        api.add_disposition(ID_A, {"result": "lawful"}, if_match='"0"')
    assert refused.value.status == 412
    assert refused.value.remedy
    assert api.export_alerts_as_csv(level="red").startswith("\ufeffid,".encode())


def test_a_write_that_got_lost_is_sent_again_and_done_once(api: Any) -> None:
    sent = []

    class Lossy(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = super().handle_request(request)
            if request.method == "POST":
                sent.append(request.headers["idempotency-key"])
            if len(sent) == 1:
                answer.close()
                raise httpx.ReadError("the answer got lost")
            return answer

    api.http._transport = Lossy()
    assert api.add_disposition(ID_A, {"result": "stopped"}, if_match='"0"')["version"] == 1
    assert (len(sent), len(set(sent))) == (2, 1)
    assert api.read_alert(ID_A)["version"] == 1


def test_the_gateway_believes_signed_messages_only(api: Any, client_module: ModuleType) -> None:
    gateway = import_module("tell_gateway")
    secret = new_signing_secret()
    body = f'{{"type":"{EVENT}","data":{{"alert_id":"{ID_B}"}}}}'.encode()
    headers = signed_headers(
        body, message_id="msg_1", at=datetime.now(MORNING.tzinfo), secret=secret
    )
    assert gateway.receive(body, headers, secret=secret, api=api)["id"] == ID_B
    with pytest.raises(WebhookVerificationError):
        gateway.receive(body + b" ", headers, secret=secret, api=api)
