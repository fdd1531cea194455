"""How much is taken in: without a login, at once, and how slowly."""

import socket
import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import Engine

from serving.app import create_app
from serving.context.settings import ServingSettings
from serving.http.boundary import visitors
from serving.http.boundary.visitors import Visitors
from tests.serving.conftest import Client, a_client
from tests.serving.published import MORNING
from tests.serving.server import running

OWN = {"Sec-Fetch-Site": "same-origin"}


def an_application(url: str, staff: Engine | Mapping[str, str], **chosen: object) -> Client:
    settings = ServingSettings(database_url=url, **chosen)  # type: ignore[arg-type]
    return a_client(create_app(settings=settings, clock=lambda: MORNING), staff)


def test_anonymous_is_held_up_after_so_many_requests(url: str, staff: Mapping[str, str]) -> None:
    client = an_application(url, staff, anonymous_per_minute=5)
    answers = [client.get("/api/v1/alerts") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].json()["remedy"] == "Wait a moment, then send it again."
    assert client.get("/login").headers["retry-after"]  # a page says it as well


def test_credentials_that_are_no_good_count_as_none(url: str, staff: Mapping[str, str]) -> None:
    client = an_application(url, staff, anonymous_per_minute=5)
    made_up = [{"Authorization": f"Bearer fst_{number}"} for number in range(6)]
    statuses = [client.get("/api/v1/me", headers=headers).status_code for headers in made_up]
    assert statuses == [401] * 5 + [429]


def test_who_has_come_in_goes_on_beside_a_stranger(url: str, staff: Mapping[str, str]) -> None:
    client = an_application(url, staff, anonymous_per_minute=5)
    assert client.get("/api/v1/me", headers=client.as_("analyst")).status_code == 200
    assert [client.get("/api/v1/me").status_code for _ in range(5)] == [401] * 4 + [429]
    assert client.get("/api/v1/me", headers=client.as_("analyst")).status_code == 200


def test_what_a_page_loads_beside_does_not_count(url: str, staff: Mapping[str, str]) -> None:
    client = an_application(url, staff, anonymous_per_minute=3)
    assert client.post("/login", data={"token": staff["analyst"]}, headers=OWN).status_code == 303
    for _ in range(5):
        assert client.get("/account").status_code == 200
        assert client.get("/static/app.css").status_code == 200


def test_what_is_good_no_more_is_not_remembered(url: str, staff: Mapping[str, str]) -> None:
    client = an_application(url, staff, anonymous_per_minute=5)
    client.get("/api/v1/me", headers=client.as_("analyst"))
    client.delete("/api/v1/users/analyst-1", headers=client.as_("admin"))
    statuses = [
        client.get("/api/v1/me", headers=client.as_("analyst")).status_code for _ in range(6)
    ]
    assert statuses == [401] * 4 + [429, 429]


@pytest.mark.parametrize(
    ("trusted", "given", "statuses"),
    [
        # Nobody is believed unless a setting says so: not even this machine
        ((), ["198.51.100.1", "198.51.100.2", "198.51.100.3"], [401, 401, 429]),
        (["127.0.0.0/8"], ["198.51.100.1", "198.51.100.2", "198.51.100.3"], [401, 401, 401]),
        (["127.0.0.1"], ["198.51.100.1"] * 3, [401, 401, 429]),
        # What somebody put before the proxy's own word changes nothing
        (["127.0.0.1"], [f"203.0.113.{n}, 198.51.100.1" for n in range(3)], [401, 401, 429]),
        (["192.0.2.1"], ["198.51.100.1", "198.51.100.2", "198.51.100.3"], [401, 401, 429]),
    ],
)
def test_an_address_is_what_a_trusted_proxy_says(
    url: str, staff: Mapping[str, str], trusted: object, given: list[str], statuses: list[int]
) -> None:
    client = an_application(url, staff, anonymous_per_minute=2, trusted_proxies=trusted)
    here = Client(client.app, client=("127.0.0.1", 5000), follow_redirects=False)
    answers = [here.get("/api/v1/me", headers={"X-Forwarded-For": address}) for address in given]
    assert [answer.status_code for answer in answers] == statuses


def test_an_ipv6_network_is_one_address_and_a_minute_ends() -> None:
    now = [100.0]
    counted = Visitors(a_minute=2, clock=lambda: now[0])

    def wait_s(address: str) -> int | None:
        return counted.wait_s(address, credentials=b"")

    assert [wait_s("2001:db8::1"), wait_s("2001:db8::2"), wait_s("2001:db8::3")] == [None, None, 60]
    assert wait_s("2001:db8:0:1::1") is None
    now[0] = 130.5
    assert wait_s("2001:db8::4") == 30
    now[0] = 160.0
    assert wait_s("2001:db8::4") is None


def test_neither_memory_of_visitors_grows_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "MOST_REMEMBERED", 10)
    counted = Visitors(a_minute=1)
    for number in range(50):
        counted.wait_s(f"10.0.0.{number}", credentials=b"")
        counted.remember(f"Bearer {number}".encode())
    assert (len(counted._tallies), len(counted._known)) == (10, 10)
    assert counted.wait_s("10.0.0.1", credentials=b"Bearer 49") is None


def test_a_flood_without_a_login_leaves_room_for_others(url: str, staff: Mapping[str, str]) -> None:
    client = an_application(url, staff, anonymous_per_minute=100_000, lockout_address_failures=9999)
    stop = threading.Event()
    statuses: Counter[int] = Counter()
    with (
        running(client.app) as base,
        httpx.Client(  # type: ignore[arg-type]
            base_url=base, timeout=60, limits=httpx.Limits(max_connections=80)
        ) as browser,
    ):

        def flood(number: int) -> None:
            for turn in range(1000):
                if stop.is_set():
                    return
                form = {"name": f"{number}-{turn}", "password": "wrong"}
                statuses[browser.post("/login", data=form, headers=OWN).status_code] += 1

        with ThreadPoolExecutor(61) as threads:
            flooding = [threads.submit(flood, number) for number in range(60)]
            try:
                headers = client.as_("analyst")
                served = [browser.get("/api/v1/alerts", headers=headers) for _ in range(10)]
            finally:
                stop.set()
        assert [flooded.result() for flooded in flooding] == [None] * 60
    assert [answer.status_code for answer in served] == [200] * 10
    assert set(statuses) <= {401, 503}


def test_who_finds_the_queue_full_is_told_when_to_come_again(
    url: str, staff: Mapping[str, str]
) -> None:
    client = an_application(url, staff, requests_at_once=1, requests_waiting=0)
    inside, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        inside.set()
        go_on.wait(30)
        return "done"

    client.app.add_api_route("/api/v1/slow", slow)  # type: ignore[attr-defined]
    with running(client.app) as base, ThreadPoolExecutor(1) as threads:  # type: ignore[arg-type]
        first = threads.submit(httpx.get, base + "/api/v1/slow", timeout=60)
        assert inside.wait(30)
        second = httpx.get(base + "/api/v1/me")
        alive = httpx.get(base + "/health/live")
        go_on.set()
        assert first.result().status_code == 200
        assert httpx.get(base + "/api/v1/me").status_code == 401
    assert (second.status_code, second.headers["retry-after"]) == (503, "2")
    assert alive.status_code == 200


def test_a_stream_of_news_keeps_no_place_from_requests(url: str, staff: Mapping[str, str]) -> None:
    client = an_application(
        url, staff, requests_at_once=1, requests_waiting=0, streams_at_once=1, live_stream_s=60
    )
    headers = client.as_("analyst")
    with running(client.app) as base:  # type: ignore[arg-type]
        with httpx.stream("GET", base + "/api/v1/live", headers=headers, timeout=60) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 3000"
            assert httpx.get(base + "/api/v1/me", headers=headers).status_code == 200
            assert httpx.get(base + "/api/v1/live", headers=headers).status_code == 503
        assert httpx.get(base + "/api/v1/me", headers=headers).status_code == 200


def test_every_made_up_method_is_one_series(url: str, staff: Mapping[str, str]) -> None:
    client = an_application(url, staff)
    for number in range(20):
        client.request(f"METHOD{number}", "/api/v1/alerts")
        client.request("GET", f"/nothing/{number}")
    text = client.get("/metrics", headers=client.as_("engineer")).text
    series = [line for line in text.splitlines() if "_duration_seconds_count{" in line]
    assert [line.rsplit(" ", 1) for line in sorted(series)] == [
        [
            'forestall_request_duration_seconds_count{method="GET",route="/static",status="404"}',
            "20.0",
        ],
        [
            'forestall_request_duration_seconds_count{method="other",route="/api/v1/alerts",'
            'status="405"}',
            "20.0",
        ],
    ]


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /login HTTP/1.1\r\nHost: x\r\n",  # the head never ends
        b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nname=",  # nor does the body
    ],
)
def test_who_sends_too_slowly_is_let_go(url: str, staff: Mapping[str, str], begun: bytes) -> None:
    client = an_application(url, staff, request_read_s=1)
    with running(client.app) as base:  # type: ignore[arg-type]
        host, port = base.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(begun)
            answer = connection.recv(1000)
            try:
                ended = answer == b"" or connection.recv(100_000) is not None
            except ConnectionResetError:
                ended = True
    assert ended
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408")


def test_a_connection_is_kept_for_one_request_after_another(
    url: str, staff: Mapping[str, str]
) -> None:
    client = an_application(url, staff, request_read_s=1)
    with running(client.app) as base, httpx.Client(base_url=base) as browser:  # type: ignore[arg-type]
        assert [browser.get("/health/live").status_code for _ in range(20)] == [200] * 20


def test_browsers_are_told_to_stay_with_tls_only_behind_it(
    url: str, staff: Mapping[str, str]
) -> None:
    name = "strict-transport-security"
    assert name not in an_application(url, staff).get("/login").headers
    behind = an_application(url, staff, secure_cookies=True, hsts_days=2)
    assert behind.get("/login").headers[name] == "max-age=172800"
    assert name not in an_application(url, staff, secure_cookies=True, hsts_days=0).get("/").headers


def test_the_pool_holds_what_all_who_are_let_in_can_need(url: str) -> None:
    settings = ServingSettings(database_url=url, requests_at_once=20)
    app = create_app(settings=settings)
    pool = app.state.services.engine.pool
    assert pool.size() + pool._max_overflow == 48
