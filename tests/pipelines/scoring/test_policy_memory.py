"""The policy of the running system is restored from what was scored and published: it goes on as if
it had never stopped.
"""

from datetime import datetime, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from models.policy.alerting import Memory, PolicyRules
from models.policy.policy_run import ISSUED_SCHEMA, PolicyRun
from pipelines.scoring.policy_memory import (
    find_start,
    log_candidates,
    needs_warm_up,
    restore_policy_run,
    split_between_ticks,
)
from pipelines.storage.score_log import WARM_UP_KIND, LoggedRun, ScoreLog
from serving.feedback import RecentAlert
from tests.examples import examples
from tests.models.drawn import on

SCHEMA = {
    "at": ISSUED_SCHEMA["issued_at"],
    "person": pl.String,
    "score": pl.Float64,
    "new_debit_cny_6h": pl.Float64,
    "preventable_loss_cny": pl.Float64,
}
RULES = PolicyRules(budget=1, stretch=1.0, carry=1.0)


PEOPLE = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.tuples(
        st.sampled_from([0.1, 0.2, 0.5, 0.50001, 0.8, 0.9]),
        st.sampled_from([0.0, 5_000.0]),
        st.none() | st.floats(0, 1e5),
    ),
    max_size=8,
)
TICKS = st.lists(st.tuples(st.sampled_from([1, 5, 6, 12, 24, 60]), PEOPLE), min_size=2, max_size=25)
POLICIES = st.builds(
    PolicyRules,
    budget=st.integers(1, 3),
    memory_days=st.integers(1, 4),
    stretch=st.sampled_from([1.0, 1.3]),
    carry=st.sampled_from([0.0, 0.5, 2.0]),
    cool_down=st.sampled_from([timedelta(hours=24), timedelta(hours=72)]),
    saving_weight=st.sampled_from([0.0, 0.1, 1.0]),
)


@examples(60)
@given(ticks=TICKS, rules=POLICIES, observed=st.integers(0, 6))
def test_a_run_restored_before_each_tick_is_the_one_that_was_never_interrupted(
    tmp_path_factory, ticks, rules, observed
):
    log = ScoreLog(tmp_path_factory.mktemp("scores"))
    moments, at = [], on(1)
    for hours, scored in ticks:
        at += timedelta(hours=hours)
        moments.append((at, scored))
    start = moments[min(observed, len(moments) - 1)][0]
    run, published = PolicyRun(rules, start), []
    for at, scored in moments:
        kind = WARM_UP_KIND if at < start else "intraday"
        frame = pl.DataFrame(
            [(at, person, *found) for person, found in scored.items()], schema=SCHEMA, orient="row"
        )
        if at >= start:
            restored = restore_policy_run(log, published, current=LoggedRun(at, kind), rules=rules)
            assert restored.start == start
            assert remembered(restored, at=at) == remembered(run, at=at)
            again = restored.decide_tick(frame, at=at)
            assert again == run.decide_tick(frame, at=at)
            published += [alert(one.candidate.person, at=at, repeat=one.repeat) for one in again]
        else:
            run.decide_tick(frame, at=at)
        log_candidates(log, frame, at=at, kind=kind, rules=rules)


def remembered(run: PolicyRun, *, at: datetime) -> Memory:
    """What the run knows at the beginning of a tick, without whom it may alert again anyway."""
    memory = run.memory
    memory.start_day(at.date(), rules=run.rules)
    memory.budget_open = run.start < at
    resting = {
        person: last
        for person, last in memory.issued.items()
        if at - last.warned_at < run.rules.cool_down
    }
    return Memory(**(vars(memory) | {"issued": resting}))


def alert(person: str, *, at: datetime, repeat: bool) -> RecentAlert:
    return RecentAlert(
        person=person, issued_at=at, at=at, kind="intraday", level="red", score=0.5, repeat=repeat,
        at_stake_cny=None, status="open", snoozed_until=None,
    )  # fmt: skip


def test_the_policy_has_decided_since_the_first_run_after_the_warm_up():
    runs = [
        LoggedRun(on(1), "nightly"),
        LoggedRun(on(9), WARM_UP_KIND),
        LoggedRun(on(9, 6), WARM_UP_KIND),
        LoggedRun(on(9, 12), "intraday"),
        LoggedRun(on(10), "nightly"),
    ]
    assert find_start(runs, at=on(11)) == on(9, 12)
    assert find_start(runs[:1], at=on(11)) == on(1)
    assert find_start(runs[:3], at=on(11)) == on(11)
    assert find_start([], at=on(11)) == on(11)


def scored(at, **scores: float) -> pl.DataFrame:
    return pl.DataFrame(
        [(at, person, score, 0.0, None) for person, score in scores.items()],
        schema=SCHEMA,
        orient="row",
    )


def test_a_night_does_not_say_again_what_the_tick_of_the_same_moment_said(tmp_path):
    """At midnight both run. The tick comes first, and the night knows of it, not the reverse."""
    log, rules = ScoreLog(tmp_path), PolicyRules(budget=2)
    log_candidates(log, scored(on(1), ada=0.9), at=on(1), kind="intraday", rules=rules)
    published = [alert("ada", at=on(1), repeat=False)]
    night = restore_policy_run(log, published, current=LoggedRun(on(1), "nightly"), rules=rules)
    decided = night.decide_tick(scored(on(1), ada=0.9, bo=0.8, cai=0.7), at=on(1))
    assert [one.candidate.person for one in decided] == ["bo"]
    tick = restore_policy_run(log, published, current=LoggedRun(on(1), "intraday"), rules=rules)
    decided = tick.decide_tick(scored(on(1), ada=0.9), at=on(1))
    assert [one.candidate.person for one in decided] == ["ada"]


def test_it_warms_up_where_nothing_was_decided_for_as_long_as_it_remembers(tmp_path):
    log = ScoreLog(tmp_path)
    assert needs_warm_up(log, at=on(10), rules=RULES)
    log_candidates(log, scored(on(9), ada=0.9), at=on(9), kind=WARM_UP_KIND, rules=RULES)
    assert needs_warm_up(log, at=on(10), rules=RULES)  # it was stopped before it decided
    log_candidates(log, scored(on(10), ada=0.9), at=on(10), kind="nightly", rules=RULES)
    assert not needs_warm_up(log, at=on(10), rules=RULES)  # the same run again
    assert not needs_warm_up(log, at=on(17, 23), rules=RULES)
    assert needs_warm_up(log, at=on(18), rules=RULES)
    assert needs_warm_up(log, at=on(9, 12), rules=RULES)


def test_a_tick_stays_whole_in_whatever_parts_a_day_is_scored():
    points = pl.DataFrame({"at": [1, 1, 1, 2, 3, 3, 4], "person": list("abcdefg")})
    parts = split_between_ticks(points, most=3)
    assert [part["person"].to_list() for part in parts] == [["a", "b", "c", "d"], ["e", "f", "g"]]
    assert list(split_between_ticks(points.clear(), most=3)) == []
