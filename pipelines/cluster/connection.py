"""The connection to a Dask scheduler: encrypted, or on this machine; only this module and its
workers know Dask.
"""

import logging
import pickle
import warnings
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from data_contracts.errors import ForestallError, SettingsError
from pipelines.settings import Cluster

if TYPE_CHECKING:
    from distributed import Client, Future, Security

__all__ = [
    "ClusterLink",
    "LostAnswerError",
    "RemoteResult",
    "connect_cluster",
    "pack_shared",
    "require_cluster",
]

CERTIFICATES = ("ca_file", "cert_file", "key_file")
SHARED_LEVEL = 1  # of the compression: models are text, and shrink to a third in no time


def require_cluster(cluster: Cluster) -> None:
    """Raise ``SettingsError`` where Dask is not installed or a certificate cannot be read."""
    if find_spec("distributed") is None:
        raise SettingsError(
            "cluster.scheduler names a Dask scheduler, and Dask is not installed",
            remedy="Install forestall[cluster], or leave cluster.scheduler empty.",
        )
    for name in CERTIFICATES:
        path = getattr(cluster, name)
        try:
            if path is not None:
                path.read_bytes()
        except OSError as error:
            raise SettingsError(
                f"cluster.{name} {path} cannot be read",
                remedy="Name a file in PEM form that this user may read.",
            ) from error


def connect_cluster(cluster: Cluster) -> "ClusterLink | None":
    """The connection that the settings describe; None where there is no scheduler within
    ``connect_seconds``, or one that will not speak with us.

    No port is opened here, and no dashboard.
    """
    from distributed import Client

    # It logs each failed attempt to find a lost scheduler again; that it is lost we say ourselves.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        client = Client(
            cluster.scheduler,
            timeout=cluster.connect_seconds,
            security=encryption(cluster),
            set_as_default=False,
            name="forestall",
        )
    except (OSError, TimeoutError):
        return None
    return ClusterLink(client, seconds=cluster.connect_seconds)


def encryption(cluster: Cluster) -> "Security | None":
    """What encrypts the connection, both sides showing a certificate; None on this machine."""
    from distributed import Security

    if not cluster.scheduler.startswith("tls://"):
        return None
    security: Security = Security(
        require_encryption=True,
        tls_ca_file=str(cluster.ca_file),
        tls_client_cert=str(cluster.cert_file),
        tls_client_key=str(cluster.key_file),
    )
    return security


class ClusterLink:
    """What is asked of the scheduler: who works, and to have a worker compute something.

    Nothing waits longer than ``seconds`` for it; once it is lost, it stays lost.
    """

    def __init__(self, client: "Client", *, seconds: float) -> None:
        self._client = client
        self._seconds = seconds
        self._lost = False

    @property
    def is_lost(self) -> bool:
        """Whether the scheduler has gone."""
        self._lost = self._lost or self._client.status != "running"
        return self._lost

    def workers(self) -> dict[str, int]:
        """The threads of each worker by its address; nothing once the scheduler is lost."""
        if self.is_lost:
            return {}
        try:
            found: dict[str, int] = self._client.sync(
                self._client.scheduler.ncores, callback_timeout=self._seconds
            )
        except (OSError, TimeoutError):
            self._lost = True
            return {}
        return found

    def share(self, packed: bytes, *, worker: str) -> "RemoteResult":
        """Have on a worker, once for all pieces, what :func:`pack_shared` packed."""
        return self._submit(unpack_shared, packed, worker=worker)

    def compute(
        self,
        function: Callable[..., Any],
        task: object,
        shared: "RemoteResult",
        piece: object,
        *,
        worker: str,
    ) -> "RemoteResult":
        """Have a worker compute ``function`` of a task, of what it shares, and of a piece."""
        return self._submit(function, task, shared.future, piece, worker=worker)

    def _submit(self, function: Callable[..., Any], *values: object, worker: str) -> "RemoteResult":
        if self.is_lost:
            raise LostAnswerError("the scheduler is gone")
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            # Dask would have what is larger than 10 MB scattered; it is sent to each worker once.
            future = self._client.submit(function, *values, workers=[worker], pure=False)
        return RemoteResult(future)

    def close(self) -> None:
        """Leave; what workers still compute is dropped."""
        with suppress(OSError, RuntimeError, TimeoutError):  # a lost one is half closed by itself
            self._client.close(timeout=self._seconds)


class LostAnswerError(ForestallError):
    """A worker is gone, and what it computed with it."""


@dataclass(frozen=True, eq=False)
class RemoteResult:
    """What a worker computes; held for as long as somebody may want it."""

    future: "Future"

    def fetch(self) -> Any:
        """Wait for what it comes to.

        Raises what went wrong on the worker, and ``LostAnswerError`` where that one is gone or
        nobody waits for the answer any more.
        """
        from distributed import KilledWorker

        try:
            return self.future.result()
        except BaseException as error:
            if self.future.status == "error" and not isinstance(error, KilledWorker):
                raise
            raise LostAnswerError("a worker is gone, and what it computed with it") from error

    def drop(self) -> None:
        """Wait for it no more."""
        with suppress(RuntimeError):  # the connection has closed itself, and nobody waits
            self.future.cancel()


def pack_shared(value: object) -> bytes:
    """What all pieces share, small enough to be sent to every worker."""
    return zlib.compress(pickle.dumps(value), SHARED_LEVEL)


def unpack_shared(packed: bytes) -> Any:
    """What :func:`pack_shared` packed."""
    return pickle.loads(zlib.decompress(packed))  # noqa: S301 -- from a certified scheduler, as all that Dask runs
