"""A cluster started as an installation starts one: with certificates, and nobody else is let in."""

import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from json import loads
from pathlib import Path
from time import sleep

import pytest

from data_contracts.errors import SettingsError
from pipelines.cluster.piece_report import Mishap, PieceReport
from pipelines.settings import Cluster
from tests.pipelines.cluster.certificates import make_certificates
from tests.pipelines.cluster.piece_functions import DOUBLED, double, kill_victim

HOST = "127.0.0.2"  # another address of this machine, as if it were the network's


@dataclass(frozen=True)
class Encrypted:
    """A scheduler and one worker in processes of their own."""

    scheduler: subprocess.Popen
    worker: subprocess.Popen
    address: str
    certificates: dict[str, Path]

    def settings(self, certificates: dict[str, Path] | None = None) -> Cluster:
        files = certificates or self.certificates
        return Cluster(scheduler=self.address, connect_seconds=60, **files)


@pytest.fixture
def encrypted(tmp_path) -> Iterator[Encrypted]:
    """The commands of docs/operations.md."""
    certificates = make_certificates(tmp_path / "certificates")
    own = {kind: str(certificates[f"{kind}_file"]) for kind in ("ca", "cert", "key")}
    file = tmp_path / "scheduler.json"
    tls = ["--tls-ca-file", own["ca"], "--tls-cert", own["cert"], "--tls-key", own["key"]]
    private = ["--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
    shared = [*tls, *private, "--scheduler-file", str(file), "--host", f"tls://{HOST}"]
    more = {"scheduler": ["--port", "0"], "worker": ["--nthreads", "2", "--no-nanny"]}
    with (tmp_path / "log").open("w") as log:
        scheduler, worker = (
            subprocess.Popen(
                [sys.executable, "-m", "dask", command, *shared, *options],
                stderr=log,
            )
            for command, options in more.items()
        )
        try:
            yield Encrypted(scheduler, worker, wait_for_worker(file, certificates), certificates)
        finally:
            for process in (worker, scheduler):
                process.kill()
                process.wait()


def wait_for_worker(file: Path, certificates: dict[str, Path]) -> str:
    """The address of the scheduler once it has a worker."""
    from distributed import Client, Security

    while not file.exists():
        sleep(0.1)
    address = loads(file.read_text())["address"]
    names = {"ca": "tls_ca_file", "cert": "tls_client_cert", "key": "tls_client_key"}
    security = Security(
        require_encryption=True,
        **{names[kind]: str(certificates[f"{kind}_file"]) for kind in names},
    )
    with Client(address, security=security, timeout=120, set_as_default=False) as client:
        client.wait_for_workers(1, timeout=300)
    return address


def test_whoever_has_a_certificate_is_let_in_and_nobody_else(encrypted, compute, tmp_path):
    found, report = compute(double, limits=encrypted.settings())
    assert encrypted.address.startswith(f"tls://{HOST}:")
    assert found == DOUBLED
    assert replace(report, open_s=0) == PieceReport(on_workers=8, workers=1)

    strange = make_certificates(tmp_path / "strange")
    mixed = encrypted.certificates | {kind: strange[kind] for kind in ("cert_file", "key_file")}
    for files in (strange, mixed):  # they trust nobody of ours, or nobody of ours trusts them
        found, report = compute(double, limits=encrypted.settings(files))
        assert found == DOUBLED
        assert report == PieceReport(here=8, mishaps={Mishap.SCHEDULER_MISSING: 1})


def refuses_strangers(ip: str, port: int, *, ca_file: Path) -> bool:
    """Whether somebody who trusts the authority and shows no certificate is turned away."""
    context = ssl.create_default_context(cafile=ca_file)
    context.check_hostname = False
    try:
        with (
            socket.create_connection((ip, port)) as plain,
            context.wrap_socket(plain) as without_certificate,
        ):
            without_certificate.recv(1)
    except (ssl.SSLError, ConnectionError):
        return True
    return False


def test_what_listens_has_an_address_of_its_own_and_asks_for_a_certificate(encrypted):
    import psutil

    listening = [
        one.laddr
        for process in (encrypted.scheduler, encrypted.worker)
        for one in psutil.Process(process.pid).net_connections()
        if one.status == psutil.CONN_LISTEN
    ]
    assert {one.ip for one in listening} == {HOST, "127.0.0.1"}
    for ip, port in listening:
        if ip == HOST:
            assert refuses_strangers(ip, port, ca_file=encrypted.certificates["ca_file"])


def test_where_the_scheduler_dies_on_the_way_this_machine_computes_the_rest(
    encrypted, compute, scene
):
    said = []
    found, report = compute(
        kill_victim,
        limits=encrypted.settings(),
        scene=replace(scene, victim=encrypted.scheduler.pid),
        progress=said.append,
    )
    (scene.folder / "go on").touch()
    assert found == DOUBLED
    assert report.mishaps == {Mishap.SCHEDULER_LOST: 1}
    assert (report.on_workers, report.here) == (3, 5)
    assert said[-1].endswith("was lost, this machine computes the rest")


def test_a_certificate_that_cannot_be_read_is_named(compute, tmp_path):
    files = make_certificates(tmp_path / "certificates")
    files["key_file"].unlink()
    with pytest.raises(SettingsError, match=r"cluster\.key_file .*key\.pem cannot be read"):
        compute(double, limits=Cluster(scheduler="tls://127.0.0.1:1", **files))
