"""How an object store is reached, in the words of each library. Credentials are in none of them:
every library looks for these in the environment by itself.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pipelines.settings import Storage

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

__all__ = [
    "address_options",
    "client_options",
    "delta_options",
    "polars_options",
    "retry_options",
]


def delta_options(storage: Storage) -> dict[str, str]:
    """For deltalake; a commit is a put that never takes the place of another."""
    return {
        **shared_options(storage),
        "aws_conditional_put": "etag",
        "max_retries": str(storage.retries),
        "retry_timeout": f"{storage.retry_seconds:g}s",
    }


def polars_options(storage: Storage) -> dict[str, Any]:
    """For Polars, which knows two of them under other names or types."""
    return {
        **shared_options(storage),
        "max_retries": storage.retries,
        "retry_timeout_ms": int(storage.retry_seconds * 1000),
    }


def address_options(storage: Storage) -> "S3Config":
    """The address, for obstore."""
    endpoint: S3Config = {"endpoint": storage.endpoint} if storage.endpoint else {}
    return {**endpoint, "region": storage.region}


def client_options(storage: Storage) -> "ClientConfig":
    """The connection, for obstore."""
    return {
        "allow_http": is_http(storage),
        "connect_timeout": timedelta(seconds=storage.connect_seconds),
        "timeout": timedelta(seconds=storage.answer_seconds),
    }


def retry_options(storage: Storage) -> "RetryConfig":
    """What is sent again, for obstore."""
    return {
        "max_retries": storage.retries,
        "retry_timeout": timedelta(seconds=storage.retry_seconds),
    }


def shared_options(storage: Storage) -> dict[str, str]:
    """Those that deltalake and Polars know under the same names."""
    endpoint = {"aws_endpoint_url": storage.endpoint} if storage.endpoint else {}
    return {
        **endpoint,
        "aws_region": storage.region,
        "aws_allow_http": str(is_http(storage)).lower(),
        "connect_timeout": f"{storage.connect_seconds:g}s",
        "timeout": f"{storage.answer_seconds:g}s",
    }


def is_http(storage: Storage) -> bool:
    """Whether the endpoint is unencrypted; the settings say where it may be."""
    return storage.endpoint.startswith("http://")
