from collections.abc import Iterator

import pytest

from pipelines.settings import Storage
from tests.pipelines.storage.objects.server import ObjectServer, moto, proxy


@pytest.fixture(scope="session")
def object_server() -> Iterator[ObjectServer]:
    """An object store and a proxy before it."""
    with moto() as server, proxy(server.port) as before:
        yield ObjectServer(server, before)


@pytest.fixture
def bucket(object_server) -> Storage:
    """The settings of an empty bucket."""
    return object_server.new_bucket()
