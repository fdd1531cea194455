"""A server that speaks S3, and a proxy before it, each in a process of its own."""

import json
import subprocess
import sys
import urllib.request
from dataclasses import asdict
from typing import Self
from urllib.parse import urlsplit

from pipelines.settings import Storage
from tests.pipelines.storage.objects.proxy import Rule

# Each line that it is sent names two buckets, of which the second becomes a copy of the first.
MOTO = """
import json, sys
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
for line in sys.stdin:
    original, copy = json.loads(line)
    store = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    for key in store.get_bucket(original).keys.values():
        store.copy_object(key, copy, key.name)
    print("{}", flush=True)
"""
# Quick to give up: what is tried is whether it is done, not for how long.
PATIENCE = {"connect_seconds": 2, "answer_seconds": 2, "retries": 2, "retry_seconds": 10}


class Process:
    """A process that says its port and ends when we do."""

    def __init__(self, *command: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def ask(self, question: object) -> object:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


class ObjectServer:
    """Buckets to work on; each goes through the proxy if ``rules`` were given, or straight."""

    def __init__(self, server: Process, proxy: Process) -> None:
        self._server = server
        self._proxy = proxy
        self._buckets = 0

    def new_bucket(self) -> Storage:
        """The settings of an empty place of its own."""
        self._buckets += 1
        name = f"forestall-{self._buckets}"
        address = f"http://127.0.0.1:{self._server.port}"
        made = urllib.request.Request(f"{address}/{name}", method="PUT")
        urllib.request.urlopen(made).close()
        return Storage(url=f"s3://{name}/city", endpoint=address, **PATIENCE)

    def copied(self, original: Storage) -> Storage:
        """The settings of a place that holds what another one does."""
        copy = self.new_bucket()
        self._server.ask([str(urlsplit(one.url).hostname) for one in (original, copy)])
        return copy

    def with_faults(self, storage: Storage, *rules: Rule) -> Storage:
        """The same place on bad days."""
        self._proxy.ask([asdict(rule) for rule in rules])
        address = f"http://127.0.0.1:{self._proxy.port}"
        return storage.model_copy(update={"endpoint": address})

    def requests(self) -> list[tuple[str, str, str]]:
        """Method, address and fault of every request since the rules were given."""
        found = self._proxy.ask(None)
        assert isinstance(found, list)
        return [(method, path, fault) for method, path, fault in found]


def moto() -> Process:
    return Process("-c", MOTO)


def proxy(port: int) -> Process:
    return Process("-m", "tests.pipelines.storage.objects.proxy", str(port))
