"""The files of `deploy/`: started here as systemd would, and held against the product."""

import configparser
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
import yaml

from pipelines.settings import Schedule, Settings
from pipelines.settings.file_and_environment import ENVIRONMENT_PREFIX, NESTED_BY
from pipelines.settings.keys import list_keys
from tests.pipelines.cluster.certificates import KINDS, make_certificates
from tests.test_docs import parse_command

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
INSTALLED = "/opt/forestall/.venv/bin/"
STATE = "/var/lib/forestall"
START_S = 120
# Such as `docker compose` or `podman-compose`; images are built or fetched where there are none.
COMPOSE = os.environ.get("FORESTALL_TEST_COMPOSE", "")


def read_unit(path: Path) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(path)
    return unit


def read_environment(path: Path, *, state: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.replace(STATE, str(state)).split("=", 1) for line in lines)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def started(name: str, *, state: Path, **changed: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command of a unit with its environment and file mode, below ``state``; stopped as systemd
    stops it.
    """
    unit = read_unit(DEPLOY / "systemd" / f"{name}.service")
    file = DEPLOY / "systemd" / Path(unit["Service"]["EnvironmentFile"]).name
    named = read_environment(file, state=state) | changed
    command = unit["Service"]["ExecStart"].replace(INSTALLED, f"{Path(sys.executable).parent}/")
    words = [re.sub(r"\$\{(\w+)\}", lambda found: named[found[1]], w) for w in shlex.split(command)]
    ours = (ENVIRONMENT_PREFIX, "PREFECT_")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    for folder in unit["Service"]["StateDirectory"].split():
        (state.parent / folder).mkdir(mode=0o700, exist_ok=True)
    with (state / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            words, cwd=state, env=inherited | named, stdout=log, stderr=subprocess.STDOUT,
            umask=int(unit["Service"]["UMask"], 8), start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        assert unit["Service"]["KillMode"] == "mixed"  # only the process itself is told to end
        process.terminate()
        assert process.wait(float(unit["Service"]["TimeoutStopSec"])) in {0, -signal.SIGTERM}


def await_answer(url: str, *, of: subprocess.Popen[bytes], log: Path) -> None:
    give_up_at = time.monotonic() + START_S
    while time.monotonic() < give_up_at:
        assert of.poll() is None, log.read_text()
        try:
            with urlopen(url, timeout=2) as answer:
                assert answer.status == 200
                return
        except (URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
    raise AssertionError(log.read_text())


@pytest.fixture
def state(tmp_path):
    folder = tmp_path / "forestall"
    folder.mkdir()
    return folder


def test_serve_starts_as_its_unit_says_and_what_it_writes_is_the_owners_alone(state):
    port = free_port()
    with started("forestall-serve", state=state, SERVE_PORT=str(port)) as process:
        await_answer(
            f"http://127.0.0.1:{port}/health/live", of=process, log=state / "forestall-serve.log"
        )
    written = [path for path in (state / "home").rglob("*") if path.is_file()]
    assert written
    assert {path.stat().st_mode & 0o077 for path in written} == {0}


def test_schedule_plans_the_runs_and_ends_with_its_server(state):
    port = free_port()
    address = f"http://127.0.0.1:{port}/api"
    log = state / "forestall-schedule.log"
    with started("forestall-schedule", state=state, PREFECT_PORT=str(port)) as process:
        await_answer(f"{address}/health", of=process, log=log)
        planned, give_up_at = planned_runs(address), time.monotonic() + START_S
        while set(planned) != set(Schedule.model_fields) and time.monotonic() < give_up_at:
            time.sleep(0.5)
            planned = planned_runs(address)
    assert set(planned) == set(Schedule.model_fields)
    nightly = planned["nightly"]
    assert {moment[11:16] for moment in nightly} == {"16:05"}  # in UTC: 00:05 in Shanghai
    assert {moment[14:16] for moment in planned["intraday"]} == {"00", "15", "30", "45"}
    give_up_at = time.monotonic() + START_S
    while not is_free(port) and time.monotonic() < give_up_at:
        time.sleep(0.2)
    assert is_free(port)


def planned_runs(address: str) -> dict[str, set[str]]:
    """When the runs of each flow are planned, as Prefect's server says."""
    asked = {"limit": 200}
    names = {one["id"]: one["name"] for one in ask_prefect(f"{address}/flows/filter", asked)}
    runs = ask_prefect(f"{address}/flow_runs/filter", asked)
    planned: dict[str, set[str]] = {}
    for run in runs:
        planned.setdefault(names[run["flow_id"]], set()).add(run["expected_start_time"])
    return planned


def ask_prefect(url: str, question: Mapping[str, object]) -> list[dict[str, str]]:
    request = Request(
        url, json.dumps(question).encode(), headers={"Content-Type": "application/json"}
    )
    with urlopen(request, timeout=5) as answer:
        return list(json.load(answer))


def test_scheduler_and_workers_start_as_their_units_say_and_speak_to_who_has_a_certificate(state):
    from distributed import Client, Security

    files = make_certificates(state / "tls")
    address = f"tls://127.0.0.1:{free_port()}"
    given = {
        "CLUSTER_PORT": address.rpartition(":")[2],
        "CLUSTER_SCHEDULER": address,
        **{f"CLUSTER_{kind.upper()}": str(files[f"{kind}_file"]) for kind in KINDS},
    }
    ca, cert, key = (str(files[f"{kind}_file"]) for kind in KINDS)
    known = Security(
        tls_ca_file=ca, tls_client_cert=cert, tls_client_key=key, require_encryption=True
    )
    with (
        started("forestall-scheduler", state=state, **given),
        started("forestall-worker", state=state, **given),
        Client(address, security=known, timeout=START_S) as client,
    ):
        client.wait_for_workers(2, timeout=START_S)
        assert len(set(client.run(os.getpid).values())) == 2


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_finds_nothing_wrong_with_a_unit(unit, tmp_path):
    for path in (DEPLOY / "systemd").glob("forestall*.[st]*"):
        text = path.read_text().replace(f"{INSTALLED}", f"{Path(sys.executable).parent}/")
        (tmp_path / path.name).write_text(text)
    checked = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / unit.name)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    ours = [line for line in checked.stderr.splitlines() if line.startswith("forestall")]
    assert (ours, checked.returncode) == ([], 0)


def settings_names() -> set[str]:
    keys = [NESTED_BY.join(key.path).upper() for key in list_keys(Settings)]
    served = [name.removeprefix("SERVING" + NESTED_BY) for name in keys]
    return {ENVIRONMENT_PREFIX + name for name in (*keys, *served, "HOME", "KEYS")}


def test_the_environment_of_the_units_names_settings_alone():
    text = (DEPLOY / "systemd" / "forestall.env").read_text()
    named = set(re.findall(r"^#? ?(FORESTALL_\w+)=", text, flags=re.MULTILINE))
    assert named <= settings_names()


def services() -> Mapping[str, Mapping[str, object]]:
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"])


def test_containers_run_commands_and_settings_that_there_are():
    ours = {name: one for name, one in services().items() if one.get("image") == "forestall"}
    assert {"serve", "schedule"} <= set(ours)
    for one in ours.values():
        words = one["command"]
        assert isinstance(words, list)
        if "entrypoint" not in one:
            parse_command(shlex.join(["forestall", *words]))
        named = one["environment"]
        assert isinstance(named, dict)
        assert {name for name in named if name.startswith(ENVIRONMENT_PREFIX)} <= settings_names()


def test_containers_open_no_port_but_to_this_machine():
    opened = [port for one in services().values() for port in one.get("ports", ())]  # type: ignore[attr-defined]
    assert opened == ["127.0.0.1:8000:8000"]


@pytest.mark.skipif(not COMPOSE, reason="FORESTALL_TEST_COMPOSE names no way to start containers")
def test_containers_serve_the_pages():
    command = [*shlex.split(COMPOSE), "-p", "forestall-test", "-f", str(DEPLOY / "compose.yaml")]
    named = os.environ | {"DATABASE_PASSWORD": "of-a-test"}
    try:
        subprocess.run([*command, "up", "-d"], env=named, check=True)
        give_up_at = time.monotonic() + START_S
        answer = None
        while answer is None and time.monotonic() < give_up_at:
            time.sleep(1)
            with suppress(URLError, TimeoutError, ConnectionError):
                answer = json.load(urlopen("http://127.0.0.1:8000/health/ready", timeout=2))
        assert answer is not None
        assert answer["status"] == "ok"
    finally:
        subprocess.run([*command, "down", "-v"], env=named, check=True)


def test_the_image_holds_every_package():
    copied = re.findall(r"^COPY (\w+) \1$", (DEPLOY / "Containerfile").read_text(), re.MULTILINE)
    assert set(copied) == {"data_contracts", "features", "models", "pipelines", "serving"}
