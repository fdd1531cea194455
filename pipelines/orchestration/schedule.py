"""The schedule: the four flows served on their clocks, with a Prefect server beside them unless one
is named.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

from data_contracts.errors import SettingsError
from pipelines.clock import ZONE
from pipelines.settings import Settings

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Schedule

__all__ = ["build_deployments", "serve_schedule"]

MAX_CONCURRENT_RUNS = 2  # a tick need not wait for a training, but a small machine bears no more
HOST, PORT = "127.0.0.1", 4200
STARTUP_S = 120


def serve_schedule(settings: Settings, *, landing: Path, port: int = PORT) -> None:
    """Run the flows on their schedules until stopped; ``landing`` is the folder that partners
    deliver into.

    ``PREFECT_API_URL`` names the Prefect server to use; without it one is started on this machine,
    reachable from here alone, with its database in the home. Raises ``SettingsError`` where that
    server cannot start.
    """
    with prefect_server(settings.home.resolve() / "prefect", port=port):
        from prefect import serve

        serve(*build_deployments(settings, landing=landing), limit=MAX_CONCURRENT_RUNS)


def build_deployments(settings: Settings, *, landing: Path) -> tuple["RunnerDeployment", ...]:
    """The four flows with their clocks; a run that would overlap the last one of its kind is left
    out.

    Raises ``SettingsError`` naming the clock that cannot be read.
    """
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.deployments.runner import RunnerDeployment
    from prefect.types.entrypoint import EntrypointType

    from pipelines.orchestration import flows

    place = {"home": str(settings.home.resolve())}
    arrivals = place | {"landing": str(landing.resolve())}
    plan = (
        (flows.nightly, settings.schedule.nightly, arrivals),
        (flows.intraday, settings.schedule.intraday, arrivals),
        (flows.retrain, settings.schedule.retrain, place),
        (flows.backtest, settings.schedule.backtest, place),
    )
    one_at_a_time = ConcurrencyLimitConfig(
        limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
    )
    return tuple(
        RunnerDeployment.from_flow(
            flow,
            name="forestall",
            schedule=cron_schedule(flow.name, cron),
            parameters=parameters,
            concurrency_limit=one_at_a_time,
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        for flow, cron, parameters in plan
    )


def cron_schedule(name: str, cron: str) -> "Schedule":
    """A cron line in Shanghai's time."""
    from prefect.schedules import Cron

    try:
        return Cron(cron, timezone=ZONE)
    except ValueError:
        raise SettingsError(
            f"schedule.{name}: {cron!r} is not a cron line",
            remedy="Write minute, hour, day, month and weekday.",
        ) from None


@contextmanager
def prefect_server(home: Path, *, port: int) -> Iterator[None]:
    """A Prefect server for the length of the block, unless the environment names one; must precede
    Prefect's import.
    """
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    if "PREFECT_API_URL" in os.environ:
        yield
        return
    home.mkdir(parents=True, exist_ok=True)
    os.environ |= {"PREFECT_HOME": str(home), "PREFECT_API_URL": f"http://{HOST}:{port}/api"}
    command = [
        sys.executable,
        "-m",
        "prefect",
        "server",
        "start",
        "--host",
        HOST,
        "--port",
        str(port),
    ]
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603 -- our own words
        try:
            await_server(process, url=f"http://{HOST}:{port}/api/health", log=home / "server.log")
            yield
        finally:
            process.terminate()
            process.wait()


def await_server(process: subprocess.Popen[bytes], *, url: str, log: Path) -> None:
    """Return once the server answers. Raises ``SettingsError`` when it ends or stays silent."""
    give_up_at = monotonic() + STARTUP_S
    while process.poll() is None and monotonic() < give_up_at:
        try:
            with urlopen(url, timeout=2):  # noqa: S310 -- our own address
                return
        except (URLError, TimeoutError, ConnectionError):
            sleep(0.5)
    raise SettingsError(
        f"Prefect's server did not start; {log} says why",
        remedy="Free the port, or name a running server with PREFECT_API_URL.",
    )
