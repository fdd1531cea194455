"""The policy brought forward over rows: what is observed and what is decided."""

from dataclasses import replace
from datetime import datetime

import polars as pl

from models.policy.alerting import PolicyRules
from models.policy.policy_run import ISSUED_SCHEMA, PolicyRun
from tests.models.drawn import on

SCHEMA = {
    "at": ISSUED_SCHEMA["issued_at"],
    "person": pl.String,
    "score": pl.Float64,
    "new_debit_cny_6h": pl.Float64,
    "preventable_loss_cny": pl.Float64,
}


def rows(*scored: tuple[datetime, str, float, float]) -> pl.DataFrame:
    """Moment, person, score, money paid within six hours; nothing is known of what is at stake."""
    return pl.DataFrame([(*row, None) for row in scored], schema=SCHEMA, orient="row")


TEN = rows(
    (on(1), "ada", 0.9, 0.0),  # the first two days are observed
    (on(1), "bo", 0.6, 0.0),
    (on(1, 12), "ada", 0.7, 5_000.0),
    (on(2), "ada", 0.8, 0.0),
    (on(2, 12), "cai", 0.5, 0.0),
    (on(3), "ada", 0.85, 0.0),  # above 0.8, which two people reached on the two days: alerted
    (on(3), "cai", 0.55, 0.0),  # below it
    (on(3, 12), "ada", 0.85, 2_000.0),  # money moves: said again
    (on(3, 18), "dan", 0.95, 0.0),  # the budget of the day is used
    (on(4, 6), "dan", 0.95, 0.0),  # a new day
)
RULES = PolicyRules(budget=1, stretch=1.0, carry=1.0)


def test_days_before_the_start_are_observed_and_alert_nobody():
    run = PolicyRun(RULES, on(3))
    decided = run.decide_rows(TEN)
    assert run.issued.select("person", "issued_at", "level", "repeat").rows() == [
        ("ada", on(3), "red", False),
        ("ada", on(3, 12), "red", True),
        ("dan", on(4, 6), "red", False),
    ]
    assert decided.select("person", "at", "alert_score", "repeat").rows() == [
        ("ada", on(3), 0.85, False),
        ("ada", on(3, 12), 0.85, True),
        ("dan", on(4, 6), 0.95, False),
    ]
    assert run.first_alerts["person"].to_list() == ["ada", "dan"]
    assert run.memory.past_priorities == {
        on(1).date(): [0.9, 0.6],
        on(2).date(): [0.8, 0.5],
        on(3).date(): [0.95, 0.85, 0.55],
    }


def test_nothing_is_carried_over_into_the_start():
    busy = rows(*((on(3), person, 0.9, 0.0) for person in "abcd"))
    run = PolicyRun(PolicyRules(budget=2, carry=1.0, stretch=1.0), on(3))
    run.decide_rows(pl.concat([rows((on(1), "ada", 0.1, 0.0), (on(2), "ada", 0.1, 0.0)), busy]))
    assert len(run.issued) == 2
    later = run.decide_rows(rows(*((on(5), person, 0.9, 0.0) for person in "efgh")))
    assert len(later) == 4  # of the fourth two were left over


def test_a_run_may_start_in_the_middle_of_a_day():
    run = PolicyRun(RULES, on(1, 12))
    run.decide_rows(rows((on(1), "ada", 0.9, 0.0), (on(1, 12), "ada", 0.9, 0.0)))
    assert run.issued.select("person", "issued_at").rows() == [("ada", on(1, 12))]


def test_in_one_go_or_tick_by_tick_it_is_the_same():
    whole, parts = PolicyRun(RULES, on(3)), PolicyRun(RULES, on(3))
    whole.decide_rows(TEN)
    for _, part in TEN.group_by("at", maintain_order=True):
        parts.decide_rows(part)
    assert whole.issued.equals(parts.issued)
    assert whole.decide_rows(TEN.clear()).is_empty()


BOTH = replace(RULES, text_budget=1)


def texted(run: PolicyRun) -> list[tuple[str, datetime]]:
    return run.texts.select("person", "issued_at").rows()


def test_who_comes_next_in_rank_could_be_reached_by_a_text():
    run = PolicyRun(BOTH, on(3))
    run.decide_rows(TEN)
    assert texted(run) == [("cai", on(3))]  # the second of the day under both budgets
    assert run.texts.select("score", "level", "repeat").row(0) == (0.55, "blue", False)


def test_a_text_does_not_change_who_is_alerted():
    """Of more people than the policy looks at, and where of the likeliest alone it is known what is
    at stake.
    """
    many = pl.concat(
        pl.DataFrame(
            {
                "at": pl.Series([on(day)] * 600, dtype=SCHEMA["at"]),
                "person": [f"p{(number * day) % 601:03}" for number in range(600)],
                "score": [0.02 - number * 1e-6 for number in range(600)],
                "new_debit_cny_6h": [0.0] * 600,
                "preventable_loss_cny": [5_000.0] * 200 + [None] * 400,
            },
            schema=SCHEMA,
        )
        for day in range(1, 9)
    )
    rules = PolicyRules(budget=3, saving_weight=0.5)
    alone, both = PolicyRun(rules, on(3)), PolicyRun(replace(rules, text_budget=40), on(3))
    alone.decide_rows(many)
    both.decide_rows(many)
    assert both.issued.equals(alone.issued)
    assert both.memory == alone.memory
    assert len(alone.issued) >= 15
    assert alone.texts.is_empty()
    # by probability alone: those after the alerted ones, of whatever stake
    first_day = both.texts.filter(issued_at=on(3))["score"]
    assert first_day.is_sorted(descending=True)
    assert first_day.min() > many.filter(at=on(3))["score"].sort(descending=True)[100]


def test_who_was_texted_and_rises_in_rank_is_alerted_all_the_same():
    run = PolicyRun(BOTH, on(3))
    run.decide_rows(
        rows(
            (on(3), "ada", 0.9, 0.0),
            (on(3), "cai", 0.2, 0.0),
            (on(4), "cai", 0.95, 0.0),
            (on(4, 6), "cai", 0.95, 9_000.0),  # money moves: no text says so again
            (on(4, 12), "bo", 0.05, 0.0),  # the second of the day
        )
    )
    assert run.first_alerts.select("person", "issued_at").rows() == [
        ("ada", on(3)),
        ("cai", on(4)),
    ]
    assert texted(run) == [("cai", on(3)), ("bo", on(4, 12))]
