"""``make trust``: run the battery and write docs/trust-report.md.

python -m tests.trust                       # in full, some hours
python -m tests.trust --short --out /tmp/x  # what every change has to pass
python -m tests.trust --only load --soak 120
"""

import argparse
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.trust.battery import PARTS, run_battery
from tests.trust.report import Circumstances, write_report
from tests.trust.sizes import FULL, SHORT

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "trust-report.md"


def main() -> None:
    """Run as the command line says; exit with 1 if anything did not hold."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--short", action="store_true", help="a few minutes of each")
    options.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    options.add_argument("--soak", type=float, default=0, help="minutes of load at the end")
    options.add_argument("--out", type=Path, default=PAGE)
    chosen = options.parse_args()
    begun = time.monotonic()

    def say(text: str) -> None:
        sys.stdout.write(f"{time.monotonic() - begun:6.0f} s  {text}\n")
        sys.stdout.flush()

    outcome = run_battery(
        SHORT if chosen.short else FULL,
        parts=chosen.only,
        is_short=chosen.short,
        soak_minutes=chosen.soak,
        say=say,
    )
    circumstances = Circumstances(
        revision=_revision(),
        finished_at=datetime.now(UTC),
        minutes=(time.monotonic() - begun) / 60,
        cores=len(os.sched_getaffinity(0)),
        load_average=os.getloadavg()[1],
    )
    chosen.out.write_text(write_report(outcome, circumstances), encoding="utf-8")
    faults = outcome.faults()
    for fault in faults:
        say(fault)
    say(f"{len(faults)} faults; {chosen.out}")
    sys.exit(min(len(faults), 1))


def _revision() -> str:
    found = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, check=False,
                           capture_output=True, text=True)  # fmt: skip
    return found.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
