"""The victim-risk model: how likely a person is in a live episode, as LightGBM and a few numbers
beside it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl

from data_contracts.errors import ModelError
from features.catalogue.definitions import CounterpartyKind
from features.entities.coverage import data_seen_in_snapshot
from models.labels.sampling import assign_folds
from models.learning.boosters import (
    GrowParts,
    Say,
    Tuning,
    feature_matrix,
    grow_boosters,
    grow_side_by_side,
    held_out_scores,
    say_nothing,
)
from models.learning.calibration import Calibration, Floats, fit_calibration
from models.learning.former_names import current_feature, with_current_metrics
from models.learning.group_calibration import GroupCalibration
from models.learning.learned_reputation import LearnedReputation
from models.learning.scam_types import ScamTypes, fit_scam_types

__all__ = ["RiskModel", "Tuning", "fit_risk_model", "out_of_fold_scores", "require_episodes"]

LEAST_LIVE, LEAST_EPISODES = 10, 5
BOOSTER, TYPES, FACTS = "model.txt", "types.txt", "model.json"
REPUTATIONS: Mapping[CounterpartyKind, str] = MappingProxyType(
    {"number": "numbers.txt", "account": "payees.txt"}
)


@dataclass(frozen=True, eq=False)
class RiskModel:
    """A fitted booster with its calibration, what names the scam type, and the reputations it
    reads.

    ``facts`` are what a card tells of it: counts, spans and figures, no personal data.
    """

    booster: Any
    features: tuple[str, ...]
    calibration: Calibration
    trained_at: datetime
    group_calibration: GroupCalibration | None = None
    types: ScamTypes = field(default_factory=ScamTypes)
    reputations: LearnedReputation = field(default_factory=LearnedReputation)
    facts: Mapping[str, str | float] = field(default_factory=dict)

    def matrix(self, frame: pl.DataFrame) -> Floats:
        """The model's inputs as it wants them, float64, missing as NaN. Raises ``ModelError`` for a
        missing column.
        """
        lacking = sorted(set(self.features) - set(frame.columns))
        if lacking:
            raise ModelError(
                f"the snapshot lacks {', '.join(lacking[:5])}",
                remedy="Train a model on today's features.",
            )
        return feature_matrix(frame, self.features)

    def predict(self, frame: pl.DataFrame) -> Floats:
        """Calibrated probability of each row of a snapshot.

        By one line for all or, where ``group_calibration`` is set, by one for each kind of data
        that there is on a person.
        """
        raw = np.asarray(self.booster.predict(self.matrix(frame), raw_score=True))
        if self.group_calibration is None:
            return self.calibration(raw)
        return self.group_calibration(raw, frame.select(data_seen_in_snapshot()).to_series())

    @property
    def scam_types(self) -> tuple[str, ...]:
        """The scam types that the model can name."""
        return self.types.names

    def predict_scam_type(self, frame: pl.DataFrame) -> list[str]:
        """The likeliest scam type of each row, ``unknown`` where none is likely enough."""
        return self.types.predict_names(self.matrix(frame))

    def type_probabilities(self, frame: pl.DataFrame) -> Floats:
        """How likely each of ``scam_types`` is were the person of a row in an episode: a row each,
        adding up to one.
        """
        return self.types.probabilities(self.matrix(frame))

    def save(self, folder: Path) -> str:
        """Write the model as text into ``folder``; return the sha256 digest of all its files."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / BOOSTER).write_text(self.booster.model_to_string())
        for name, booster in self._others().items():
            (folder / name).unlink(missing_ok=True)  # of a model saved here earlier
            if booster is not None:
                (folder / name).write_text(booster.model_to_string())
        facts = {
            "features": self.features,
            "calibration": asdict(self.calibration),
            "trained_at": self.trained_at.isoformat(),
            "by_data": self.group_calibration.to_dict() if self.group_calibration else None,
            "scam_types": self.scam_types,
            "type_temperature": self.types.temperature,
            "facts": dict(self.facts),
        }
        (folder / FACTS).write_text(json.dumps(facts, ensure_ascii=False, indent=1))
        return model_digest(folder)

    def _others(self) -> dict[str, Any]:
        """The boosters that a model may lack, by the name of their file."""
        return {
            TYPES: self.types.booster,
            **{name: self.reputations.boosters.get(kind) for kind, name in REPUTATIONS.items()},
        }

    @classmethod
    def load(cls, folder: Path, *, digest: str | None = None) -> "RiskModel":
        """Read what ``save`` wrote. Raises ``ModelError`` where files are missing or are not those
        of ``digest``. Features and facts come under today's names, whatever version saved them.
        """
        import lightgbm as lgb

        if not (folder / FACTS).is_file() or not (folder / BOOSTER).is_file():
            raise ModelError(f"no model in {folder}", remedy="Run `forestall train`.")
        if digest is not None and model_digest(folder) != digest:
            raise ModelError(
                f"the model in {folder} is not the one that was registered", remedy="Train again."
            )
        facts = json.loads((folder / FACTS).read_text())
        others = {
            name: lgb.Booster(model_file=str(folder / name)) if (folder / name).is_file() else None
            for name in (TYPES, *REPUTATIONS.values())
        }
        return cls(
            booster=lgb.Booster(model_file=str(folder / BOOSTER)),
            features=tuple(current_feature(name) for name in facts["features"]),
            calibration=Calibration(**facts["calibration"]),
            trained_at=datetime.fromisoformat(facts["trained_at"]),
            group_calibration=GroupCalibration.from_dict(facts["by_data"])
            if facts.get("by_data")
            else None,
            types=ScamTypes(
                others[TYPES], tuple(facts["scam_types"]), facts.get("type_temperature", 1.0)
            ),
            reputations=LearnedReputation(
                {kind: others[name] for kind, name in REPUTATIONS.items() if others[name]}
            ),
            facts=with_current_metrics(facts["facts"]),
        )


def model_digest(folder: Path) -> str:
    """The sha256 over the model's files in order."""
    total = hashlib.sha256()
    for name in (BOOSTER, TYPES, *REPUTATIONS.values(), FACTS):
        if (folder / name).is_file():
            total.update(name.encode() + b"\0" + (folder / name).read_bytes())
    return total.hexdigest()


def out_of_fold_scores(
    rows: pl.DataFrame,
    *,
    features: tuple[str, ...],
    tuning: Tuning,
    seed: int,
    grow: GrowParts = grow_side_by_side,
    say: Say = say_nothing,
) -> Floats:
    """The raw score of each row, in log-odds, from a booster that saw nothing of its person."""
    fold, inputs = assign_folds(rows, count=tuning.folds, seed=seed), feature_matrix(rows, features)
    boosters = grow_boosters(
        rows,
        inputs,
        [fold != number for number in range(tuning.folds)],
        features=features,
        params=tuning.params(seed=seed) | tuning.constraints(features),
        rounds=tuning.rounds,
        of="looking for victims who reported nothing",
        grow=grow,
        say=say,
    )
    return held_out_scores(boosters, inputs, fold, threads=tuning.threads)


def require_episodes(rows: pl.DataFrame, *, at: datetime) -> None:
    """Raise ``ModelError`` where the reported episodes in ``rows`` are too few to learn from."""
    live, episodes = int((rows["label"] == 1).sum()), rows["case_id"].drop_nulls().n_unique()
    if live < LEAST_LIVE or episodes < LEAST_EPISODES or live == len(rows):
        raise ModelError(
            f"only {episodes} episodes with a trace are known before {at:%Y-%m-%d %H:%M}",
            remedy="Ingest more cases, or train at a later moment.",
        )


def fit_risk_model(
    rows: pl.DataFrame,
    *,
    features: tuple[str, ...],
    at: datetime,
    tuning: Tuning,
    seed: int,
    grow: GrowParts = grow_side_by_side,
    say: Say = say_nothing,
) -> tuple[RiskModel, Floats]:
    """Fit the model on ``rows``: a snapshot with ``label``, ``weight``, ``sampling_weight``,
    ``case_id`` and ``scam_type``.

    Returns it with the out-of-fold raw score of every row, each from a booster that saw nothing of
    that person; the calibration comes from these. Raises ``ModelError`` where there are too few
    positive samples to learn from. ``grow`` grows the trees, and ``say`` hears how far it is.
    """
    require_episodes(rows, at=at)
    labels = rows["label"].to_numpy().astype(np.float64)
    inputs = feature_matrix(rows, features)
    fold = assign_folds(rows, count=tuning.folds, seed=seed)
    # The whole takes longest, so it begins first.
    whole, *without = grow_boosters(
        rows,
        inputs,
        [np.ones(len(rows), dtype=np.bool_), *(fold != number for number in range(tuning.folds))],
        features=features,
        params=tuning.params(seed=seed) | tuning.constraints(features),
        rounds=tuning.rounds,
        of="fitting the risk model",
        grow=grow,
        say=say,
    )
    raw = held_out_scores(without, inputs, fold, threads=tuning.threads)
    calibration = fit_calibration(raw, labels, sampling_weight=rows["sampling_weight"].to_numpy())
    types = fit_scam_types(rows, inputs=inputs, fold=fold, params=tuning.params(seed=seed))
    model = RiskModel(
        booster=whole,
        features=features,
        calibration=calibration,
        trained_at=at,
        types=types,
        facts=types.metrics,
    )
    return model, raw
