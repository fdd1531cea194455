"""The API of an installation in a process of its own, and what it is asked here."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from pipelines.settings import Settings
from pipelines.webapp.accounts import add_user
from tests.benchmarks.services.servers import free_port, running_server

__all__ = ["Api", "running_api"]


@dataclass(frozen=True, kw_only=True)
class Api:
    """Where the API is, and the token of an analyst."""

    address: str
    token: str

    def list_alerts(self, client: httpx.Client, number: int) -> httpx.Response:
        """The first page of the current alerts."""
        return client.get(f"{self.address}/api/v1/alerts", headers=self.headers)

    def rescore_person(self, client: httpx.Client, person: str) -> httpx.Response:
        """A fresh score of one person."""
        return client.post(f"{self.address}/api/v1/people/{person}/rescore", headers=self.headers)

    @property
    def headers(self) -> dict[str, str]:
        """What each request carries."""
        return {"Authorization": f"Bearer {self.token}"}


@contextmanager
def running_api(home: Path) -> Iterator[Api]:
    """Serve a home with `forestall serve` until the block ends."""
    token = add_user(
        Settings.load(home), name=f"bench{free_port()}", role="analyst", communities=()
    )
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "pipelines.cli.main", "serve"]
    options = ["--home", str(home), "--port", str(port)]
    with running_server([*command, *options], ready_url=f"{address}/health/ready"):
        yield Api(address=address, token=token)
