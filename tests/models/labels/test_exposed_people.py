"""Who was reached by what a case names."""

from datetime import timedelta

from features.event_index import build_event_index
from models.labels.exposed_people import exposed_spans
from tests.models.drawn import call, case, on, payment, source_tables

DAY = timedelta(days=1)


def test_who_talked_with_a_named_number_or_paid_a_named_account_is_exposed() -> None:
    tables = source_tables(
        people=("ada", "bo", "cai", "dai", "eve"),
        calls=[
            call("ada", "caller", on(9, 10), duration_s=600),
            call("bo", "caller", on(9, 11), duration_s=30),  # hung up
            call("bo", "caller", on(9, 12), duration_s=40),  # and talked after all
            call("cai", "caller", on(9, 13), duration_s=20),  # hung up for good
            call("dai", "another", on(9, 14), duration_s=600),  # whom nobody names
        ],
        payments=[
            payment("eve", "mule", on(10, 12), 500),
            payment("dai", "shop", on(10, 13), 500),
        ],
        cases=[case("A1", "ada", reported_at=on(11), numbers=["caller"], accounts=["mule"])],
    )
    index = build_event_index(tables)
    found = exposed_spans(index, at=on(20))
    assert found["person"].to_list() == ["ada", "bo", "eve"]
    assert (found["end_at"] - found["start_at"]).to_list() == [8 * DAY] * 3
    assert found["start_at"].to_list()[2] >= on(9, 12)
    # Before the case was known nobody could tell.
    assert exposed_spans(index, at=on(11)).is_empty()
