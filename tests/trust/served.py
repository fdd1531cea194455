"""An installation that is served by ``forestall serve``, killed and started again as one likes."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import httpx

from pipelines.settings import Settings
from pipelines.webapp.accounts import add_user
from tests.benchmarks.services.servers import ROOT, free_port

__all__ = ["Served", "small_home"]

START_S = 180
ROOMY = {"FORESTALL_SERVING__ANONYMOUS_PER_MINUTE": "100000"}  # who asks whether it is there


class Served:
    """The web process of a home, and the token of an administrator in it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.token = add_user(settings, name="trust.battery", role="admin", communities=())
        self.address = f"http://127.0.0.1:{free_port()}"
        self.starts = 0
        # Outside the home, which may be full
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 -- it lives as long as we do
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()

    @property
    def headers(self) -> dict[str, str]:
        """What each request carries."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def pid(self) -> int:
        """The process that serves."""
        assert self._process is not None
        return self._process.pid

    def client(self) -> httpx.Client:
        """Somebody who has logged in."""
        return httpx.Client(base_url=self.address, headers=self.headers, timeout=60)

    def start(self) -> None:
        """Start, and wait until it answers at all."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli.main", "serve", "--home",
             str(self.settings.home), "--port", self.address.rpartition(":")[2]],
            cwd=ROOT, env=os.environ | ROOMY | {"PYTHONPATH": str(ROOT)}, stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )  # fmt: skip
        self.starts += 1
        until = time.monotonic() + START_S
        while time.monotonic() < until and self._process.poll() is None:
            try:
                if httpx.get(f"{self.address}/health/live", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        self._log.seek(0)
        raise RuntimeError(self._log.read()[-1500:])

    def kill(self) -> None:
        """Kill it with all that it has started."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


def small_home(folder: Path, *, alerts: int) -> Settings:
    """A home without a district, in which a list of so many alerts is published."""
    from pipelines.storage.installation.databases import open_serving_database
    from serving.publishing import publish_watchlist
    from tests.serving.published import a_watchlist, an_alert

    settings = Settings(home=folder / "home")
    settings.home.mkdir(parents=True)
    engine = open_serving_database(settings)
    listed = (an_alert(f"p1_{n}", n + 1, score=0.5) for n in range(alerts))
    publish_watchlist(engine, a_watchlist(*listed))
    engine.dispose()
    return settings
