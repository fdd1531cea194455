"""What a flow left on Prefect's pages."""

from typing import Any


def read_artifact(key: str) -> dict[str, Any]:
    """The newest artifact of that key."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        found = client.request("GET", "/artifacts/{key}/latest", path_params={"key": key})
        artifact: dict[str, Any] = found.json()
        return artifact
