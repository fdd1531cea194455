"""Ten moments without fraud, of which a first model suspects two."""

import numpy as np
import polars as pl
import pytest

from models.labels.mined_negatives import mine_negatives

POOL = pl.DataFrame(
    {
        "person": [f"p{number}" for number in range(10)],
        "weight": [3.0] * 10,
        "sampling_weight": [3.0] * 10,
    }
)
RAW = np.array([-5.0, -4.0, 2.0, -6.0, -3.0, 1.0, -7.0, -8.0, -2.0, -9.0])


def test_the_suspected_stay_and_the_others_stand_for_the_rest() -> None:
    mined = mine_negatives(POOL, RAW, number=4, seed=1)
    assert len(mined) == 4
    assert mined.filter(pl.col("person").is_in(["p2", "p5"]))["sampling_weight"].to_list() == [3, 3]
    others = mined.filter(~pl.col("person").is_in(["p2", "p5"]))
    assert others["weight"].to_list() == others["sampling_weight"].to_list() == [12.0, 12.0]
    assert mined["sampling_weight"].sum() == pytest.approx(POOL["sampling_weight"].sum())
    order = [int(person[1:]) for person in mined["person"]]
    assert order == sorted(order)


def test_a_pool_that_is_small_enough_is_kept_as_it_is() -> None:
    assert mine_negatives(POOL, RAW, number=20).equals(POOL)
