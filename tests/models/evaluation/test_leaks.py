"""Nothing tells the future: neither the rows that are learnt from, nor a single column, nor the
form of the data.
"""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sklearn.metrics import average_precision_score, roc_auc_score

from features.catalogue.definitions import FEATURES, feature_names, model_inputs
from features.event_index import build_event_index
from features.point_in_time import build_snapshot
from models.evaluation.diagnostics import feature_aucs
from models.labels.episodes import build_episodes
from models.learning.baseline_rule import baseline_score
from models.learning.risk import fit_risk_model
from tests.models.conftest import TUNING, learning_rows
from tests.pipelines.district import TRAIN_AT


def test_there_is_enough_to_learn_from_for_these_tests_to_mean_something(trained):
    live = trained.rows.filter(label=1)
    assert live["case_id"].n_unique() >= 30
    assert live.height >= 300
    assert trained.rows.filter(label=0).height >= 6_000


def test_a_replay_learns_from_exactly_what_a_system_of_that_day_had(trained):
    """The event index of a replay reaches beyond the moment of training; none of that may show."""
    then = trained.tables.known_before(TRAIN_AT)
    event_index = build_event_index(then)
    assert event_index.contacts.events.height < trained.event_index.contacts.events.height
    rows = learning_rows(then, event_index)
    codes = [
        column for column in rows.columns if column.endswith("_code")
    ]  # numbers of a row in a list of names
    assert_frame_equal(rows.drop(codes), trained.rows.drop("raw", *codes), check_exact=True)


def test_shuffled_labels_cannot_be_learnt(trained):
    order = np.random.default_rng(3).permutation(len(trained.rows))
    told = ["label", "weight", "sampling_weight", "case_id", "scam_type"]
    shuffled = trained.rows.with_columns(trained.rows.select(told)[order])
    _, raw = fit_risk_model(shuffled, features=model_inputs(), at=TRAIN_AT, tuning=TUNING, seed=0)
    assert roc_auc_score(shuffled["label"], raw) == pytest.approx(0.5, abs=0.06)
    live, sampling_weight = shuffled["label"].to_numpy(), shuffled["sampling_weight"].to_numpy()
    base_rate = sampling_weight[live == 1].sum() / sampling_weight.sum()
    assert average_precision_score(live, raw, sample_weight=sampling_weight) < 3 * base_rate


def test_no_single_feature_gives_the_victims_away(trained):
    strongest = feature_aucs(trained.rows, feature_names()).row(0)
    assert strongest[1] < 0.95, strongest


def test_the_model_knows_more_than_the_rule_and_less_than_the_truth(trained):
    labels, sampling_weight = trained.rows["label"], trained.rows["sampling_weight"]
    rule = roc_auc_score(
        labels, trained.rows.select(baseline_score()).to_series(), sample_weight=sampling_weight
    )
    assert (
        rule + 0.03
        < roc_auc_score(labels, trained.rows["raw"], sample_weight=sampling_weight)
        < 0.995
    )


def test_residency_is_no_input_and_turning_it_round_changes_nothing(trained):
    words = ("resid", "local", "float", "area", "commun", "grid", "address", "sex", "operator")
    assert [
        feature.name for feature in FEATURES if any(word in feature.name for word in words)
    ] == []
    assert set(trained.model.features) == set(model_inputs())
    assert set(trained.model.features).isdisjoint(trained.tables.residents.collect_schema())
    turned = trained.tables.residents.with_columns(
        residency=pl.when(pl.col("residency") == "local")
        .then(pl.lit("floating"))
        .otherwise(pl.lit("local")),
        community_id=pl.lit("C999"),
        grid_id=pl.lit("G9999"),
        sex=pl.lit("F"),
    )
    event_index = build_event_index(
        type(trained.tables)(**{**vars(trained.tables), "residents": turned})
    )
    asked = trained.rows.select("person", "at").head(300)
    assert_frame_equal(
        build_snapshot(event_index, asked), build_snapshot(trained.event_index, asked)
    )


def test_nobody_with_a_reported_case_is_a_quiet_example_but_in_the_week_after_the_last_payment(
    trained,
):
    told = build_episodes(trained.tables.cases, trained.event_index, at=TRAIN_AT)
    theirs = trained.rows.filter(label=0).join(told, on="person")
    since = pl.col("at") - pl.col("closed_at")
    kept = theirs.filter(since > timedelta(hours=3), since <= timedelta(days=7), outcome="loss")
    assert (
        kept.select("person", "at").unique().height
        == theirs.select("person", "at").unique().height
        > 0
    )
    assert trained.rows["at"].max() < TRAIN_AT
