"""The number model on a graph: what a row may know, and figures worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from tests.benchmarks.subscribers import (
    Recipe,
    Subscribers,
    best_threshold,
    cross_validate,
    log_ratios,
    macro_f1,
    neighbour_fraud_share,
    neighbourhood_features,
    rank_features,
    symmetric_graph,
    widest_gap,
)
from tests.examples import examples

QUICK = {"n_estimators": 15, "num_leaves": 4, "min_child_samples": 5}


def drawn(number: int, *, seed: int) -> Subscribers:
    """Subscribers of whom the fraudulent call more, with gaps in the figures and edges mostly among
    like ones.
    """
    rng = np.random.default_rng(seed)
    fraud = rng.random(number) < 0.4
    features = rng.gamma(2.0, 10.0 + 20.0 * fraud[:, None], (number, 3))
    features[rng.random((number, 3)) < 0.1] = np.nan
    near = rng.random((number, number)) < np.where(fraud[:, None] == fraud, 0.2, 0.05)
    return Subscribers(
        features,
        ("calls", "texts", "numbers"),
        fraud,
        symmetric_graph(sparse.coo_array(np.tril(near, -1))),
    )


def test_an_edge_noted_once_twice_or_with_a_weight_is_one_edge_both_ways_and_loops_fall():
    noted = sparse.coo_array(([1, 7, 1, 1], ([1, 0, 2, 2], [0, 1, 2, 0])), shape=(3, 3))
    assert symmetric_graph(noted).toarray().tolist() == [[0, 1, 1], [1, 0, 0], [1, 0, 0]]


def test_the_widest_gap_between_two_that_are_joined():
    path = symmetric_graph(sparse.coo_array((np.ones(2), ([1, 2], [0, 1])), shape=(4, 4)))
    assert widest_gap(np.array([1.0, 3.0, 8.0, 99.0]), path) == 5.0
    assert widest_gap(np.ones(2), sparse.csr_array((2, 2))) == 0.0


def test_log_ratios_of_the_named_columns_that_are_there():
    two = Subscribers(
        np.array([[3.0, 1.0], [0.0, np.nan]]),
        ("calls", "texts"),
        np.zeros(2, bool),
        sparse.csr_array((2, 2)),
    )
    ratios = log_ratios(two, ("calls", "absent", "texts"))
    assert ratios.shape == (2, 1)
    assert ratios[0, 0] == pytest.approx(0.6931472, abs=1e-7)
    assert np.isnan(ratios[1, 0])


def test_the_neighbourhood_of_a_triangle_with_a_tail():
    #  0 - 1, 0 - 2, 1 - 2, 2 - 3, and 4 alone
    edges = sparse.coo_array((np.ones(4), ([1, 2, 2, 3], [0, 0, 1, 2])), shape=(5, 5))
    features = np.array([[1.0], [2.0], [6.0], [np.nan], [9.0]])
    found = neighbourhood_features(features, symmetric_graph(edges))
    assert np.expm1(found[:, 0]) == pytest.approx([2, 2, 3, 1, 0])
    assert found[:, 1] == pytest.approx([1, 1, 1 / 3, 0, 0])
    assert found[:, 2] == pytest.approx([4, 3.5, 1, 6, np.nan], nan_ok=True)


def test_ranks_run_from_low_to_high_and_equals_share_one():
    assert rank_features(np.array([[5.0], [np.nan], [5.0], [90.0]]))[:, 0] == pytest.approx(
        [0.375, -0.75, 0.375, 1.5]
    )


@examples(15)
@given(seed=st.integers(0, 10_000))
def test_the_fast_neighbourhood_is_the_slow_one(seed):
    people = drawn(14, seed=seed)
    edges, filled = people.graph.toarray() > 0, np.nan_to_num(people.features)
    found = neighbourhood_features(people.features, people.graph)
    for row in range(14):
        friends = np.flatnonzero(edges[row])
        pairs = [(one, other) for one in friends for other in friends if one != other]
        among = sum(edges[one, other] for one, other in pairs)
        assert found[row, 0] == pytest.approx(np.log1p(len(friends)))
        assert found[row, 1] == pytest.approx(among / len(pairs) if pairs else 0)
        if len(friends):
            assert found[row, 2:5] == pytest.approx(filled[friends].mean(axis=0))


def test_fraud_nearby_counts_known_neighbours_of_other_groups():
    # 0 is joined with all others; 1 and 2 are known frauds, 3 is known and honest, 4 is not known
    edges = sparse.coo_array((np.ones(4), ([1, 2, 3, 4], [0, 0, 0, 0])), shape=(5, 5))
    fraud = np.array([False, True, True, False, True])
    known = np.array([True, True, True, True, False])
    found = neighbour_fraud_share(
        fraud, symmetric_graph(edges), known=known, group=np.array([0, 0, 1, 1, 1])
    )
    assert found[0] == pytest.approx([(1 + 0.5 * 5) / (2 + 5), 2])  # 1 is of the same group
    assert found[2] == pytest.approx([(0 + 0.5 * 5) / (1 + 5), 1])
    assert found[1] == pytest.approx([0.5, 0])


@examples(20)
@given(seed=st.integers(0, 10_000))
def test_labels_that_are_not_known_and_ones_own_change_nothing(seed):
    people, rng = drawn(30, seed=seed), np.random.default_rng(seed)
    known, group = rng.random(30) < 0.7, rng.integers(0, 3, 30)
    before = neighbour_fraud_share(people.fraud, people.graph, known=known, group=group)
    other = people.fraud.copy()
    other[~known] = rng.permutation(~other[~known])
    assert np.array_equal(
        before, neighbour_fraud_share(other, people.graph, known=known, group=group)
    )
    mine = known & (group == 0)  # exchanged labels keep the overall share
    exchanged = people.fraud.copy()
    exchanged[mine] = rng.permutation(exchanged[mine])
    after = neighbour_fraud_share(exchanged, people.graph, known=known, group=group)
    assert np.array_equal(before[group == 0], after[group == 0])


def test_macro_f1_by_hand():
    fraud = np.array([True, True, True, False, False])
    called = np.array([True, True, False, True, False])
    assert macro_f1(fraud, called) == pytest.approx((4 / 6 + 2 / 4) / 2)
    assert macro_f1(fraud, fraud) == 1.0


def test_the_threshold_is_the_middle_of_the_plateau():
    fraud = np.array([False, False, True, True])
    assert best_threshold(fraud, np.array([0.1, 0.3, 0.6, 0.8])) == pytest.approx(0.4475, abs=0.01)


@pytest.mark.parametrize("with_graph", [False, True])
@pytest.mark.parametrize("committee", [False, True])
def test_labels_of_a_test_fold_move_neither_scores_nor_threshold(
    monkeypatch, with_graph, committee
):
    """Whatever the labels of the first test fold are, its scores and threshold stay the same to the
    last digit.
    """
    import tests.benchmarks.subscribers as module

    people = drawn(150, seed=1)
    splits = module._splits(people.fraud, folds=3, seed=0)
    outer = len(people.fraud)
    inner_splits = module._splits
    monkeypatch.setattr(
        module,
        "_splits",
        lambda fraud, **how: splits if len(fraud) == outer else inner_splits(fraud, **how),
    )
    seen = []
    monkeypatch.setattr(
        module,
        "_figures",
        lambda fraud, probability, threshold: seen.append((threshold, *probability)),
    )
    recipe = Recipe("quick", (QUICK,), ratios=("calls", "texts"), margin=True, committee=committee)
    turned = people.fraud.copy()
    turned[splits[0][1]] = ~turned[splits[0][1]]
    for fraud in (people.fraud, turned):
        changed = Subscribers(people.features, people.names, fraud, people.graph)
        cross_validate(changed, recipe=recipe, with_graph=with_graph, seed=0, folds=3, workers=1)
    assert seen[0] == seen[3]
    assert seen[1] != seen[4]  # those folds train on what was turned


def test_it_learns_what_is_there_and_nothing_where_nothing_is():
    people = drawn(400, seed=2)
    recipe = Recipe("quick", (QUICK,), ratios=("calls", "texts"), margin=True, committee=True)
    trained = cross_validate(people, recipe=recipe, with_graph=True, seed=0)
    assert np.mean([fold.auc for fold in trained]) > 0.9
    shuffled = np.random.default_rng(3).permutation(people.fraud)
    blind = Subscribers(people.features, people.names, shuffled, people.graph)
    assert np.mean(
        [fold.auc for fold in cross_validate(blind, recipe=recipe, with_graph=True, seed=0)]
    ) == pytest.approx(0.5, abs=0.1)


def test_the_same_seed_gives_the_same_figures():
    people, recipe = drawn(200, seed=4), Recipe("quick", (QUICK,))
    one, again = (cross_validate(people, recipe=recipe, with_graph=False, seed=7) for _ in range(2))
    assert one == again
