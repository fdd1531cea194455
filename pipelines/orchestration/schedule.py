"""The schedule: the flows served on their clocks, with a Prefect server beside them unless one is
named.

A flow is declared by a setting in the section ``schedule``: its name is the flow's in
``pipelines.orchestration.flows``, its default the usual clock.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

from data_contracts.errors import SettingsError
from pipelines.clock import ZONE
from pipelines.settings import Settings

if TYPE_CHECKING:
    from prefect import Flow
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Schedule

__all__ = ["build_deployments", "select_parameters", "serve_schedule"]

MAX_CONCURRENT_RUNS = 2  # a tick need not wait for a training, but a small machine bears no more
HOST = "127.0.0.1"
STARTUP_S = 120


def serve_schedule(settings: Settings, *, landing: Path, port: int) -> None:
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
    """All flows with their clocks; a run that would overlap the last one of its kind is left
    out.

    Raises ``SettingsError`` naming the clock that cannot be read.
    """
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.deployments.runner import RunnerDeployment
    from prefect.types.entrypoint import EntrypointType

    from pipelines.orchestration import flows

    places = {"home": str(settings.home.resolve()), "landing": str(landing.resolve())}
    one_at_a_time = ConcurrencyLimitConfig(
        limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
    )
    return tuple(
        RunnerDeployment.from_flow(
            flow := getattr(flows, name),
            name="forestall",
            schedule=cron_schedule(name, cron),
            parameters=select_parameters(flow, given=places),
            concurrency_limit=one_at_a_time,
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        for name, cron in settings.schedule
    )


def select_parameters(flow: "Flow[..., Any]", *, given: Mapping[str, str]) -> dict[str, str]:
    """Those of the ``given`` parameters that the flow takes."""
    taken = signature(flow.fn).parameters
    return {name: value for name, value in given.items() if name in taken}


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
