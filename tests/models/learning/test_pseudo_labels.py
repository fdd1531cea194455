"""Who is taken for an unreported victim, on drawn moments of two dozen people."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from models.learning.pseudo_labels import add_pseudo_labels
from tests.models.drawn import on

# person, day, label, case, raw score
DRAWN = [
    ("p_told", 10, 1, "A1", 2.0),
    ("p_told", 11, 1, "A1", 1.0),
    ("p_hidden", 7, 0, None, -6.0),  # long before: stays quiet
    ("p_hidden", 9, 0, None, -1.0),  # the days around are neither
    ("p_hidden", 10, 0, None, 3.0),
    ("p_hidden", 11, 0, None, 2.5),
    ("p_hidden", 15, 0, None, -1.0),
    ("p_hidden", 19, 0, None, -6.0),  # long after
    ("p_other", 10, 0, None, 2.2),  # the last to be taken: whatever is as likely as this is live
    ("p_lawful", 10, 0, None, 4.0),  # somebody looked and found nothing
    ("p_calm", 10, 0, None, -6.0),
    *((f"p_{number}", 10, 0, None, -6.0) for number in range(20)),
]


def drawn() -> tuple[pl.DataFrame, np.ndarray]:
    person, day, label, case_id, raw = zip(*DRAWN, strict=True)
    frame = pl.DataFrame(
        {
            "person": person,
            "at": [on(number) for number in day],
            "label": pl.Series(label, dtype=pl.Int8),
            "weight": [20.0 if case else 1.0 for case in case_id],
            "sampling_weight": [1.0] * len(person),
            "case_id": pl.Series(case_id, dtype=pl.String),
        }
    )
    return frame, np.array(raw)


def learned(*, episodes_per_reported: float = 2.0) -> pl.DataFrame:
    frame, raw = drawn()
    known = pl.Series(["p_told", "p_lawful"])
    return add_pseudo_labels(
        frame,
        raw,
        episodes_per_reported=episodes_per_reported,
        positive_weight=20.0,
        known_people=known,
    )


def test_the_likeliest_stranger_to_the_police_becomes_live_with_the_weight_of_an_episode():
    theirs = learned().filter(pl.col("person") == "p_hidden")
    assert theirs.select("at", "label").rows() == [
        (on(7), 0),
        (on(10), 1),
        (on(11), 1),
        (on(19), 0),
    ]
    assert theirs["weight"].to_list() == pytest.approx([1.0, 20 / 2**0.5, 20 / 2**0.5, 1.0])
    assert theirs["case_id"].null_count() == 4
    assert learned().filter(pl.col("person") == "p_other").select("label", "weight").rows() == [
        (1, 20.0)
    ]


def test_who_is_known_about_and_who_is_calm_stay_as_they_were():
    frame, _ = drawn()
    others = ~pl.col("person").is_in(["p_hidden", "p_other"])
    assert_frame_equal(learned().filter(others), frame.filter(others))


def test_nobody_is_taken_where_none_is_looked_for_or_none_is_likely():
    frame, raw = drawn()
    assert_frame_equal(learned(episodes_per_reported=0.4), frame)
    calm = add_pseudo_labels(
        frame,
        np.where(frame["label"] == 1, raw, -6.0 + raw / 100),
        episodes_per_reported=5.0,
        positive_weight=20.0,
        known_people=pl.Series(["p_told"]),
    )
    assert_frame_equal(calm, frame)


def test_nothing_of_the_days_around_is_left():
    theirs = learned().filter(pl.col("person") == "p_hidden", label=0)
    near = theirs.filter(
        pl.col("at").is_between(on(10) - timedelta(days=2), on(11) + timedelta(days=7))
    )
    assert near.is_empty()
