"""Everything on an alert is of the person whom it names, and its amounts of money agree."""

from datetime import timedelta

import polars as pl
import pytest

from features.event_index import EventIndex, build_event_index
from features.kernel.source_tables import SourceTables
from models.learning.calibration import Calibration
from models.learning.risk import RiskModel
from models.policy.alerting import AlertDecision, Candidate
from models.policy.expected_saving import estimate_preventable_loss
from pipelines.scoring.build_alerts import join_alert_rows
from tests.models.drawn import call, case, on, payment, source_tables

AT = on(20)
EFFECT = {"police": 0.5, "brushing": 0.8}
TYPES = {"ada": "police", "bo": "brushing", "cai": "unknown"}


class Named(RiskModel):
    """A model that is sure of the scam type of ada and bo, and names none for cai."""

    scam_types = ("brushing", "police")

    def predict_scam_type(self, frame):
        return [TYPES[person] for person in frame["person"]]

    def type_probabilities(self, frame):
        named = [[TYPES[person] == kind for kind in self.scam_types] for person in frame["person"]]
        return pl.DataFrame(named, orient="row").cast(pl.Float64).to_numpy()


MODEL = Named(
    booster=None,
    features=(),
    calibration=Calibration(),
    trained_at=on(10),
    facts={"typical_loss_cny_police": 50_000.0, "typical_loss_cny_brushing": 4_000.0},
)


@pytest.fixture(scope="module")
def tables() -> SourceTables:
    """A stranger each called ada and bo; a small police case became known after the training."""
    return source_tables(
        calls=[
            call("ada", "caller of ada", AT - timedelta(hours=2)),
            call("bo", "caller of bo", AT - timedelta(hours=3)),
        ],
        payments=[payment("bo", "payee of bo", AT - timedelta(hours=1), 900)],
        cases=[case("c1", "cai", paid=(on(12), on(12)), reported_at=on(13), loss_cny=100)],
        people=("ada", "bo", "cai"),
    )


@pytest.fixture(scope="module")
def event_index(tables) -> EventIndex:
    return build_event_index(tables)


@pytest.fixture(scope="module")
def rows(event_index) -> pl.DataFrame:
    """A scored snapshot in the order of the register, and nothing paid yet."""
    peers = dict(event_index.numbers.select("peer", "code").iter_rows())
    payees = dict(event_index.accounts.select("payee", "code").iter_rows())
    people = ["ada", "bo", "cai"]
    return pl.DataFrame(
        {
            "person": people,
            "score": [0.2, 0.6, 0.4],
            "baseline_score": [0.1, 0.3, 0.0],
            "new_debit_outside_cny_7d": [0.0, 0.0, 0.0],
            "lead_peer_code": [peers.get(f"caller of {person}") for person in people],
            "lead_payee_code": [payees.get(f"payee of {person}") for person in people],
        },
        schema_overrides={"lead_peer_code": pl.UInt32, "lead_payee_code": pl.UInt32},
    )


def decide(rows: pl.DataFrame, *people: str) -> list[AlertDecision]:
    saved = estimate_preventable_loss(MODEL, rows, effect=EFFECT)
    scores = dict(zip(rows["person"], zip(rows["score"], saved, strict=True), strict=True))
    return [
        AlertDecision(
            Candidate(person, scores[person][0], 0.0, preventable_loss_cny=scores[person][1]),
            "red",
            False,
        )
        for person in people
    ]


def test_each_row_is_of_the_person_whom_the_alert_names(tables, event_index, rows):
    found = join_alert_rows(
        decide(rows, "bo", "cai", "ada"), rows, tables=tables, event_index=event_index, model=MODEL
    )
    assert found.select(
        "rank", "person", "baseline_score", "scam_type", "suspect_number", "suspect_account"
    ).rows() == [
        (1, "bo", 0.3, "brushing", "caller of bo", "payee of bo"),
        (2, "cai", 0.0, "unknown", None, None),
        (3, "ada", 0.1, "police", "caller of ada", None),
    ]


def test_what_is_at_stake_is_the_loss_that_the_saving_was_estimated_from(tables, event_index, rows):
    found = join_alert_rows(
        decide(rows, "ada", "bo", "cai"), rows, tables=tables, event_index=event_index, model=MODEL
    )
    assert found["at_stake_cny"].to_list() == [50_000, 4_000, None]  # not the 100 of today's case
    for alert in found.head(2).iter_rows(named=True):
        preventable_cny = alert["at_stake_cny"] * EFFECT[alert["scam_type"]]
        assert alert["saving_cny"] == pytest.approx(alert["score"] * preventable_cny)
        assert alert["saving_cny"] < alert["at_stake_cny"]


def test_who_had_already_paid_is_told_by_the_usual_loss_of_the_type(tables, event_index, rows):
    paid = rows.with_columns(new_debit_outside_cny_7d=pl.Series([24_000.0, 2_100.0, 900.0]))
    found = join_alert_rows(
        decide(paid, "ada", "bo", "cai"), paid, tables=tables, event_index=event_index, model=MODEL
    )
    assert found["already_paid_cny"].to_list() == [None, 2_100, None]
    assert found["rank"].to_list() == [1, 2, 3]
