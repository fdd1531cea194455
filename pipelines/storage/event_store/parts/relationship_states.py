"""The state of every relationship, carried forward: the last event of each pair.

The people of a district lie in buckets by their code. A bucket's states lie in files, the newest
last; a pair counts as the newest file has it. A new file is merged with those before it while they
are not much longer, so that a pair is looked up in few files and written few times.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from features.kernel.relationships import RELATIONSHIP_GAP
from pipelines.storage.event_store.parts.frame_files import read_frame, write_frame
from pipelines.storage.event_store.parts.manifest import StateFile
from pipelines.storage.event_store.parts.merging import take_shorter

__all__ = ["BUCKET_BITS", "add_states", "find_states", "pair_keys"]

BUCKET_BITS = 17  # 131,072 people: some nine million relationships
PEER_BITS = 32
PAIR = "pair"


def pair_keys(events: pl.DataFrame, *, peer: str) -> npt.NDArray[np.int64]:
    """One number for each pair of a person and a counterparty."""
    owner, other = (events[name].cast(pl.Int64).to_numpy() for name in ("owner", peer))
    return np.asarray((owner << PEER_BITS) | other)


def find_states(
    files: Sequence[StateFile], pairs: npt.NDArray[np.int64], *, folder: Path
) -> pl.DataFrame | None:
    """The states of ``pairs`` (sorted, no two alike) that are known; None where none is."""
    found = []
    for one in reversed(files):
        frame = read_frame(folder / one.file)
        known = frame[PAIR].to_numpy()
        place = np.searchsorted(known, pairs)
        hit = place < len(known)
        hit[hit] = known[place[hit]] == pairs[hit]
        if hit.any():
            found.append(frame[pl.Series(place[hit])].drop(PAIR))
            pairs = pairs[~hit]
    return pl.concat(found) if found else None


def add_states(
    files: Sequence[StateFile],
    fresh: pl.DataFrame,
    *,
    peer: str,
    folder: Path,
    at: datetime,
) -> tuple[StateFile, ...]:
    """The files of a bucket with ``fresh`` states, one row a pair. Relationships that have ended
    before ``at`` are dropped where files are merged.
    """
    if fresh.is_empty():
        return tuple(files)
    kept, merged = take_shorter(files, len(fresh))
    frame = fresh.with_columns(pl.Series(PAIR, pair_keys(fresh, peer=peer))).sort(PAIR)
    if merged:
        before = [read_frame(folder / one.file).select(frame.columns) for one in reversed(merged)]
        frame = (
            pl.concat([frame, *before])
            .filter(pl.col("known_at") >= at - RELATIONSHIP_GAP)
            .unique(PAIR, keep="first", maintain_order=True)
            .sort(PAIR)
        )
    return (*kept, StateFile(write_frame(frame, folder=folder), len(frame)))
