"""The moments to learn from."""

from datetime import datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from features.event_index import EventIndex, build_event_index
from features.whom_to_ask import query_points_after_events
from models.labels.episodes import build_episodes
from models.labels.frames import TrainingSample
from models.labels.sampling import (
    Sampling,
    assign_folds,
    draw_training_samples,
    hard_negatives,
)
from tests.frames import check
from tests.models.drawn import call, case, event_index, on, payment, source_tables

# One story: ada talks to a caller on the 9th and 10th and pays; bo goes about his life; cai
# reported an attempt.
CALLS = [
    call("bo", "friend", on(1, 8)),  # the first event of all
    call("bo", "friend", on(7, 8)),
    call("ada", "friend", on(9, 8)),  # before her story
    call("ada", "caller", on(9, 10)),  # opens it
    call("ada", "friend", on(9, 12)),
    call("cai", "caller", on(9, 13)),
    call("ada", "caller", on(10, 11, 30)),
    call("bo", "friend", on(12, 8)),
    call("cai", "friend", on(15, 8)),
    call("ada", "friend", on(15, 8)),  # after it
]
PAYMENTS = [payment("ada", "mule", on(10, 12), 9_000), payment("ada", "mule", on(10, 14), 9_000)]
CASES = [
    case(
        "A1",
        "ada",
        paid=(on(10, 12), on(10, 14)),
        reported_at=on(11),
        loss_cny=18_000,
        numbers=["caller"],
        accounts=["mule"],
    ),
    case("A2", "cai", reported_at=on(10), numbers=["caller"], scam_type="brushing"),
]


@pytest.fixture(scope="module")
def story() -> tuple[EventIndex, pl.DataFrame]:
    drawn = source_tables(calls=CALLS, payments=PAYMENTS, cases=CASES)
    laid_out = build_event_index(drawn)
    return laid_out, build_episodes(drawn.cases, laid_out, at=on(20))


def moments_of(story, *, at: datetime | None = None, seed: int = 0, **sampling) -> pl.DataFrame:
    laid_out, told = story
    rows = draw_training_samples(
        laid_out, told, at=at or on(20), sampling=Sampling(**sampling), seed=seed
    )
    return check(TrainingSample, rows)


def test_live_moments_are_touches_after_the_first_trace_and_up_to_the_last_payment(story):
    live = moments_of(story).filter(label=1)
    assert live.filter(case_id="A1")["at"].to_list() == [
        on(9, 10, 15),
        on(9, 12, 15),
        on(10, 11, 45),
        on(10, 12, 15),
    ]
    assert live.filter(case_id="A2").select("person", "at", "scam_type").rows() == [
        ("cai", on(9, 13, 15), "brushing")
    ]
    assert live["sampling_weight"].to_list() == [1.0] * 5


def test_an_episode_weighs_the_root_of_its_moments_and_late_moments_a_quarter(story):
    live = moments_of(story, positive_weight=65).filter(label=1)
    assert live.filter(case_id="A1")["weight"].to_list() == pytest.approx(
        [40, 40, 40, 10]
    )  # 65 x 2 in all
    assert live.filter(case_id="A2")["weight"].to_list() == [65]


def test_nothing_is_learnt_from_the_burn_in_neither_live_nor_quiet(story):
    rows = moments_of(story, burn_in_days=9)  # up to the 10th at 8 o'clock
    assert rows.filter(label=1)["at"].to_list() == [on(10, 11, 45), on(10, 12, 15)]
    assert rows.filter(label=0, person="bo")["at"].to_list() == [on(12, 8, 15)]
    assert moments_of(story, burn_in_days=30).is_empty()


def test_quiet_moments_are_those_of_others_after_the_burn_in(story):
    others = moments_of(story).filter(label=0, person="bo")
    assert others.rows() == [("bo", on(12, 8, 15), 0, 1.0, 1.0, None, None)]
    quiet = moments_of(story, burn_in_days=0).filter(label=0, person="bo")
    assert quiet["at"].to_list() == [on(1, 8, 15), on(7, 8, 15), on(12, 8, 15)]


def test_the_week_after_the_last_payment_is_quiet_and_nothing_else_of_a_victim_is(story):
    rows = moments_of(story, burn_in_days=0).filter(label=0).filter(pl.col("person") != "bo")
    assert rows.rows() == [
        ("ada", on(15, 8, 15), 0, 1.0, 1.0, None, None)
    ]  # and nothing of cai, who did not pay
    laid_out, told = story
    earlier = told.with_columns(closed_at=pl.col("closed_at") - timedelta(days=3))
    later = draw_training_samples(laid_out, earlier, at=on(20), sampling=Sampling(), seed=0)
    assert later.filter(
        person="ada", at=on(15, 8, 15)
    ).is_empty()  # more than seven days after the last payment


def test_most_quiet_moments_are_drawn_where_a_fraud_could_have_begun():
    """A number reaches four residents; with bo it talks for long. An account outside the district
    is paid by cai.
    """
    calls = [call(who, "new", on(9, 9), duration_s=5) for who in ("ada", "cai")]
    calls += [
        call("bo", "new", on(9, 10), duration_s=5),
        call("bo", "new", on(9, 11), duration_s=600),
    ]
    calls += [call("ada", "friend", on(day, 8)) for day in range(1, 9)] + [
        call("bo", "friend", on(10, 8))
    ]
    drawn = event_index(calls=calls, payments=[payment("cai", "outside", on(9, 12), 50)])
    ticks = query_points_after_events(drawn, start=on(1), end=on(20), every="15m")
    assert hard_negatives(drawn, ticks).rows() == [("bo", on(9, 11, 15)), ("cai", on(9, 12, 15))]
    assert ("bo", on(10, 8, 15)) in ticks.rows()  # more than twelve hours later


def test_what_dispositions_say_is_learned(story):
    laid_out, told = story
    span = {"person": ["bo"], "start_at": [on(11)], "end_at": [on(13)]}
    lawful = pl.DataFrame({**span, "weight": [10.0]})
    rows = draw_training_samples(
        laid_out, told, at=on(20), sampling=Sampling(), seed=0, lawful=lawful
    )
    assert rows.filter(person="bo").select("at", "label", "weight").rows() == [
        (on(12, 8, 15), 0, 10.0)
    ]
    unclear = pl.DataFrame(span)
    rows = draw_training_samples(
        laid_out, told, at=on(20), sampling=Sampling(), seed=0, unclear=unclear
    )
    assert rows.filter(person="bo").is_empty()


def test_drawn_quiet_moments_stand_for_all(story):
    quiet = moments_of(story, burn_in_days=0, negatives=2).filter(label=0, person="bo")
    assert quiet.select("weight", "sampling_weight").rows() == [(1.5, 1.5), (1.5, 1.5)]


def test_only_ticks_before_the_moment_of_training_are_learnt_from(story):
    assert moments_of(story, at=on(12, 8, 15)).filter(label=0).is_empty()
    assert len(moments_of(story, at=on(12, 8, 15, 1)).filter(label=0)) == 1


def test_a_moment_in_two_episodes_counts_once(story):
    laid_out, told = story
    twice = pl.concat([told, told.with_columns(case_id=pl.lit("A9"))])
    live = draw_training_samples(laid_out, twice, at=on(20), sampling=Sampling(), seed=0).filter(
        label=1
    )
    assert live["case_id"].to_list() == moments_of(story).filter(label=1)["case_id"].to_list()
    weights = dict(live.group_by("case_id").agg(pl.col("weight").sum()).iter_rows())
    assert weights == pytest.approx({"A1": 40, "A2": 20})


def test_the_same_seed_draws_the_same_moments_and_another_seed_others(story):
    draws = [moments_of(story, seed=seed, burn_in_days=0, negatives=1) for seed in range(12)]
    assert_frame_equal(draws[3], moments_of(story, seed=3, burn_in_days=0, negatives=1))
    assert len({frame.filter(label=0, person="bo")["at"].item() for frame in draws}) > 1


def test_a_district_without_events_or_cases_has_the_same_columns(story):
    _, told = story
    nothing = draw_training_samples(
        event_index(), told.clear(), at=on(20), sampling=Sampling(), seed=0
    )
    assert nothing.is_empty()
    check(TrainingSample, nothing)
    payments_only = event_index(payments=[payment("bo", "m", on(12), 5)])
    quiet = draw_training_samples(
        payments_only, told.clear(), at=on(20), sampling=Sampling(burn_in_days=0), seed=0
    )
    assert quiet["at"].to_list() == [on(12, 0, 15)]


def people(live: dict[str, tuple[str | None, int]], *, quiet: int) -> pl.DataFrame:
    """Three quiet rows of each of ``quiet`` people, then the live ones: a type and a number of
    moments by person.
    """
    rows = [(f"p1_{number % quiet}", 0, None) for number in range(3 * quiet)]
    rows += [
        (person, 1, scam_type)
        for person, (scam_type, moments) in live.items()
        for _ in range(moments)
    ]
    return pl.DataFrame(
        rows, schema={"person": pl.String, "label": pl.Int8, "scam_type": pl.String}, orient="row"
    )


def test_a_person_stays_in_one_fold_and_folds_are_about_equal():
    rows = people({"p1_7": ("police", 2)}, quiet=300)  # who is live is quiet at other moments
    fold = assign_folds(rows, count=3, seed=1)
    assert rows.select("person", fold=fold).unique().height == 300
    sizes = [int((fold == number).sum()) for number in range(3)]
    assert sum(sizes) == 902
    assert min(sizes) > 200
    assert (fold != assign_folds(rows, count=3, seed=2)).any()


def test_episodes_are_dealt_to_the_folds_type_by_type_the_long_ones_first():
    live = {
        "a": ("loan", 9),
        "b": ("loan", 4),
        "c": ("loan", 1),
        "d": ("police", 16),
        "e": ("police", 1),
    }
    rows = people(live | {"f": (None, 1)}, quiet=1)  # of f nobody knows the type
    dealt = dict(zip(rows["person"], assign_folds(rows, count=2, seed=0).tolist(), strict=True))
    assert [dealt[person] for person in "dabecf"] == [0, 1, 0, 1, 1, 1]


@pytest.mark.parametrize("seed", range(5))
def test_no_fold_has_two_episodes_of_a_type_more_than_another(seed):
    live = {
        f"v{number}": (["loan", "police", "brushing"][number % 3], 1 + number % 7)
        for number in range(31)
    }
    rows = people(live, quiet=50)
    table = rows.with_columns(fold=assign_folds(rows, count=4, seed=seed)).filter(label=1)
    numbers = (
        table.group_by("scam_type", "fold").agg(pl.col("person").n_unique()).group_by("scam_type")
    )
    spread = numbers.agg(pl.col("person").max() - pl.col("person").min())["person"]
    assert spread.max() <= 1
