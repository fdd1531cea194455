"""The last event of each pair, looked up in few files."""

from datetime import timedelta

import numpy as np
import polars as pl

from pipelines.storage.event_store.parts.relationship_states import (
    add_states,
    find_states,
    pair_keys,
)
from tests.features.districts import MOMENT, NOON, ago

SCHEMA = {
    "owner": pl.UInt32,
    "peer_code": pl.UInt32,
    "known_at": MOMENT,
    "relationship_n": pl.Int64,
}


def states(*rows):
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def put(files, fresh, folder):
    return add_states(files, fresh, peer="peer_code", folder=folder, at=NOON)


def find(files, rows, folder):
    pairs = np.unique(pair_keys(rows, peer="peer_code"))
    found = find_states(files, pairs, folder=folder)
    return [] if found is None else sorted(found.rows())


def test_a_pair_is_as_the_newest_file_has_it(tmp_path):
    first = states((1, 7, ago(hours=9), 1), (1, 8, ago(hours=9), 4), (2, 7, ago(hours=9), 1))
    second = states((1, 7, ago(hours=1), 2))
    files = put(put((), first, tmp_path), second, tmp_path)
    assert find(files, first, tmp_path) == [
        (1, 7, ago(hours=1), 2),
        (1, 8, ago(hours=9), 4),
        (2, 7, ago(hours=9), 1),
    ]
    assert find(files, states((3, 7, NOON, 1)), tmp_path) == []


def test_small_files_are_merged_and_long_ones_left(tmp_path):
    long = states(*((owner, 1, ago(hours=9), 1) for owner in range(40)))
    files = put((), long, tmp_path)
    for owner in (0, 1, 2):
        files = put(files, states((owner, 1, ago(hours=1), 2)), tmp_path)
    assert [file.length for file in files] == [40, 3]
    assert sum(row[3] for row in find(files, long, tmp_path)) == 43


def test_relationships_that_have_ended_are_dropped_as_files_are_merged(tmp_path):
    old = NOON - timedelta(days=30, microseconds=1)
    files = put((), states((1, 7, old, 1), (1, 8, NOON - timedelta(days=30), 1)), tmp_path)
    files = put(files, states((1, 9, NOON, 1)), tmp_path)
    assert [file.length for file in files] == [2]
    assert find(files, states((1, 7, NOON, 1), (1, 8, NOON, 1)), tmp_path) == [
        (1, 8, NOON - timedelta(days=30), 1)
    ]
