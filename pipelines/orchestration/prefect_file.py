"""The file with which a Prefect installation with workers of its own deploys the flows."""

from typing import Any

import yaml

from pipelines.clock import ZONE
from pipelines.orchestration.schedule import select_parameters
from pipelines.settings import Schedule

__all__ = ["PREFECT_FILE", "prefect_configuration"]

PREFECT_FILE = "prefect.yaml"

_INTRODUCTION = """# The flows for a Prefect installation with workers of its own:
# `prefect deploy --all`.
# Made from the settings of the section `schedule` by `forestall docs`; do not edit.
# On one machine `forestall schedule` does the same without a work pool. The places are those of
# that machine: the home from FORESTALL_HOME, the landing folder as given here.
"""


def prefect_configuration() -> str:
    """Return the content of ``prefect.yaml``: every flow of the schedule on its usual clock."""
    content = {
        "name": "forestall",
        "deployments": [
            _deployment(name, cron=field.default, description=field.description or "")
            for name, field in Schedule.model_fields.items()
        ],
    }
    return _INTRODUCTION + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def _deployment(name: str, *, cron: str, description: str) -> dict[str, Any]:
    from pipelines.orchestration import flows

    return {
        "name": "forestall",
        "entrypoint": f"pipelines/orchestration/flows.py:{name}",
        "description": description,
        "schedules": [{"cron": cron, "timezone": ZONE}],
        "parameters": select_parameters(getattr(flows, name), given={"landing": "landing"}),
        "concurrency_limit": {"limit": 1, "collision_strategy": "CANCEL_NEW"},
        "work_pool": {"name": "forestall"},
    }
