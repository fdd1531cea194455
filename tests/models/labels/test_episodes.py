"""When a reported case says that a resident was being drawn in."""

from datetime import datetime, timedelta

from features.event_index import build_event_index
from models.labels.episodes import build_episodes, build_traces
from models.labels.frames import Episode, Trace
from tests.frames import check
from tests.models.drawn import call, case, on, payment, source_tables

PAID = (on(10, 12), on(10, 14))
PAYMENTS = [
    payment("ada", "mule", on(10, 12), 500),
    payment("ada", "mule", on(10, 13), 9_000),
    payment("ada", "mule", on(10, 14), 10_000),
]
LOSS = case(
    "A1",
    "ada",
    paid=PAID,
    reported_at=on(11),
    loss_cny=19_500,
    numbers=["caller"],
    accounts=["mule"],
)
ATTEMPT = case("A2", "bo", reported_at=on(12), numbers=["caller"])


def told(*cases: dict, calls=(), payments=(), at: datetime | None = None) -> list[dict]:
    """The episodes of a hand-drawn district."""
    drawn = source_tables(calls=calls, payments=payments, cases=cases)
    found = build_episodes(drawn.cases, build_event_index(drawn), at=at or on(20))
    return check(Episode, found).rows(named=True)


def test_a_loss_opens_with_the_first_contact_and_closes_with_the_last_payment():
    calls = [call("ada", "caller", on(9, 10)), call("ada", "caller", on(10, 11, 30))]
    assert told(LOSS, calls=calls, payments=PAYMENTS) == [
        {
            "case_id": "A1",
            "person": "ada",
            "scam_type": "police",
            "outcome": "loss",
            "opened_at": on(9, 10),
            "main_at": on(
                10, 13
            ),  # the first of at least 30 % of the largest: 500 is bait, 9,000 the main payment
            "closed_at": on(10, 14),
            "loss_cny": 19_500.0,
        }
    ]


def test_without_contact_or_with_one_just_before_it_opens_an_hour_before_the_first_payment():
    assert told(LOSS, payments=PAYMENTS)[0]["opened_at"] == on(10, 11)
    assert told(LOSS, calls=[call("ada", "caller", on(10, 11, 50))], payments=PAYMENTS)[0][
        "opened_at"
    ] == on(10, 11)


def test_bait_paid_to_a_suspect_account_before_the_first_payment_opens_it():
    bait = payment("ada", "mule", on(8, 9), 50)
    assert told(LOSS, payments=[bait, *PAYMENTS])[0]["opened_at"] == on(8, 9)


def test_without_any_record_of_the_payments_the_case_itself_tells_when():
    (episode,) = told(LOSS, calls=[call("cai", "friend", on(9))])
    assert (episode["opened_at"], episode["main_at"], episode["closed_at"]) == (
        on(10, 11),
        on(10, 12),
        on(10, 14),
    )


def test_payments_of_a_bank_that_delivers_a_day_late_count_at_the_moment_they_were_made():
    late = [{**row, "known_at": row["known_at"] + timedelta(days=1)} for row in PAYMENTS]
    (episode,) = told(LOSS, payments=late)
    assert (episode["opened_at"], episode["main_at"]) == (on(10, 11), on(10, 13))
    (early,) = told(
        LOSS, payments=late, at=on(11, 12, 30)
    )  # the case has come, of the payments only the first
    assert early["main_at"] == on(10, 12)


def test_contacts_outside_the_courtship_or_after_the_last_payment_do_not_belong_to_it():
    calls = [
        call("ada", "caller", on(10, 12) - timedelta(days=15, minutes=1)),
        call("ada", "caller", on(10, 14, 1)),
    ]
    assert told(LOSS, calls=calls, payments=PAYMENTS)[0]["opened_at"] == on(10, 11)


def test_what_others_had_to_do_with_the_suspects_does_not_belong_to_it():
    calls = [call("bo", "caller", on(9))]
    payments = [*PAYMENTS, payment("bo", "mule", on(9), 80_000)]
    (episode,) = told(LOSS, calls=calls, payments=payments)
    assert (episode["opened_at"], episode["main_at"]) == (on(10, 11), on(10, 13))


def test_an_attempt_is_live_for_three_days_and_has_no_main_payment():
    (episode,) = told(
        ATTEMPT, calls=[call("bo", "caller", on(11, 8)), call("bo", "caller", on(11, 9))]
    )
    assert (episode["opened_at"], episode["main_at"], episode["closed_at"]) == (
        on(11, 8),
        None,
        on(14, 8),
    )
    assert (episode["outcome"], episode["loss_cny"]) == ("attempt", 0.0)


def test_an_attempt_without_a_trace_has_no_row():
    assert told(ATTEMPT, calls=[call("bo", "friend", on(11, 8))]) == []


def test_a_case_is_known_only_strictly_before_the_moment():
    calls = [call("bo", "caller", on(11, 8))]
    assert told(ATTEMPT, calls=calls, at=on(12)) == []
    assert [row["case_id"] for row in told(ATTEMPT, calls=calls, at=on(12, 0, 1))] == ["A2"]


def test_a_case_of_somebody_outside_the_register_has_no_row():
    assert told({**LOSS, "person": "stranger"}, payments=PAYMENTS) == []


def test_no_cases_no_episodes():
    assert told(payments=PAYMENTS) == []


def test_rows_come_in_the_order_of_opening():
    calls = [call("bo", "caller", on(8)), call("ada", "caller", on(9))]
    assert [row["case_id"] for row in told(LOSS, ATTEMPT, calls=calls, payments=PAYMENTS)] == [
        "A2",
        "A1",
    ]


def test_moves_are_the_contacts_and_payments_that_a_case_names():
    calls = [
        call("ada", "caller", on(9, 10)),
        call("ada", "friend", on(9, 11)),
        call("bo", "caller", on(9, 12)),
    ]
    late = [{**PAYMENTS[0], "known_at": on(10, 20)}, *PAYMENTS[1:]]
    drawn = source_tables(
        calls=calls, payments=[*late, payment("ada", "shop", on(10, 12, 30), 70)], cases=[LOSS]
    )
    found = check(Trace, build_traces(drawn.cases, build_event_index(drawn), at=on(20)))
    assert found.columns == ["case_id", "known_at", "paid_at", "amount_cny"]
    assert found.rows() == [
        ("A1", on(9, 10), None, None),
        ("A1", on(10, 13), on(10, 13), 9_000.0),
        ("A1", on(10, 14), on(10, 14), 10_000.0),
        ("A1", on(10, 20), on(10, 12), 500.0),
    ]
    assert build_traces(
        drawn.cases, build_event_index(drawn), at=on(11)
    ).is_empty()  # the case itself is not known yet


def loss(
    case_id: str,
    paid: tuple[datetime, datetime],
    loss_cny: int,
    *,
    scam_type: str = "police",
    **named,
) -> dict:
    reported_at = paid[1] + timedelta(days=1)
    return case(
        case_id,
        "ada",
        paid=paid,
        reported_at=reported_at,
        loss_cny=loss_cny,
        scam_type=scam_type,
        **named,
    )


def test_two_stories_of_one_person_are_two_episodes():
    again = loss("A3", (on(14, 9), on(14, 10)), 300)
    found = told(LOSS, again)
    assert [(row["case_id"], row["opened_at"], row["closed_at"]) for row in found] == [
        ("A1", on(10, 11), on(10, 14)),
        ("A3", on(14, 8), on(14, 10)),
    ]


def test_cases_that_overlap_tell_one_story():
    small = loss("A4", (on(10, 10), on(10, 13)), 900, scam_type="fake_loan")
    late = loss(
        "A5", (on(10, 15), on(10, 16)), 700, scam_type="investment"
    )  # opens as the first one closes
    attempt = {**ATTEMPT, "person": "ada", "case_id": "A6"}
    calls = [call("ada", "caller", on(9, 10))]
    assert told(LOSS, small, late, attempt, payments=PAYMENTS, calls=calls) == [
        {
            "case_id": "A1",
            "person": "ada",
            "scam_type": "police",
            "outcome": "loss",
            "opened_at": on(9, 10),
            "main_at": on(10, 10),
            "closed_at": on(12, 10),
            "loss_cny": 19_500.0,
        }
    ]


def test_cases_of_different_people_never_tell_one_story():
    other = {**LOSS, "case_id": "A7", "person": "bo"}
    assert {row["case_id"] for row in told(LOSS, other)} == {"A1", "A7"}


def test_moves_of_one_story_are_counted_once_and_go_by_its_episode():
    twice = loss("A8", (on(10, 12), on(10, 14)), 19_500, accounts=["mule"])
    drawn = source_tables(
        calls=[call("ada", "caller", on(9, 10))], payments=PAYMENTS, cases=[LOSS, twice]
    )
    found = check(Trace, build_traces(drawn.cases, build_event_index(drawn), at=on(20)))
    assert found["case_id"].to_list() == ["A1"] * 4
    assert found["amount_cny"].sum() == 19_500
