"""Which subscribers are fraudulent, from figures about their use and a graph of who resembles whom.

This is the number model held against published results: the same kind of learner, on figures that
others have used. Pure functions of arrays; ``tests.benchmarks.prove_numbers`` reads the files.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.stats import rankdata

__all__ = [
    "OURS",
    "UNTUNED",
    "FoldFigures",
    "Recipe",
    "Subscribers",
    "best_threshold",
    "cross_validate",
    "log_ratios",
    "macro_f1",
    "neighbour_fraud_share",
    "neighbourhood_features",
    "rank_features",
    "symmetric_graph",
    "widest_gap",
]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]
Model = Callable[[Rows], Floats]

FOLDS: Final = 5
PRIOR_NEIGHBOURS: Final = (
    5.0  # a subscriber with few labelled neighbours is taken to live among average ones
)
PLATEAU: Final = 0.002


@dataclass(frozen=True)
class Subscribers:
    """Subscribers by row: ``features`` (rows, columns; NaN = missing), ``names`` of the columns,
    ``fraud`` (rows,).

    The ``graph`` is symmetric, without loops, rows by rows.
    """

    features: Floats
    names: tuple[str, ...]
    fraud: Flags
    graph: sparse.csr_array

    def without(self, dropped: Sequence[str]) -> "Subscribers":
        """The same subscribers, some columns fewer."""
        kept = [place for place, name in enumerate(self.names) if name not in dropped]
        return replace(
            self, features=self.features[:, kept], names=tuple(self.names[place] for place in kept)
        )


@dataclass(frozen=True)
class Recipe:
    """How a model is made: the mean of some ``boosters`` (LightGBM parameters of each) and what
    goes with them.

    ``ratios`` names the columns whose mutual log ratios are added for the boosters. With ``margin``
    a support vector machine on ranks votes too: it bends smoothly where trees cut. A ``committee``
    answers with the mean of the models that the threshold was chosen on; otherwise one model is
    trained on the whole training fold.
    """

    name: str
    boosters: tuple[dict[str, Any], ...]
    ratios: tuple[str, ...] = ()
    margin: bool = False
    committee: bool = False


@dataclass(frozen=True)
class FoldFigures:
    """What one test fold showed. ``macro_f1`` is at ``threshold``, which the training folds alone
    have chosen.
    """

    auc: float
    macro_f1: float
    macro_f1_at_half: float
    threshold: float


COUNTS: Final = (
    "opposite_count",
    "opposite_unique",
    "voccalltype1",
    "imeis",
    "phone2opposite_max",
    "phone2oppo_sum_max",
    "call_dur_mean",
    "city_name_nunique",
    "county_name_nunique",
    "voc_hour_mode_count",
    "voc_day_mode_count",
    "voc_day_nunique",
    "sms_count",
    "sms_nunique",
    "calltype_2",
    "hour_mode_count",
    "day_mode_count",
    "day_nunique",
    "busi_count",
    "flow_sum",
    "month_ids",
    "arpu_mean",
    "arpu_sum",
)

REGULARISED: Final = {
    "n_estimators": 400,
    "learning_rate": 0.04,
    "num_leaves": 31,
    "min_child_samples": 10,
    "colsample_bytree": 0.2,
    "subsample": 0.7,
    "subsample_freq": 1,
    "reg_lambda": 5.0,
    "max_bin": 63,
}

UNTUNED: Final = Recipe(name="untuned", boosters=({},))
OURS: Final = Recipe(
    name="ours",
    boosters=(REGULARISED, {**REGULARISED, "extra_trees": True}),
    ratios=COUNTS,
    margin=True,
    committee=True,
)


def symmetric_graph(adjacency: sparse.sparray | sparse.spmatrix) -> sparse.csr_array:
    """An undirected graph without weights and loops, from edges that may be noted in one direction
    only.
    """
    edges = sparse.coo_array(adjacency)
    present = (edges.data != 0) & (edges.row != edges.col)
    one, other = edges.row[present], edges.col[present]
    graph = sparse.coo_array(
        (np.ones(2 * len(one)), (np.r_[one, other], np.r_[other, one])), shape=edges.shape
    ).tocsr()  # doubled edges are summed here
    graph.data[:] = 1.0
    return graph


def widest_gap(values: Floats, graph: sparse.csr_array) -> float:
    """The largest difference of ``values`` (rows,) between two joined subscribers: how much the
    graph says of them.
    """
    edges = graph.tocoo()
    return float(np.abs(values[edges.row] - values[edges.col]).max(initial=0.0))


def log_ratios(subscribers: Subscribers, among: Sequence[str]) -> Floats:
    """log((1 + a) / (1 + b)) of all pairs of the named columns that are there: (rows, pairs).

    A tree cuts one column at a time and needs many cuts for what a ratio says in one: texts a
    month, numbers a call.
    """
    places = [subscribers.names.index(name) for name in among if name in subscribers.names]
    logs = np.log1p(np.maximum(subscribers.features[:, places], 0.0))
    pairs = list(combinations(range(len(places)), 2))
    return logs[:, [one for one, _ in pairs]] - logs[:, [other for _, other in pairs]]


def rank_features(features: Floats) -> Floats:
    """Each column as its ranks, from -1.5 to 1.5, missing as 0 before ranking: (rows, columns)."""
    return np.asarray(3.0 * (rankdata(np.nan_to_num(features), axis=0) / len(features) - 0.5))


def neighbourhood_features(features: Floats, graph: sparse.csr_array) -> Floats:
    """Log degree, clustering, and the neighbours' mean of each column: (rows, 2 + columns).

    Missing values count as 0, as in the published networks; a subscriber without neighbours has a
    mean of NaN.
    """
    degree = np.asarray(graph.sum(axis=1)).ravel()
    triangles = np.asarray((graph @ graph).multiply(graph).sum(axis=1)).ravel()
    clustering = triangles / np.maximum(degree * (degree - 1.0), 1.0)
    total = graph @ np.nan_to_num(features)
    mean = np.where(degree[:, None] > 0, total / np.maximum(degree, 1.0)[:, None], np.nan)
    return np.column_stack([np.log1p(degree), clustering, mean])


def neighbour_fraud_share(
    fraud: Flags, graph: sparse.csr_array, *, known: Flags, group: Rows
) -> Floats:
    """Share of fraud among labelled neighbours, and how many those are: (rows, 2).

    Only neighbours with a ``known`` label of another ``group`` (rows,) count. In a clique,
    everyone's share less their own label would spell out that label; with groups, all of a group
    see the same neighbours' labels and learn nothing about their own.
    """
    overall = float(fraud[known].mean())
    answer = np.empty((len(fraud), 2))
    for each in np.unique(group):
        mine, others = group == each, known & (group != each)
        count = graph[mine] @ others.astype(np.float64)
        frauds = graph[mine] @ (others & fraud).astype(np.float64)
        answer[mine, 0] = (frauds + overall * PRIOR_NEIGHBOURS) / (count + PRIOR_NEIGHBOURS)
        answer[mine, 1] = count
    return answer


def macro_f1(fraud: Flags, called: Flags) -> float:
    """Mean of the F1 of the fraudulent and that of the others."""
    hit, quiet = float((fraud & called).sum()), float((~fraud & ~called).sum())
    wrong = len(fraud) - hit - quiet
    return hit / max(2 * hit + wrong, 1.0) + quiet / max(2 * quiet + wrong, 1.0)


def best_threshold(fraud: Flags, probability: Floats) -> float:
    """The middle of all thresholds from 0.05 to 0.95 whose macro-F1 comes within 0.002 of the best.

    The very best point of a jagged curve is luck; the middle of its plateau holds on other people.
    """
    tried = np.arange(0.05, 0.9501, 0.005)
    reached = np.array([macro_f1(fraud, probability > one) for one in tried])
    return float(tried[reached >= reached.max() - PLATEAU].mean())


def cross_validate(
    subscribers: Subscribers,
    *,
    recipe: Recipe,
    with_graph: bool,
    seed: int,
    folds: int = FOLDS,
    workers: int = 2,
) -> list[FoldFigures]:
    """The figures of each fold of a stratified cross-validation, drawn by ``seed``.

    Labels of a test fold are used for nothing but its figures. Features of everyone are seen
    throughout, as in the published networks.
    """
    table = _Table.of(subscribers, recipe=recipe, with_graph=with_graph, seed=seed)

    def figures(split: tuple[Rows, Rows]) -> FoldFigures:
        train, test = split
        threshold, probability = _learn(table, train, test, recipe=recipe, seed=seed)
        return _figures(subscribers.fraud[test], probability, threshold)

    with ThreadPoolExecutor(workers) as pool:  # LightGBM lets go of the interpreter while it trains
        return list(pool.map(figures, _splits(subscribers.fraud, folds=folds, seed=seed)))


@dataclass(frozen=True)
class _Table:
    """What a recipe looks at; only the fraud nearby depends on the known labels."""

    fixed: Floats
    ranked: Floats
    fraud: Flags
    graph: sparse.csr_array | None
    group: Rows

    @classmethod
    def of(
        cls, subscribers: Subscribers, *, recipe: Recipe, with_graph: bool, seed: int
    ) -> "_Table":
        parts = [subscribers.features]
        if recipe.ratios:
            parts.append(log_ratios(subscribers, recipe.ratios))
        if with_graph:
            parts.append(neighbourhood_features(subscribers.features, subscribers.graph))
        return cls(
            fixed=np.column_stack(parts),
            ranked=rank_features(subscribers.features),
            fraud=subscribers.fraud,
            graph=subscribers.graph if with_graph else None,
            group=np.random.default_rng(seed).integers(0, FOLDS, len(subscribers.fraud)),
        )

    def columns(self, known: Rows) -> Floats:
        """All columns for the boosters, when only the labels of ``known`` may be read."""
        if self.graph is None:
            return self.fixed
        flags = np.zeros(len(self.fixed), dtype=np.bool_)
        flags[known] = True
        return np.column_stack(
            [
                self.fixed,
                neighbour_fraud_share(self.fraud, self.graph, known=flags, group=self.group),
            ]
        )


def _learn(
    table: _Table, train: Rows, test: Rows, *, recipe: Recipe, seed: int
) -> tuple[float, Floats]:
    """Threshold and probabilities of the test rows; labels are read in ``train`` only."""
    held_out = np.empty(len(train))
    votes = []
    for number, (inner, outer) in enumerate(_splits(table.fraud[train], folds=FOLDS, seed=seed)):
        model = _fit(table, train[inner], recipe=recipe, seed=seed + number)
        held_out[outer] = model(train[outer])
        if recipe.committee:
            votes.append(model(test))
    if not recipe.committee:
        votes.append(_fit(table, train, recipe=recipe, seed=seed)(test))
    return best_threshold(table.fraud[train], held_out), np.mean(votes, axis=0)


def _fit(table: _Table, rows: Rows, *, recipe: Recipe, seed: int) -> Model:
    """A model of the labels of ``rows``."""
    columns = table.columns(rows)
    models = [
        _booster(columns, table.fraud, rows, parameters, seed=seed)
        for parameters in recipe.boosters
    ]
    if recipe.margin:
        models.append(_margin(table.ranked, table.fraud, rows))
    return lambda rows_to_score: np.asarray(
        np.mean([model(rows_to_score) for model in models], axis=0)
    )


def _booster(
    columns: Floats, fraud: Flags, rows: Rows, parameters: dict[str, Any], *, seed: int
) -> Model:
    from lightgbm import LGBMClassifier

    # One thread a model: on small tables, threads of one model spend their time waiting for each
    # other.
    model = LGBMClassifier(**parameters, random_state=seed, n_jobs=1, verbose=-1).fit(
        columns[rows], fraud[rows]
    )
    return lambda rows_to_score: np.asarray(
        model.predict_proba(columns[rows_to_score]), dtype=np.float64
    )[:, 1]


def _margin(ranked: Floats, fraud: Flags, rows: Rows) -> Model:
    from sklearn.svm import SVC

    model = SVC(C=2.0, gamma=1.1 / ranked.shape[1]).fit(ranked[rows], fraud[rows])
    return lambda rows_to_score: np.asarray(
        1.0 / (1.0 + np.exp(-2.0 * model.decision_function(ranked[rows_to_score])))
    )


def _figures(fraud: Flags, probability: Floats, threshold: float) -> FoldFigures:
    from sklearn.metrics import roc_auc_score

    return FoldFigures(
        auc=float(roc_auc_score(fraud, probability)),
        macro_f1=macro_f1(fraud, probability > threshold),
        macro_f1_at_half=macro_f1(fraud, probability > 0.5),
        threshold=threshold,
    )


def _splits(fraud: Flags, *, folds: int, seed: int) -> list[tuple[Rows, Rows]]:
    from sklearn.model_selection import StratifiedKFold

    return list(
        StratifiedKFold(folds, shuffle=True, random_state=seed).split(np.zeros(len(fraud)), fraud)
    )
