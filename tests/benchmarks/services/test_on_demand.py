from types import SimpleNamespace

import httpx
import numpy as np
import polars as pl
import pytest

from tests.benchmarks.figures import Latency
from tests.benchmarks.services.on_demand import compared_row, read_prediction, request_body

OURS = Latency(
    name="ours", clients=1, requests=5, p50_s=0.2, p99_s=0.4, requests_per_s=5.0, note=""
)
PEER = Latency(
    name="theirs", clients=1, requests=5, p50_s=0.1, p99_s=0.3, requests_per_s=10.0, note=""
)


def test_a_missing_feature_is_sent_as_null() -> None:
    model = SimpleNamespace(
        features=("calls_24h", "relay_6h"), matrix=lambda _: np.array([[2.0, np.nan]])
    )
    assert request_body(model, pl.DataFrame()) == {
        "dataframe_split": {"columns": ["calls_24h", "relay_6h"], "data": [[2.0, None]]}
    }


@pytest.mark.parametrize("found", [0.25, {"probability": 0.25}])
def test_the_probability_is_read(found: object) -> None:
    assert read_prediction(httpx.Response(200, json={"predictions": [found]})) == 0.25


def test_medians_stand_side_by_side() -> None:
    row = compared_row(OURS, PEER, note="p50", difference=0.0)
    assert (row.ours_s, row.peer_s, row.ratio) == (0.2, 0.1, 0.5)


def test_a_server_that_did_not_run_has_no_time() -> None:
    row = compared_row(OURS, None, note="mlflow models serve did not run: no port")
    assert (row.peer_s, row.ratio, row.difference) == (None, None, None)
