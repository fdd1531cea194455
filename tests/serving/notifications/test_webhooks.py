"""New urgent alerts are told to other systems: once, signed, and again until they have heard it."""

import base64
import ipaddress
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from standardwebhooks import Webhook

from data_contracts.errors import SettingsError
from serving.app import create_app
from serving.context.settings import ServingSettings
from serving.database.engine import read_transaction
from serving.notifications.webhooks.address import (
    ForbiddenAddressError,
    GuardedNetwork,
    is_permitted,
)
from serving.notifications.webhooks.delivery import DeliveryCounts, deliver_due, retry_delay
from serving.notifications.webhooks.outbox import EVENT
from serving.notifications.webhooks.repository import WebhookRepository
from serving.notifications.webhooks.tables import DeliveryRow
from serving.publishing import alert_id_of, publish_watchlist
from tests.serving.conftest import Client, OpenVault, a_client, audited
from tests.serving.published import (
    ID_A,
    ID_B,
    MORNING,
    NIGHTLY,
    a_tick,
    a_watchlist,
    an_alert,
)

HOOKS = "/api/v1/webhooks"


class Sealer:
    """Seals by turning round, and opens only what was bound to the same."""

    def seal(self, raw: str, *, bound_to: str) -> bytes:
        return f"{bound_to}|{raw}"[::-1].encode()

    def unseal(self, sealed: bytes, *, bound_to: str) -> str:
        bound, _, raw = sealed.decode()[::-1].partition("|")
        if bound != bound_to:
            raise SettingsError("another address", remedy="none")
        return raw


@dataclass
class Receiver:
    """A real HTTP server that answers with these statuses, then with 204, and remembers what it was
    told.
    """

    statuses: list[int] = field(default_factory=list)
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    told: Event = field(default_factory=Event)
    url: str = ""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.heard.append(
                ({name.lower(): value for name, value in self.headers.items()}, body)
            )
            status = receiver.statuses.pop(0) if receiver.statuses else 204
            self.send_response(status)
            if status == 302:
                self.send_header("Location", receiver.url)
            self.send_header("Content-Length", "0")
            self.end_headers()
            receiver.told.set()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield receiver
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def settings(url: str) -> ServingSettings:
    """Give the settings of an installation that may tell receivers on this machine."""
    return ServingSettings(database_url=url, webhook_private_networks=True)


@pytest.fixture
def client(settings: ServingSettings, staff: Mapping[str, str]) -> Client:
    """Give a client of an application that can keep secrets, with nothing published."""
    return a_client(
        create_app(settings=settings, vault=OpenVault(), sealer=Sealer(), clock=lambda: MORNING),
        staff,
    )


def added(client: Client, url: str, **fields: object) -> dict[str, str]:
    answer = client.post(HOOKS, json={"url": url, **fields}, headers=client.as_("admin"))
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


def deliver(engine: Engine, settings: ServingSettings, at: datetime = MORNING) -> DeliveryCounts:
    return deliver_due(engine, sealer=Sealer(), settings=settings, clock=lambda: at)


def messages(client: Client, webhook_id: object, **query: str) -> list[dict[str, object]]:
    answer = client.get(
        f"{HOOKS}/{webhook_id}/deliveries", params=query, headers=client.as_("admin")
    )
    assert answer.status_code == 200
    return answer.json()["items"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", ""),
        ("DELETE", "/1"),
        ("GET", "/1/deliveries"),
        ("POST", "/1/deliveries/1/redeliver"),
    ],
)
def test_receivers_are_the_administrators_business(client: Client, method: str, path: str) -> None:
    assert client.request(method, HOOKS + path).status_code == 401
    for role in ("analyst", "officer", "engineer"):
        assert client.request(method, HOOKS + path, headers=client.as_(role)).status_code == 403


def test_a_new_red_alert_is_told_without_a_word_on_the_person(
    client: Client, engine: Engine, settings: ServingSettings, receiver: Receiver
) -> None:
    added(client, receiver.url)
    publish_watchlist(
        engine, a_tick(an_alert("p1_z", 1), an_alert("p1_y", 2, level="orange"), minutes=535)
    )
    assert deliver(engine, settings) == DeliveryCounts(delivered=1)
    [(headers, body)] = receiver.heard
    assert headers["content-type"] == "application/json"
    document = json.loads(body)
    assert document == {
        "type": EVENT,
        "timestamp": "2026-07-05T08:55:00+08:00",
        "data": {
            "alert_id": alert_id_of(
                at=MORNING - timedelta(minutes=5), kind="intraday", person="p1_z"
            ),
            "level": "red",
            "scam_type": "police",
            "community_id": "C01",
            "issued_at": "2026-07-05T08:55:00+08:00",
        },
    }


def test_old_alerts_are_no_news(
    client: Client, engine: Engine, settings: ServingSettings, receiver: Receiver
) -> None:
    hook = added(client, receiver.url)
    publish_watchlist(engine, NIGHTLY)
    assert deliver(engine, settings, MORNING + timedelta(days=1)) == DeliveryCounts()
    [message] = messages(client, hook["id"], state="given_up")
    assert message["last_error"] == "the alert is too old to be news"
    assert receiver.heard == []


def test_the_signature_holds_for_the_library_of_the_scheme(
    client: Client, engine: Engine, settings: ServingSettings, receiver: Receiver
) -> None:
    now = datetime.now(MORNING.tzinfo)
    hook = added(client, receiver.url)
    publish_watchlist(
        engine, a_watchlist(an_alert("p1_a", 1, issued_at=now), at=now, kind="intraday")
    )
    assert deliver(engine, settings, now) == DeliveryCounts(delivered=1)
    [(headers, body)] = receiver.heard
    assert Webhook(hook["secret"]).verify(body, headers)["data"]["community_id"] == "C01"
    other = "whsec_" + base64.b64encode(bytes(32)).decode()
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(other).verify(body, headers)


def test_what_fails_twice_is_told_the_third_time(
    client: Client, engine: Engine, settings: ServingSettings, receiver: Receiver
) -> None:
    receiver.statuses = [500, 503]
    hook = added(client, receiver.url)
    publish_watchlist(engine, NIGHTLY)
    at = MORNING
    for attempt in (1, 2):
        assert deliver(engine, settings, at) == DeliveryCounts(failed=1)
        [message] = messages(client, hook["id"], state="waiting")
        wait = datetime.fromisoformat(str(message["due_at"])) - at
        assert message["attempts"] == attempt
        assert message["last_error"] == f"HTTP {(500, 503)[attempt - 1]}"
        assert (
            timedelta(seconds=2.5 * 2 ** (attempt - 1))
            <= wait
            <= timedelta(seconds=5 * 2 ** (attempt - 1))
        )
        assert deliver(engine, settings, at) == DeliveryCounts(), "not before its time"
        at += wait
    assert deliver(engine, settings, at) == DeliveryCounts(delivered=1)
    [message] = messages(client, hook["id"])
    assert (message["state"], message["attempts"], message["last_status"]) == ("delivered", 3, 204)
    assert len({headers["webhook-id"] for headers, _ in receiver.heard}) == 1, (
        "one message, sent three times"
    )
    assert deliver(engine, settings, at + timedelta(days=1)) == DeliveryCounts()


def test_a_receiver_that_never_answers_is_given_up_and_can_be_tried_again_by_hand(
    client: Client, engine: Engine, url: str, receiver: Receiver
) -> None:
    settings = ServingSettings(
        database_url=url, webhook_attempts=2, webhook_retry_s=1, webhook_private_networks=True
    )
    receiver.statuses = [500, 302]
    hook = added(client, receiver.url)
    publish_watchlist(engine, NIGHTLY)
    for seconds in (0, 1):
        assert deliver(engine, settings, MORNING + timedelta(seconds=seconds)) == DeliveryCounts(
            failed=1
        )
    [message] = messages(client, hook["id"], state="given_up")
    assert (message["attempts"], message["last_error"]) == (2, "HTTP 302")
    assert len(receiver.heard) == 2, "no redirect is followed"
    path = f"{HOOKS}/{hook['id']}/deliveries/{message['id']}/redeliver"
    assert client.post(path, headers=client.as_("admin")).json()["state"] == "waiting"
    assert deliver(engine, settings) == DeliveryCounts(delivered=1)
    assert audited(engine, "webhook-changed") == [("admin-1", str(hook["id"]))]
    assert (
        client.post(
            path.replace("/deliveries/", "/deliveries/9"), headers=client.as_("admin")
        ).status_code
        == 404
    )


def test_410_ends_it_at_once(
    client: Client, engine: Engine, settings: ServingSettings, receiver: Receiver
) -> None:
    receiver.statuses = [410]
    hook = added(client, receiver.url)
    publish_watchlist(engine, NIGHTLY)
    deliver(engine, settings)
    assert [message["state"] for message in messages(client, hook["id"])] == ["given_up"]


def test_an_alert_is_told_once_whatever_is_published_again(
    client: Client, engine: Engine, settings: ServingSettings, receiver: Receiver
) -> None:
    hook = added(client, receiver.url, levels=["red", "orange"])
    publish_watchlist(engine, NIGHTLY)
    publish_watchlist(engine, NIGHTLY)
    publish_watchlist(engine, a_watchlist(*NIGHTLY.alerts, residents_scored=1501))
    assert {message["alert_id"] for message in messages(client, hook["id"])} == {ID_A, ID_B}
    assert deliver(engine, settings) == DeliveryCounts(delivered=2)
    assert len(receiver.heard) == 2


def test_a_list_that_is_not_published_tells_nobody(
    client: Client, engine: Engine, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("killed")

    hook = added(client, receiver.url)
    monkeypatch.setattr("serving.publishing._announce", fail)  # the last step of publishing
    with pytest.raises(RuntimeError, match="killed"):
        publish_watchlist(engine, NIGHTLY)
    assert messages(client, hook["id"]) == []


def test_a_removed_receiver_hears_nothing_more(
    client: Client, engine: Engine, settings: ServingSettings, receiver: Receiver
) -> None:
    hook = added(client, receiver.url)
    publish_watchlist(engine, NIGHTLY)
    assert client.delete(f"{HOOKS}/{hook['id']}", headers=client.as_("admin")).status_code == 204
    assert client.delete(f"{HOOKS}/{hook['id']}", headers=client.as_("admin")).status_code == 404
    assert deliver(engine, settings) == DeliveryCounts()
    assert receiver.heard == []
    assert client.get(HOOKS, headers=client.as_("admin")).json()["items"] == []
    assert [subject for _, subject in audited(engine, "webhook-removed")] == [str(hook["id"])]


def test_a_receiver_that_refuses_holds_up_no_other(
    client: Client, engine: Engine, settings: ServingSettings, receiver: Receiver
) -> None:
    silent = added(client, "http://127.0.0.1:9/nobody")
    added(client, receiver.url)
    publish_watchlist(engine, NIGHTLY)
    assert deliver(engine, settings) == DeliveryCounts(delivered=1, failed=1)
    assert messages(client, silent["id"])[0]["last_error"] == "no connection (ConnectError)"


def test_the_database_does_not_know_the_secret_and_it_opens_for_one_address_only(
    client: Client, engine: Engine, settings: ServingSettings, receiver: Receiver
) -> None:
    hook = added(client, receiver.url)
    with engine.begin() as connection:
        row = connection.execute(text("SELECT * FROM webhooks")).one()
        connection.execute(text("UPDATE webhooks SET url = 'http://127.0.0.1:9/elsewhere'"))
    assert not any(hook["secret"] in repr(value) for value in row)
    publish_watchlist(engine, NIGHTLY)
    assert deliver(engine, settings) == DeliveryCounts(failed=1)
    assert messages(client, hook["id"])[0]["last_error"] == "the secret does not open with this key"


@pytest.mark.parametrize(
    ("address", "accepted"),
    [
        ("https://push.example.com/x", True),
        ("https://10.1.2.3:8443/x?y=1", True),
        ("http://localhost:9000/", True),
        ("http://[::1]:9000/", True),
        ("http://push.example.com/", False),
        ("http://10.1.2.3/", False),
        ("https://169.254.169.254/latest/meta-data", False),
        ("https://[fe80::1]/", False),
        ("https://0.0.0.0/", False),
        ("https://224.0.0.1/", False),
        ("https://name:secret@push.example.com/", False),
        ("https://push.example.com:99999/", False),
        ("https:///x", False),
        ("https://a].example.com/", False),
        ("https://[a]/", False),
        ("file:///etc/passwd", False),
        ("https://push.example.com/ x", False),
    ],
)
def test_which_addresses_a_receiver_may_have(
    client: Client, address: str, *, accepted: bool
) -> None:
    answer = client.post(HOOKS, json={"url": address}, headers=client.as_("admin"))
    assert answer.status_code == (201 if accepted else 422)


@pytest.mark.parametrize(
    ("address", "private", "permitted"),
    [
        ("8.8.8.8", False, True),
        ("10.0.0.1", True, True),
        ("10.0.0.1", False, False),
        ("127.0.0.1", False, False),
        ("::ffff:127.0.0.1", False, False),
        ("::ffff:169.254.169.254", True, False),
        ("fd00::1", True, True),
        ("100.64.0.1", False, False),
        ("fd00::1", False, False),
        ("::1", False, False),
        ("::1", True, True),
        ("0.0.0.0", True, False),
        ("192.0.2.1", False, False),
        ("240.0.0.1", False, False),
        ("2606:4700::1", False, True),
        # Other addresses hide in these: 127.0.0.1, 10.0.0.1, and again 8.8.8.8
        ("64:ff9b::7f00:1", True, False),
        ("64:ff9b::a00:1", False, False),
        ("64:ff9b:1::7f00:1", True, False),
        ("2002:7f00:1::", True, False),
        ("2002:a00:1::1", False, False),
        ("2001:0:7f00:1::1", False, False),
        ("::7f00:1", True, False),
        ("2002:808:808::", False, False),
    ],
)
def test_which_addresses_a_name_may_stand_for(
    address: str, *, private: bool, permitted: bool
) -> None:
    assert is_permitted(ipaddress.ip_address(address), private=private) is permitted


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost/",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.1.2.3/",
        "https://[fd00::1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[::ffff:10.0.0.1]/",
    ],
)
def test_only_the_open_network_is_told_unless_a_setting_says_more(
    url: str, staff: Mapping[str, str], address: str
) -> None:
    settings = ServingSettings(database_url=url)
    client = a_client(create_app(settings=settings, sealer=Sealer(), clock=lambda: MORNING), staff)
    assert client.post(HOOKS, json={"url": address}).status_code == 401
    new = {"url": address}
    status = client.post(HOOKS, json=new, headers=client.as_("admin")).status_code
    # A name is looked up when a message is sent
    assert status == (201 if address == "https://localhost/" else 422)


def test_a_name_that_points_elsewhere_later_opens_nothing(receiver: Receiver) -> None:
    closed = GuardedNetwork(ServingSettings(database_url="sqlite://"))
    with (
        httpcore.ConnectionPool(network_backend=closed) as pool,
        pytest.raises(ForbiddenAddressError),
    ):
        pool.request("POST", receiver.url.replace("127.0.0.1", "localhost"), content=b"{}")
    assert receiver.heard == []


@given(st.integers(1, 200), st.text(max_size=5))
def test_pauses_double_up_to_the_longest(attempts: int, seed: str) -> None:
    settings = ServingSettings(database_url="sqlite://")
    full_s = min(1800.0, 5.0 * 2 ** (attempts - 1))
    assert (
        full_s / 2 <= retry_delay(attempts, seed=seed, settings=settings).total_seconds() <= full_s
    )


def test_a_sender_that_died_lets_go_of_its_message(
    client: Client, engine: Engine, receiver: Receiver
) -> None:
    from serving.notifications.webhooks.delivery import _take_next

    settings = ServingSettings(
        database_url=str(engine.url.render_as_string(hide_password=False)),
        webhook_private_networks=True,
    )
    hook = added(client, receiver.url)
    publish_watchlist(engine, NIGHTLY)
    assert isinstance(
        _take_next(engine, int(hook["id"]), settings=settings, now=MORNING), DeliveryRow
    )
    with read_transaction(engine) as session:
        assert list(WebhookRepository(session).due_receivers(MORNING)) == []
        later = MORNING + timedelta(seconds=settings.webhook_timeout_s + 30)
        assert list(WebhookRepository(session).due_receivers(later)) == [int(hook["id"])]


def test_the_web_process_sends_by_itself(engine: Engine, url: str, receiver: Receiver) -> None:
    settings = ServingSettings(database_url=url, webhook_poll_s=0.02, webhook_private_networks=True)
    app = create_app(settings=settings, vault=OpenVault(), sealer=Sealer(), clock=lambda: MORNING)
    client = a_client(app, engine)
    added(client, receiver.url)
    publish_watchlist(engine, NIGHTLY)
    with client:
        assert receiver.told.wait(10)
    assert len(receiver.heard) == 1


def test_without_a_key_no_receiver_can_be_added(engine: Engine, settings: ServingSettings) -> None:
    client = a_client(create_app(settings=settings, clock=lambda: MORNING), engine)
    answer = client.post(
        HOOKS, json={"url": "https://push.example.com/"}, headers=client.as_("admin")
    )
    assert answer.status_code == 503
