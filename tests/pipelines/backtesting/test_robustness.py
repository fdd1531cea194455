"""Scenarios of missing data and other frauds: whom each concerns, and the table. The run itself
takes minutes.
"""

from datetime import UTC, datetime, timedelta

import polars as pl

from features.event_index import build_event_index
from models.evaluation.alert_metrics import JudgedAlerts
from pipelines.backtesting.robustness import (
    NEW,
    NEW_SCAM_TYPE,
    ORDINARY,
    USUAL,
    DistrictSize,
    Scenario,
    ScenarioResult,
    concerned_losses,
    district_mixes,
    list_scenarios,
    robustness_table,
)
from tests.features.districts import MOMENT, NOON, ago, call, district

EVIDENCE = build_event_index(
    district(calls=[call("x1", ago(days=1)), call("x1", ago(days=1), number="n3")])
)
TABLE = """\
| scenario | trained | precision a | precision b | coverage | traced | money | losses concerned | their coverage | with nothing missing |
|---|---|---|---|---|---|---|---|---|---|
| a bank is gone | without | – | 0.50 | 0.50 | – | 0.25 | 1 | 0.00 | 1.00 |
| none | without | – | 0.50 | 0.50 | – | 0.25 | 0 | – | – |"""  # noqa: E501 -- as it is printed


def judged(*rows: tuple[str, str, datetime, bool]) -> JudgedAlerts:
    """Losses by person, type, main payment and whether they were covered; two alerts, of which one
    was right.
    """
    schema = {"person": pl.String, "scam_type": pl.String, "main_at": MOMENT, "covered": pl.Boolean}
    losses = pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        traced=pl.lit(None, pl.Boolean),
        lead_h=pl.when("covered").then(2.0),
        total_cny=pl.lit(1000.0),
        ahead_cny=pl.when("covered").then(500.0).otherwise(0.0),
    )
    alerts = pl.DataFrame(
        {"reported": [True, False], "lost": [True, False], "confirmed": [None, None]}
    )
    return JudgedAlerts(alerts=alerts.cast({"confirmed": pl.Boolean}), losses=losses, days=1.0)


def test_an_outage_concerns_those_whom_the_source_serves_while_it_lasts() -> None:
    by_name = {one.name: one for one in list_scenarios(NOON)}
    brief = by_name["the largest operator is gone for 3 days"]
    lasting = by_name["the largest operator is gone for ever"]
    assert brief.outage is not None
    starts = brief.outage.start_at
    told = judged(
        *(("p1", "police", starts + timedelta(days=day), True) for day in (-1, 1, 4)),
        ("p3", "police", starts + timedelta(days=1), True),  # of another operator
    )

    assert starts == NOON + timedelta(days=5)
    assert concerned_losses(told, brief, EVIDENCE).losses["main_at"].to_list() == [
        starts + timedelta(days=1)
    ]
    assert concerned_losses(told, lasting, EVIDENCE).losses["person"].to_list() == ["p1"] * 3
    assert concerned_losses(told, by_name["nothing is missing"], EVIDENCE).losses.equals(
        told.losses
    )


def test_a_new_type_concerns_its_own_victims() -> None:
    told = judged(("p1", "police", NOON, True), ("p2", NEW_SCAM_TYPE, NOON, False))
    scenario = Scenario("new", district=NEW, scam_type=NEW_SCAM_TYPE)

    assert concerned_losses(told, scenario, EVIDENCE).losses["person"].to_list() == ["p2"]


def test_the_districts_differ_in_what_they_are_named_for() -> None:
    found = district_mixes(DistrictSize(intensity=3.0))

    assert {mix.intensity for mix in found.values()} == {3.0}
    assert all(scam.caller_kinds == {"mobile": 1.0} for scam in found[ORDINARY].scams.values())
    assert set(found[NEW].scams) - set(found[USUAL].scams) == {NEW_SCAM_TYPE}
    assert found[USUAL].scams["police"].caller_kinds["international"] == 0.4
    assert found[ORDINARY].lookalikes == found[USUAL].lookalikes


def test_a_district_ends_at_the_midnight_after_its_last_day() -> None:
    assert DistrictSize(days=30).end == datetime(2026, 6, 30, 16, tzinfo=UTC)


def test_the_table_has_a_dash_for_what_does_not_exist() -> None:
    told = judged(("p1", "police", NOON, True), ("p2", "police", NOON, False))
    missed, warned = judged(("p2", "police", NOON, False)), judged(("p2", "police", NOON, True))
    nobody = judged()

    lines = [
        ScenarioResult("a bank is gone", "without", told, missed, warned),
        ScenarioResult("none", "without", told, nobody, None),
    ]
    assert robustness_table(lines) == TABLE
