"""Checking a batch against its contract, beside other libraries with the same rules."""

from datetime import datetime
from functools import partial
from pathlib import Path

import polars as pl

from data_contracts.contract import Contract
from data_contracts.suites import EARLIEST_AT, MAX_CLOCK_AHEAD, check_rows
from tests.benchmarks.comparisons.call_batches import build_batch, compared_contract, spoil_batch
from tests.benchmarks.comparisons.validation_peers import (
    Moments,
    check_with_dataframely,
    check_with_gx,
    check_with_pandera,
)
from tests.benchmarks.figures import Compared, compare_runs

__all__ = ["compare_validations"]

PEERS = {
    "Great Expectations, pandas": check_with_gx,
    "pandera, polars": check_with_pandera,
    "dataframely": check_with_dataframely,
}


def compare_validations(
    landing: Path, *, rows: int, received_at: datetime, runs: int
) -> tuple[Compared, ...]:
    """A batch of ``rows`` call records without a fault, and one with a fault in every hundredth.

    Raises ``ValueError`` where a peer finds other bad rows than we do.
    """
    contract = compared_contract()
    clean = build_batch(landing, rows=rows)
    moments = {"earliest_at": EARLIEST_AT, "latest_at": received_at + MAX_CLOCK_AHEAD}
    import_libraries(clean, contract=contract, received_at=received_at, moments=moments)
    found = []
    for scene, batch in (("clean", clean), ("1 % faulty", spoil_batch(clean))):
        for peer, check in PEERS.items():
            ours_s, ours, peer_s, theirs = compare_runs(
                partial(find_bad_rows, batch, contract=contract, received_at=received_at),
                partial(check, batch, contract=contract, moments=moments),
                runs=runs,
            )
            if ours != theirs:
                raise ValueError(f"{peer} finds {len(theirs)} bad rows, we find {len(ours)}")
            found.append(
                Compared(
                    name=f"validation of a batch, {scene}",
                    peer=peer,
                    ours_s=ours_s,
                    peer_s=peer_s,
                    rows=rows,
                    note=f"{len(contract.rules)} rules; the same {len(ours):,} bad rows",
                    difference=0.0,
                )
            )
    return tuple(found)


def import_libraries(
    batch: pl.DataFrame, *, contract: Contract, received_at: datetime, moments: Moments
) -> None:
    """Let everybody check a few rows, so that no import is measured."""
    few = spoil_batch(batch.head(1_000))
    find_bad_rows(few, contract=contract, received_at=received_at)
    for check in PEERS.values():
        check(few, contract=contract, moments=moments)


def find_bad_rows(batch: pl.DataFrame, *, contract: Contract, received_at: datetime) -> set[int]:
    """The numbers of the rows that break a rule, as ingestion finds them."""
    return set(check_rows(batch, contract=contract, received_at=received_at).failures["_row"])
