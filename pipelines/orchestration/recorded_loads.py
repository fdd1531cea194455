"""Loading as an installation runs it: the plain functions, with each run written down.

Apart from the other verbs: a load starts often, and has no use for what they import.
"""

from collections import Counter
from functools import partial

from pipelines.ingestion.ingest import ingest
from pipelines.ingestion.outcomes.delivery_quality import quality_report
from pipelines.ingestion.outcomes.reports import IngestReport
from pipelines.ingestion.retries.retry import RetryReport, retry_quarantine
from pipelines.ingestion.withdrawals.withdrawal import Withdrawal, withdraw_load
from pipelines.orchestration.run_log import Arguments, RunResult, recorded

__all__ = [
    "describe_ingest",
    "describe_retry",
    "describe_withdrawal",
    "run_ingest",
    "run_retry",
    "run_withdrawal",
]

# What is told of files, by the kind of decision about them.
DECIDED = {
    "accept": "waived",
    "replace": "replaced",
    "undo": "undone",
    "withdraw": "withdrawn",
    "gone": "gone",
}


def describe_ingest(loaded: IngestReport, arguments: Arguments) -> RunResult:
    """Count files and rows, what was decided beside the rules and how many rows left the lake for
    it, and report how good the deliveries were.
    """
    counts = {
        name: sum(getattr(file, name) for file in loaded.files)
        for name in ("accepted", "quarantined", "duplicates", "held")
    }
    delivered = sum(file.status != "gone" for file in loaded.files)
    decided = Counter(DECIDED[decision.kind] for decision in loaded.decisions)
    decided["unreadable"] = sum(file.status == "unreadable" for file in loaded.files)
    decided["removed"] = sum(decision.rows for decision in loaded.decisions)
    return RunResult(
        facts={"files": delivered, **counts, **+decided},
        reports=[partial(quality_report, arguments["settings"])],
    )


def describe_retry(retried: RetryReport, arguments: Arguments) -> RunResult:
    """Count what left the quarantine and what is still in it, and report how good the deliveries
    are by now.
    """
    counts = {
        name: sum(getattr(file, field) for file in retried.files)
        for name, field in (
            ("accepted", "accepted"),
            ("quarantined", "rejected"),
            ("duplicates", "duplicates"),
        )
    }
    return RunResult(
        facts={"files": len(retried.files), **counts},
        reports=[partial(quality_report, arguments["settings"])],
    )


def describe_withdrawal(taken_out: Withdrawal, arguments: Arguments) -> RunResult:
    """Count the rows that left the lake, and report how good the deliveries are without them."""
    return RunResult(
        facts={"files": 1, "withdrawn": 1, "removed": taken_out.rows},
        reports=[partial(quality_report, arguments["settings"])],
    )


run_ingest = recorded("ingest", describe=describe_ingest)(ingest)
run_retry = recorded("ingest", describe=describe_retry)(retry_quarantine)
run_withdrawal = recorded("ingest", describe=describe_withdrawal)(withdraw_load)
