"""The schedule as a user starts it: a Prefect server of our own that really plans the runs of the
four flows.
"""

import json
import os
import socket
import subprocess
import sys

from pipelines.settings import Schedule

PROGRAM = """
import json, sys, time
from pathlib import Path
from pipelines.orchestration.schedule import build_deployments, prefect_server
from pipelines.settings import Settings

home = Path(sys.argv[1])
with prefect_server(home / "prefect", port=int(sys.argv[2])):
    from prefect.client.orchestration import get_client
    deployments = build_deployments(Settings(home=home), landing=home / "landing")
    served = {str(one.apply()): one.flow_name for one in deployments}
    planned, give_up_at = {}, time.monotonic() + 60
    with get_client(sync_client=True) as client:
        while set(planned) != set(served.values()) and time.monotonic() < give_up_at:
            time.sleep(0.5)
            for run in client.read_flow_runs(limit=200):
                times = planned.setdefault(served[str(run.deployment_id)], set())
                times.add(run.expected_start_time.isoformat())
print(json.dumps({name: sorted(times) for name, times in planned.items()}))
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_the_server_plans_the_runs(tmp_path):
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), str(free_port())],
        env=alone, capture_output=True, text=True, check=True,
    )  # fmt: skip
    planned = json.loads(ended.stdout.splitlines()[-1])
    assert set(planned) == set(Schedule.model_fields)
    assert all(
        ":05:00" in moment and "T16:" in moment for moment in planned["nightly"]
    )  # 00:05 in Shanghai
    minutes = {moment.split(":")[1] for moment in planned["intraday"]}
    assert minutes == {"00", "15", "30", "45"}
