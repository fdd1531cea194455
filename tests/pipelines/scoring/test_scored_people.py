"""People are scored piece by piece: the pieces change nothing, and of each moment the same ones are
the likeliest.
"""

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from features.event_index import build_event_index
from models.learning.calibration import Calibration
from models.policy.shortlist import MIN_CANDIDATES
from models.policy.ticks import query_points_by_day
from pipelines.scoring import scored_people
from pipelines.scoring.scored_people import (
    SCORED_COLUMNS,
    score_query_points,
    score_with_models,
    scored_snapshot,
)
from pipelines.storage.as_of import source_tables_before
from tests.models.small import small_model
from tests.pipelines.district import TRAIN_AT

# Three trees give many people the same score: then the order of names decides.
MODEL = replace(small_model(), features=("talk_s_24h", "new_debit_cny_24h"))


@pytest.fixture(scope="module")
def event_index(district):
    return build_event_index(source_tables_before(district, at=TRAIN_AT))


@pytest.fixture(scope="module")
def points(event_index) -> pl.DataFrame:
    """Everybody at midnight, and those touched at the ticks of six hours after it."""
    ((_, points),) = query_points_by_day(
        event_index, start=TRAIN_AT - timedelta(days=1), end=TRAIN_AT, tick="6h"
    )
    assert points["at"].n_unique() == 4
    return points


def test_pieces_change_nothing(event_index, points, monkeypatch):
    whole = score_query_points(event_index, MODEL, points)
    monkeypatch.setattr(scored_people, "PIECE", 97)
    heard = []
    pieces = score_query_points(event_index, MODEL, points, progress=heard.append)
    assert_frame_equal(pieces, whole)
    assert heard[0] == f"scored 97 of {len(points):,}"
    assert heard[-1] == f"scored {len(points):,} of {len(points):,}"


def test_neighbours_one_after_the_other_change_nothing(event_index, points, monkeypatch):
    strangers = points.head(3).with_columns(person=pl.lit("not in the register"))
    given = pl.concat([points.head(500), strangers, points.tail(700)])
    whole = score_query_points(event_index, MODEL, given)
    assert len(whole) == len(given) - len(strangers)
    monkeypatch.setattr(scored_people, "NEIGHBOURS", 130)
    monkeypatch.setattr(scored_people, "PIECE", 97)
    seen = []
    build = scored_people.build_snapshot

    def looked_at(event_index, piece, **more):
        seen.append(piece["person"].n_unique())
        return build(event_index, piece, **more)

    monkeypatch.setattr(scored_people, "build_snapshot", looked_at)
    assert_frame_equal(score_query_points(event_index, MODEL, given), whole)
    assert len(seen) == len(whole) // 97 + 1


def test_a_row_is_what_the_snapshot_of_the_person_says(event_index, points):
    some = points.sample(50, seed=1)
    rows = score_query_points(event_index, MODEL, some)
    assert_frame_equal(rows, scored_snapshot(event_index, MODEL, some).select(SCORED_COLUMNS))


def test_the_likeliest_of_each_moment_have_a_loss_to_prevent(event_index, points, monkeypatch):
    monkeypatch.setattr(scored_people, "PIECE", 150)
    rows = score_query_points(event_index, MODEL, points)
    known = rows.group_by("at").agg(pl.col("preventable_loss_cny").count())
    assert sorted(known["preventable_loss_cny"]) == [33, *[MIN_CANDIDATES] * 3]
    ranked = rows.sort("at", "score", "person", descending=[False, True, False])
    first = ranked.filter(pl.int_range(pl.len()).over("at") < MIN_CANDIDATES)
    assert first["preventable_loss_cny"].null_count() == 0


def test_models_side_by_side_score_as_each_alone(event_index, points):
    some = points.sample(60, seed=2)
    other = replace(MODEL, calibration=Calibration(slope=2.0, intercept=-1.0))
    both = score_with_models(event_index, {"one": MODEL, "other": other}, some)
    for name, alone in (("one", MODEL), ("other", other)):
        assert_frame_equal(both[name], score_query_points(event_index, alone, some))
    assert both["one"]["score"].to_list() != both["other"]["score"].to_list()


def test_of_nobody_there_are_no_rows(event_index, points):
    rows = score_query_points(event_index, MODEL, points.clear())
    assert rows.columns == list(SCORED_COLUMNS)
    assert rows.is_empty()
