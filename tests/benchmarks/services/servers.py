"""Servers in processes of their own, for as long as they are asked."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

__all__ = ["free_port", "running_server"]

ROOT = Path(__file__).parents[3]
STOP_S = 10


@contextmanager
def running_server(
    arguments: Sequence[str],
    *,
    ready_url: str,
    environment: Mapping[str, str] | None = None,
    timeout_s: float = 120,
) -> Iterator[None]:
    """Run a command until the block ends; the block begins once ``ready_url`` answers with 200.

    The folder of this Python is on the command's path. Raises ``RuntimeError`` with the end of its
    output where it ends by itself or is not ready in time.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    variables = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), **(environment or {})}
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            list(arguments), cwd=ROOT, env=variables, stdout=output, stderr=output,
            start_new_session=True,  # MLflow starts more; all of it is to end
        )  # fmt: skip
        try:
            if not wait_until_ready(process, ready_url, timeout_s=timeout_s):
                output.seek(0)
                raise RuntimeError(f"{arguments[0]} did not start: {output.read()[-1500:]}")
            yield
        finally:
            stop_group(process)


def wait_until_ready(process: subprocess.Popen[bytes], url: str, *, timeout_s: float) -> bool:
    """Whether ``url`` answers with 200 before the process ends and the time is over."""
    until = time.monotonic() + timeout_s
    while process.poll() is None and time.monotonic() < until:
        try:
            if httpx.get(url, timeout=5).status_code == 200:
                return True
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    return False


def stop_group(process: subprocess.Popen[bytes]) -> None:
    """End the process and all that it started."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
            process.wait(STOP_S)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
