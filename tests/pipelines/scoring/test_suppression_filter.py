"""Who was put off or suppressed is not alerted, until money moves."""

from datetime import datetime, timedelta

import polars as pl
import pytest

from models.policy.alerting import PolicyRules
from pipelines.scoring.suppression_filter import drop_suppressed
from serving.casework.dispositions.schemas import NewDisposition
from serving.casework.dispositions.service import record_disposition
from serving.casework.suppressions.schemas import NewSuppression
from serving.casework.suppressions.service import lift_suppression, suppress_person
from serving.context.settings import ServingSettings
from serving.database.engine import open_database, sqlite_url, write_transaction
from serving.feedback import SuppressedPerson, suppressed_people
from serving.publishing import alert_id_of
from serving.vocabulary.roles import Role, Viewer
from serving.vocabulary.times import SHANGHAI
from tests.pipelines.training.test_evaluation import publish_at

AT = datetime(2026, 8, 10, 12, tzinfo=SHANGHAI)
RULES = PolicyRules(realert_cny=1000.0, realert_after=timedelta(hours=6))
LI = Viewer(name="li.wei", role=Role.ANALYST, communities=None)


def rows(**paid_cny: float | None) -> pl.DataFrame:
    schema = {"person": pl.String, "new_debit_cny_6h": pl.Float64}
    return pl.DataFrame(
        {"person": list(paid_cny), "new_debit_cny_6h": list(paid_cny.values())}, schema=schema
    )


def rest(person: str, *, since_h: float, for_h: float = 24) -> SuppressedPerson:
    since = AT - timedelta(hours=since_h)
    return SuppressedPerson(person=person, since=since, until=since + timedelta(hours=for_h))


@pytest.mark.parametrize(
    ("paid_cny", "since_h", "for_h", "alerted"),
    [
        (0.0, 7, 24, False),
        (999.99, 7, 24, False),
        (1000.0, 7, 24, True),  # new money
        (1000.0, 6, 24, True),
        (1000.0, 5.9, 24, False),  # it may have moved before somebody said so
        (None, 7, 24, False),
        (0.0, 25, 24, True),  # over
        (0.0, 24, 24, True),
    ],
)
def test_a_rest_ends_with_its_time_or_with_new_money(paid_cny, since_h, for_h, alerted):
    found = drop_suppressed(
        rows(ada=paid_cny, bo=0.0), [rest("ada", since_h=since_h, for_h=for_h)], at=AT, rules=RULES
    )
    assert found["person"].to_list() == (["ada", "bo"] if alerted else ["bo"])


def test_of_two_rests_the_later_one_counts():
    rests = [rest("ada", since_h=20), rest("ada", since_h=2)]
    assert drop_suppressed(rows(ada=5000.0), rests, at=AT, rules=RULES).is_empty()
    assert (
        len(drop_suppressed(rows(ada=5000.0), rests, at=AT + timedelta(hours=4), rules=RULES)) == 1
    )


def test_without_rests_everybody_is_awake():
    assert drop_suppressed(rows(ada=0.0, bo=None), [], at=AT, rules=RULES).height == 2


def test_what_people_say_about_alerts_comes_back_as_rests(tmp_path):
    engine = open_database(sqlite_url(tmp_path / "serving.db"))
    settings = ServingSettings(database_url=str(engine.url))
    issued_at = AT - timedelta(hours=10)
    publish_at(engine, issued_at, "p1_ada", "p1_bo", "p1_cai")
    ids = {
        person: alert_id_of(at=issued_at, kind="intraday", person=person)
        for person in ("p1_ada", "p1_bo", "p1_cai")
    }
    until = AT + timedelta(days=3)
    with write_transaction(engine) as session:
        put_off = NewDisposition(result="lawful", snoozed_until=until)
        where = {"viewer": LI, "at": issued_at, "settings": settings}
        record_disposition(
            session, alert_id=ids["p1_ada"], new=put_off, version=0, source="screen", **where
        )
        new = NewSuppression(alert_id=ids["p1_bo"], reason="购房首付", expires_at=until)
        number = suppress_person(session, new=new, **where).id
    assert sorted((one.person, one.since, one.until) for one in suppressed_people(engine, AT)) == [
        ("p1_ada", issued_at, until),
        ("p1_bo", issued_at, until),
    ]
    assert suppressed_people(engine, until) == []
    with write_transaction(engine) as session:
        again = NewDisposition(result="in_progress")  # the last word no longer puts off
        record_disposition(
            session,
            alert_id=ids["p1_ada"],
            new=again,
            version=1,
            source="screen",
            **(where | {"at": AT}),
        )
        lift_suppression(session, viewer=LI, suppression_id=number, reason="又有接触", at=AT)
    assert suppressed_people(engine, AT) == []
