import pytest

from pipelines.settings import Storage


@pytest.fixture
def bucket(object_server) -> Storage:
    """The settings of an empty bucket."""
    return object_server.new_bucket()
