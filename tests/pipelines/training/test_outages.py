"""An operator and a bank are gone: people are still scored, and alerts say what was missing."""

from datetime import timedelta

import polars as pl
import pytest

from features.event_index import EventIndex, build_event_index
from features.kernel.source_tables import SourceTables
from features.whom_to_ask import query_points_for_everyone
from models.learning.outage_augmentation import OUTAGE_SHARE, Outage, drop_lost_records
from models.learning.risk import RiskModel
from pipelines.scoring.missing_data import find_missing_data
from pipelines.scoring.scored_people import scored_snapshot
from pipelines.storage.as_of import source_tables_before
from pipelines.training.learn import TRAINING_HISTORY, learn_risk_model
from serving.presentation.translations import get_translator
from serving.presentation.wording import describe_missing
from tests.pipelines.district import TRAIN_AT

AT = TRAIN_AT + timedelta(hours=15)
CMCC = Outage("calls", "cmcc", AT - timedelta(days=2, hours=15))
ICBC = Outage("transfers", "icbc", AT - timedelta(days=4, hours=15))

ENOUGH = {"rounds": 50, "negative_samples": 5_000}  # for what seldom happens to be learnt


@pytest.fixture(scope="module")
def tables(district) -> SourceTables:
    return source_tables_before(district, at=AT, span=TRAINING_HISTORY)


@pytest.fixture(scope="module")
def model(district, tables) -> RiskModel:
    training = district.training.model_copy(update={"outage_share": OUTAGE_SHARE, **ENOUGH})
    asked = district.model_copy(update={"training": training})
    return learn_risk_model(build_event_index(tables), tables, at=TRAIN_AT, seed=3, settings=asked)[
        0
    ]


@pytest.fixture(scope="module")
def disturbed(tables) -> EventIndex:
    return build_event_index(drop_lost_records(tables, (CMCC, ICBC)))


@pytest.fixture(scope="module")
def rows(disturbed, model) -> pl.DataFrame:
    return scored_snapshot(disturbed, model, query_points_for_everyone(disturbed, at=AT))


def held(tables: SourceTables, register: str, column: str, source: str) -> set[str]:
    """Who holds a number or an account of ``source``."""
    return set(getattr(tables, register).filter(pl.col(column) == source).collect()["person"])


def test_everybody_still_has_a_score(rows):
    assert len(rows) == 1200
    assert rows["score"].is_between(0, 1).all()
    assert rows["feeds_missing_n"].max() == 2


def test_all_whom_the_source_serves_and_nobody_else_are_told_to_miss_it(tables, disturbed, rows):
    gaps = dict(zip(rows["person"], find_missing_data(disturbed, rows, at=AT), strict=True))
    named = [
        ("calls:cmcc:2026-06-24", held(tables, "subscribers", "operator", "cmcc")),
        ("transfers:icbc:2026-06-22", held(tables, "accounts", "bank", "icbc")),
    ]

    for code, people in named:
        assert 200 < len(people) < 1000
        assert {person for person, codes in gaps.items() if code in codes} == people
    sources = {code for codes in gaps.values() for code in codes if ":" in code}
    assert sources == {code for code, _ in named}
    assert (
        describe_missing("calls:cmcc:2026-06-24", get_translator("en"))
        == "Call records of China Mobile are missing since June 24"
    )


def test_nothing_is_missing_while_all_sources_deliver(tables, model):
    event_index = build_event_index(tables)
    rows = scored_snapshot(event_index, model, query_points_for_everyone(event_index, at=AT))

    assert {
        code
        for codes in find_missing_data(event_index, rows, at=AT)
        for code in codes
        if ":" in code
    } == set()
    assert rows["feeds_missing_n"].max() == 0


def test_without_any_calls_payments_still_raise_an_alarm(tables, model):
    """Of the 20 highest scores without a single call record, some are far above the ordinary."""
    mute = build_event_index(
        drop_lost_records(
            tables,
            [
                Outage("calls", source, AT - timedelta(days=60))
                for source in ("cmcc", "cucc", "ctcc")
            ],
        )
    )
    rows = scored_snapshot(mute, model, query_points_for_everyone(mute, at=AT)).sort(
        "score", descending=True
    )

    assert mute.contacts.events.is_empty()
    assert rows["score"][0] > 20 * rows["score"].median()
    assert rows["new_debit_cny_7d"].head(5).min() > 0
    assert all("calls" in codes for codes in find_missing_data(mute, rows, at=AT))


def test_a_model_that_met_outages_knows_of_them(model):
    weights = dict(zip(model.features, model.booster.feature_importance("gain"), strict=True))

    assert (
        sum(
            weights[name]
            for name in ("calls_feed_silent_h", "transfers_feed_silent_h", "feeds_missing_n")
        )
        > 0
    )
