import sys

import httpx
import pytest

from tests.benchmarks.services.load import send_requests
from tests.benchmarks.services.servers import free_port, running_server


@pytest.fixture(scope="module")
def address():
    port = free_port()
    address = f"http://127.0.0.1:{port}/"
    app = "tests.benchmarks.services.idle_app:app"
    with running_server(
        [sys.executable, "-m", "uvicorn", app, "--port", str(port)], ready_url=address
    ):
        yield address


def test_every_request_is_counted_and_answered_in_order(address) -> None:
    found, answers = send_requests(
        "idle", lambda client, number: client.get(f"{address}?{number}"),
        clients=3, requests=20, note="",
    )  # fmt: skip
    assert (found.clients, found.requests) == (3, 20)
    assert 0 < found.p50_s <= found.p99_s
    assert [str(answer.url).partition("?")[2] for answer in answers] == [
        str(number) for number in range(20)
    ]


def test_an_answer_that_is_no_success_stops_it(address) -> None:
    with pytest.raises(httpx.HTTPStatusError):
        send_requests(
            "idle", lambda client, number: client.get(f"{address}nowhere"),
            clients=1, requests=1, note="",
        )  # fmt: skip


def test_a_server_that_does_not_start_says_why() -> None:
    with (
        pytest.raises(RuntimeError, match="no port today"),
        running_server(
            [sys.executable, "-c", "raise SystemExit('no port today')"],
            ready_url="http://127.0.0.1:9/",
        ),
    ):
        pass
