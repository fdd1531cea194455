"""Parts of the inputs: what belongs to each, and that nothing slips through."""

import pytest

from features.catalogue.definitions import FEATURES, feature_names
from models.learning.ablations import PARTS, UntunedTrees, features_of, features_without
from models.learning.risk import Tuning


def test_without_calls_and_transfers_only_the_register_and_the_feeds_are_left():
    left = features_without(
        "transfers", features=features_without("calls", features=feature_names())
    )
    assert {feature.group for feature in FEATURES if feature.name in left} <= {"profile", "feeds"}


def test_every_feature_says_which_records_it_is_made_of():
    assert {feature.source for feature in FEATURES} == {"calls", "transfers", "both", "neither"}
    assert {feature.behaviour_of for feature in FEATURES} == {"number", "account", None}
    assert all(
        (feature.source == "neither") == (feature.group in {"profile", "feeds"})
        for feature in FEATURES
    )


def test_named_numbers_go_with_calls_and_named_accounts_with_transfers():
    assert features_of("named") & features_of("calls") == {
        "named_peers_7d",
        "lead_named",
        "named_talk_s",
    }
    assert features_of("named") & features_of("transfers") == {"named_payees_7d", "payee_named"}


def test_a_reputation_is_what_others_saw():
    numbers, payees = features_of("peer_reputation"), features_of("payee_reputation")
    assert not numbers & payees
    assert {
        "lead_peer_reach_24h",
        "reputation_max_24h",
        "payee_caller_reputation",
        "lead_suspicion",
    } <= numbers
    assert {"payee_payers_14d", "payee_received_cny_14d", "payee_age_d"} <= payees
    own = {
        "stranger_talk_s_24h",
        "lead_relationship_talk_s",
        "payee_relationship_paid_cny",
        "new_debit_cny_24h",
    }
    assert not own & (numbers | payees)


@pytest.mark.parametrize("code", PARTS)
def test_the_rest_keeps_its_order(code):
    left = features_without(code, features=feature_names())
    assert 0 < len(left) < len(feature_names())
    assert list(left) == [name for name in feature_names() if name in set(left)]


def test_untuned_trees_keep_nothing_of_the_tuning():
    params = UntunedTrees(threads=1).params(seed=4)
    assert params == {
        "objective": "binary", "num_threads": 1, "deterministic": True, "force_col_wise": True,
        "seed": 4,
        "verbose": -1,
    }  # fmt: skip
    assert set(params) < set(Tuning().params(seed=4))
