"""Levers: one thing done otherwise while a model is learned or read, each to be measured for what
it brings at the true rate of fraud.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
import polars as pl

from features.event_index import EventIndex
from features.kernel.source_tables import SourceTables
from features.reputation import ReputationModel
from models.labels.drawn_people import draw_people
from models.labels.episodes import build_episodes
from models.labels.mined_negatives import mine_negatives
from models.labels.sampling import Sampling, draw_training_samples
from models.learning.ablations import features_without
from models.learning.calibration import Floats, fit_calibration
from models.learning.learned_reputation import learn_reputation
from models.learning.outage_augmentation import snapshot_with_outages
from models.learning.risk import RiskModel, Tuning, fit_risk_model
from pipelines.settings import Settings
from pipelines.training.learn import (
    learn_risk_model,
    sampling_from_settings,
    tuning_from_settings,
)

__all__ = ["LEVERS", "LearnedOnce", "pull_lever"]

POOL_TIMES = 4  # a first model looks at so many times the moments that the second one learns from
TAIL_ROWS = 2_000  # the likeliest moments, by which the tail is calibrated


@dataclass(frozen=True, kw_only=True, eq=False)
class LearnedOnce:
    """The model of this installation, the rows it learned from, and what these were made of."""

    model: RiskModel
    rows: pl.DataFrame
    event_index: EventIndex
    tables: SourceTables
    settings: Settings
    seed: int

    @cached_property
    def reputation_model(self) -> ReputationModel:
        """What training rows read: each a reputation that was learned without its own stretch."""
        _, reputation_model = learn_reputation(
            self.event_index,
            at=self.model.trained_at,
            seed=self.seed,
            threads=self.settings.training.threads,
            drawn=draw_people(self.event_index, at=self.model.trained_at, seed=self.seed),
        )
        return reputation_model

    def learn_again(self, sampling: Sampling) -> RiskModel:
        """The same from other moments. The same cases teach the same reputations, so one snapshot
        serves both models.
        """
        model, _ = learn_risk_model(
            self.event_index,
            self.tables,
            at=self.model.trained_at,
            seed=self.seed,
            settings=self.settings,
            sampling=sampling,
            reputations=self.model.reputations,
            reputation_model=self.reputation_model,
        )
        return model

    def refit(
        self, rows: pl.DataFrame, *, without: str = "", tuning: Tuning | None = None
    ) -> RiskModel:
        """The same trees fitted on other rows, without the features of a part, or otherwise."""
        features = self.model.features
        if without:
            features = features_without(without, features=features)
        model, _ = fit_risk_model(
            rows,
            features=features,
            at=self.model.trained_at,
            tuning=tuning or tuning_from_settings(self.settings),
            seed=self.seed,
        )
        return replace(model, reputations=self.model.reputations, facts=self.model.facts)


@dataclass(frozen=True, eq=False)
class AgreeingModel(RiskModel):
    """A model whose probability rises where one that sees calls alone and one that sees payments
    alone both say so: the root of it times that of the geometric mean of theirs.
    """

    parts: tuple[RiskModel, ...] = ()

    def predict(self, frame: pl.DataFrame) -> Floats:
        """Rank by agreement; no calibrated probability any more."""
        own = super().predict(frame)
        theirs = np.prod([part.predict(frame) for part in self.parts], axis=0)
        return np.asarray(np.sqrt(own * theirs ** (1 / len(self.parts))))


def pull_lever(name: str, learned: LearnedOnce) -> RiskModel:
    """The model with one of ``LEVERS``."""
    return LEVERS[name](learned)


def draw_at_random(learned: LearnedOnce) -> RiskModel:
    """Negatives drawn as they come, not those soon after something that might be a fraud."""
    usual = sampling_from_settings(learned.settings)
    return learned.learn_again(replace(usual, hard_negative_share=0.0))


def grow_from_another_seed(learned: LearnedOnce) -> RiskModel:
    """The same rows and other chance in the trees: a lever that moves a figure no further than this
    has shown nothing.
    """
    return replace(learned, seed=learned.seed + 1).refit(learned.rows)


def leave_out_exposed(learned: LearnedOnce) -> RiskModel:
    """No negatives from people whom a named number or account reached."""
    usual = sampling_from_settings(learned.settings)
    return learned.learn_again(replace(usual, without_exposed=True))


def mine_in_two_stages(learned: LearnedOnce) -> RiskModel:
    """Negatives of which half are those that the first model suspects among four times as many."""
    index, at, seed = learned.event_index, learned.model.trained_at, learned.seed
    usual = sampling_from_settings(learned.settings)
    drawn = draw_people(index, at=at, seed=seed)
    samples = draw_training_samples(
        index,
        build_episodes(learned.tables.cases, index, at=at),
        at=at,
        sampling=replace(usual, negatives=POOL_TIMES * usual.negatives),
        seed=seed + 1,
        drawn=drawn,
    ).filter(pl.col("label") == 0)
    pool = snapshot_with_outages(
        index,
        learned.tables,
        samples,
        reputation_model=learned.reputation_model,  # as the rows of positives were read
        at=at,
        outage_share=learned.settings.training.outage_share,
        seed=seed,
    ).with_columns(samples.drop("person", "at"))
    raw = np.asarray(learned.model.booster.predict(learned.model.matrix(pool), raw_score=True))
    mined = mine_negatives(pool, raw, number=usual.negatives, seed=seed)
    positives = learned.rows.filter(pl.col("label") == 1).drop("raw")
    return learned.refit(
        pl.concat([positives, mined.select(positives.columns)], how="vertical_relaxed")
    )


def fit_constrained(learned: LearnedOnce) -> RiskModel:
    """A risk that never falls while something grows that speaks for a fraud."""
    tuning = replace(tuning_from_settings(learned.settings), monotone=True)
    return learned.refit(learned.rows, tuning=tuning)


def calibrate_tail(learned: LearnedOnce) -> RiskModel:
    """The line from score to probability drawn through the likeliest moments alone."""
    top = learned.rows.top_k(TAIL_ROWS, by="raw")
    line = fit_calibration(
        top["raw"].to_numpy(),
        top["label"].to_numpy().astype(np.float64),
        sampling_weight=top["sampling_weight"].to_numpy(),
    )
    return replace(learned.model, calibration=line, group_calibration=None)


def ask_for_agreement(learned: LearnedOnce) -> RiskModel:
    """Calls and payments have to agree."""
    parts = tuple(learned.refit(learned.rows, without=part) for part in ("transfers", "calls"))
    own = {field.name: getattr(learned.model, field.name) for field in fields(RiskModel)}
    return AgreeingModel(**own, parts=parts)


LEVERS: Mapping[str, Callable[[LearnedOnce], RiskModel]] = MappingProxyType(
    {
        "another_seed": grow_from_another_seed,
        "random_negatives": draw_at_random,
        "two_stages": mine_in_two_stages,
        "exposed": leave_out_exposed,
        "constrained": fit_constrained,
        "agreement": ask_for_agreement,
        "tail": calibrate_tail,
    }
)
