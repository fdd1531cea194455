"""The list of alerts under load, beside a route that does nothing behind the same server."""

import sys
from pathlib import Path

import httpx

from tests.benchmarks.figures import Latency
from tests.benchmarks.services.api import running_api
from tests.benchmarks.services.load import Answer, send_requests
from tests.benchmarks.services.servers import free_port, running_server

__all__ = ["measure_api_load"]

IDLE = "tests.benchmarks.services.idle_app:app"


def measure_api_load(home: Path, *, clients: int, requests: int) -> tuple[Latency, ...]:
    """The list of alerts asked by one client and by several at once; then the idle route, which
    shows what the server and the generator of the load themselves take.
    """
    with running_api(home) as api:
        found = [
            send_requests(
                "list of alerts",
                api.list_alerts,
                clients=number,
                requests=requests,
                note="token checked, rows of the own communities, JSON",
            )[0]
            for number in (1, clients)
        ]
    port = free_port()
    address = f"http://127.0.0.1:{port}/"

    def ask_idle(client: httpx.Client, number: int) -> Answer:
        return client.get(address)

    command = [sys.executable, "-m", "uvicorn", IDLE, "--port", str(port)]
    with running_server([*command, "--log-level", "warning"], ready_url=address):
        note = "a FastAPI route that returns a constant: no more is to be had here"
        found += [
            send_requests("idle route", ask_idle, clients=number, requests=requests, note=note)[0]
            for number in (1, clients)
        ]
    return tuple(found)
