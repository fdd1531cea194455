"""What a disposition teaches: a stopped fraud is an episode, a lawful payment is none, and the case
knows best.
"""

from datetime import datetime, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from models.labels.disposition_labels import labels_from_dispositions
from models.labels.frames import Disposition, Episode
from tests.frames import check
from tests.models.drawn import on

AT = on(20)
NONE = Episode.create_empty()


def word(
    alert: str,
    person: str,
    issued_at: datetime,
    result: str,
    *,
    hours: float = 2,
    version: int = 1,
    **more: object,
) -> dict:
    decided_at = issued_at + timedelta(hours=hours)
    return {
        "alert_id": alert, "person": person, "scam_type": "police", "issued_at": issued_at,
        "result": result, "decided_at": decided_at, "version": version, "found_at": decided_at,
        "paid_cny": None, "merged_into": None,
        **more,
    }  # fmt: skip


def labels(*words: dict, reported: pl.DataFrame = NONE, at: datetime = AT):
    dispositions = check(Disposition, pl.DataFrame(words, schema=Disposition.polars_schema()))
    found = labels_from_dispositions(dispositions, reported, at=at)
    check(Episode, found.episodes)
    return found


def case(person: str, opened_at: datetime, closed_at: datetime) -> pl.DataFrame:
    row = {
        "case_id": "A1", "person": person, "scam_type": "fake_loan", "outcome": "loss",
        "opened_at": opened_at, "main_at": opened_at, "closed_at": closed_at, "loss_cny": 900.0,
    }  # fmt: skip
    return pl.DataFrame([row], schema=Episode.polars_schema())


def test_a_fraud_that_was_stopped_is_an_attempt_until_somebody_came():
    found = labels(word("al_1", "ada", on(10, 12), "stopped"))
    assert found.episodes.rows(named=True) == [
        {
            "case_id": "d:al_1",
            "person": "ada",
            "scam_type": "police",
            "outcome": "attempt",
            "opened_at": on(10, 11),
            "main_at": None,
            "closed_at": on(10, 14),
            "loss_cny": 0.0,
        }
    ]
    assert found.facts() == {
        "dispositions_fraud": 1, "dispositions_lawful": 0, "dispositions_unclear": 0,
        "dispositions_conflicts": 0,
    }  # fmt: skip


def test_a_result_written_down_late_keeps_nobody_live_for_more_than_three_days():
    found = labels(word("al_1", "ada", on(10, 12), "contact_no_payment", hours=100))
    assert found.episodes["closed_at"].item() == on(13, 12)


def test_money_that_had_gone_is_a_loss_without_a_main_payment():
    (row,) = labels(word("al_1", "ada", on(10, 12), "already_paid")).episodes.rows(named=True)
    assert (row["outcome"], row["main_at"], row["loss_cny"]) == ("loss", None, 0.0)


def test_how_much_had_gone_is_the_loss_of_what_was_paid_only():
    paid = labels(word("al_1", "ada", on(10, 12), "already_paid", paid_cny=8000.0)).episodes
    stopped = labels(word("al_1", "ada", on(10, 12), "stopped", paid_cny=100.0)).episodes
    assert (paid["loss_cny"].item(), stopped["loss_cny"].item()) == (8000.0, 0.0)


def test_a_result_from_paper_counts_from_when_it_was_found_and_is_known_from_when_it_was_entered():
    entered = word("al_1", "ada", on(10, 12), "lawful", hours=30, found_at=on(10, 15))
    assert labels(entered).lawful["end_at"].item() == on(10, 15)
    assert labels(entered, at=on(11, 18)).lawful.is_empty()
    before = word("al_1", "ada", on(10, 12), "stopped", found_at=on(10, 9))
    assert labels(before).episodes["closed_at"].item() == on(10, 12)


def test_an_alert_that_repeats_another_has_its_word():
    first, again = (
        word("al_1", "ada", on(10, 12), "stopped"),
        word("al_2", "ada", on(15, 12), "duplicate"),
    )
    third = word("al_3", "ada", on(17, 12), "duplicate", merged_into="al_2")
    assert len(labels(first, again).unclear) == 1
    told = labels(first, again | {"merged_into": "al_1"}, third)
    assert told.unclear.is_empty()
    assert told.episodes["case_id"].to_list() == ["d:al_1", "d:al_2", "d:al_3"]
    lawful = labels(
        word("al_1", "ada", on(10, 12), "lawful", version=2), again | {"merged_into": "al_1"}
    )
    assert lawful.lawful["start_at"].to_list() == [on(7, 12), on(12, 12)]
    undecided = labels(again | {"merged_into": "al_1"})
    assert len(undecided.unclear) == 1


def test_lawful_doings_are_quiet_from_three_days_before_the_alert_to_the_word():
    found = labels(word("al_1", "ada", on(10, 12), "lawful"))
    assert found.lawful.rows() == [("ada", on(7, 12), on(10, 14), 0.92)]
    assert found.episodes.is_empty()


def test_of_what_nobody_could_tell_nothing_is_learnt():
    results = (
        "wrong_person",
        "duplicate",
        "not_found_yet",
        "cannot_be_found",
        "refused",
        "handed_over",
        "in_progress",
    )
    found = labels(
        *(word(f"al_{result}", f"person {result}", on(10, 12), result) for result in results)
    )
    assert found.episodes.is_empty()
    assert found.lawful.is_empty()
    assert found.unclear["person"].to_list() == sorted(f"person {result}" for result in results)
    assert found.unclear.rows()[0][1:] == (on(7, 12), on(10, 14))


def test_the_last_word_before_the_moment_counts():
    words = (
        word("al_1", "ada", on(10, 12), "lawful"),
        word("al_1", "ada", on(10, 12), "stopped", hours=5, version=2),
    )
    assert len(labels(*words).episodes) == 1
    assert len(labels(*words, at=on(10, 16)).lawful) == 1
    assert len(labels(*words, at=on(10, 14)).lawful) == 0  # known strictly before


def test_a_case_wins_over_a_lawful_word_and_the_conflict_is_counted():
    found = labels(word("al_1", "ada", on(10, 12), "lawful"), reported=case("ada", on(9), on(11)))
    assert found.lawful.is_empty()
    assert found.facts()["dispositions_conflicts"] == 1


def test_a_case_of_another_week_or_another_person_does_not_contradict():
    for reported in (case("ada", on(1), on(2)), case("bo", on(9), on(11))):
        found = labels(word("al_1", "ada", on(10, 12), "lawful"), reported=reported)
        assert (len(found.lawful), found.conflicts) == (1, 0)


def test_two_who_disagree_about_one_person_are_a_conflict_that_fraud_wins():
    found = labels(
        word("al_1", "ada", on(10, 12), "stopped"), word("al_2", "ada", on(10, 18), "lawful")
    )
    assert (len(found.episodes), len(found.lawful), found.conflicts) == (1, 0, 1)


def test_a_fraud_that_a_case_tells_already_is_not_told_twice():
    found = labels(
        word("al_1", "ada", on(10, 12), "stopped"), reported=case("ada", on(10, 13), on(11))
    )
    assert found.episodes.is_empty()


def test_alerts_of_one_story_are_one_episode_and_of_two_stories_two():
    again = word("al_2", "ada", on(10, 13), "stopped", hours=10)
    later = word("al_3", "ada", on(15, 12), "stopped")
    found = labels(word("al_1", "ada", on(10, 12), "contact_no_payment"), again, later)
    assert found.episodes.select("case_id", "closed_at").rows() == [
        ("d:al_1", on(10, 23)),
        ("d:al_3", on(15, 14)),
    ]


RESULTS = ("stopped", "contact_no_payment", "already_paid", "lawful", "wrong_person", "in_progress")


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"), st.sampled_from(RESULTS), st.integers(1, 200), st.integers(1, 90)
        ),
        max_size=12,
    )
)
def test_nobody_is_in_an_episode_and_quiet_or_unclear_at_once(drawn):
    words = [
        word(f"al_{number}", person, on(1) + timedelta(hours=start), result, hours=hours)
        for number, (person, result, start, hours) in enumerate(drawn)
    ]
    found = labels(*words, reported=case("a", on(3), on(4)))
    for spans in (found.lawful, found.unclear):
        both = spans.join(found.episodes, on="person")
        assert both.filter(
            pl.col("start_at") <= pl.col("closed_at"), pl.col("end_at") >= pl.col("opened_at")
        ).is_empty()
    lawful = sum(one[1] == "lawful" for one in drawn)
    assert len(found.lawful) + found.conflicts == lawful
