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


@dataclass(frozen=True)
class Encrypted:
    """A scheduler and one worker in processes of their own."""

    scheduler: subprocess.Popen
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
    shared = [*tls, "--scheduler-file", str(file), "--host", "tls://127.0.0.1", "--no-dashboard"]
    more = {"scheduler": ["--port", "0"], "worker": ["--nthreads", "1", "--no-nanny"]}
    with (tmp_path / "log").open("w") as log:
        scheduler, worker = (
            subprocess.Popen(
                [sys.executable, "-m", "dask", command, *shared, *options],
                stderr=log,
            )
            for command, options in more.items()
        )
        try:
            yield Encrypted(scheduler, wait_for_worker(file, certificates), certificates)
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
    assert encrypted.address.startswith("tls://127.0.0.1:")
    assert found == DOUBLED
    assert replace(report, open_s=0) == PieceReport(on_workers=8, workers=1)

    strange = make_certificates(tmp_path / "strange")
    mixed = encrypted.certificates | {kind: strange[kind] for kind in ("cert_file", "key_file")}
    for files in (strange, mixed):  # they trust nobody of ours, or nobody of ours trusts them
        found, report = compute(double, limits=encrypted.settings(files))
        assert found == DOUBLED
        assert report == PieceReport(here=8, mishaps={Mishap.SCHEDULER_MISSING: 1})

    host, port = encrypted.address.removeprefix("tls://").split(":")
    context = ssl.create_default_context(cafile=encrypted.certificates["ca_file"])
    context.check_hostname = False
    with (
        socket.create_connection((host, int(port))) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
        context.wrap_socket(plain) as without_certificate,
    ):
        without_certificate.recv(1)


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
