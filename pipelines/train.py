"""Training: learn from the cases known by a moment, judge by time, register, and promote through the gates."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import polars as pl

from data_contracts.contract import load_contract
from features.catalogue import names
from features.evidence import Evidence, gather
from features.records import Records
from features.snapshot import snapshot
from models.evaluate import Judged, figures, judge
from models.fairness import by_group, gap_metrics, groups_of
from models.labels import episodes, moves
from models.reputation import learn_reputations
from models.risk import RiskModel, Tuning, fit
from models.sampling import Sampling, everyone, training_moments
from pipelines.drift import profiled
from pipelines.history import records_before
from pipelines.lake import Lake
from pipelines.progress import Progress, quiet
from pipelines.scoring import candidates, rules_of, score_moments
from pipelines.settings import Settings

__all__ = ["Promotion", "TrainResult", "learn", "train"]

Promotion = Literal["auto", "always", "never"]
HOLD_OUT = timedelta(days=7)
HOLD_OUT_TICK = timedelta(hours=12)
HISTORY = timedelta(days=60)
EXPLAINED = 200  # the moments of the highest scores, on which the reasons of two models are compared


@dataclass(frozen=True)
class TrainResult:
    """What training came to: the registered version, whether it was promoted and why, and its figures."""

    version: str
    run_id: str
    digest: str
    promoted: bool
    reasons: tuple[str, ...]
    metrics: Mapping[str, float]
    episodes: int
    moments: int


def train(
    settings: Settings,
    *,
    at: datetime,
    promote: Promotion = "auto",
    seed: int = 0,
    progress: Progress = quiet,
) -> TrainResult:
    """Train on what was known before ``at``, register as challenger, and promote if the gates (or ``promote``) say so.

    Raises ``NotReadyError`` with an empty lake and ``ModelError`` with too few cases.
    """
    from models.card import model_card
    from models.charts import figures as pictures
    from models.diagnostics import diagnose
    from models.gates import decide
    from models.registry import Registry
    from models.stability import between

    progress("gathering evidence")
    records = records_before(settings, at=at, span=HISTORY)
    evidence = gather(records)
    progress("judging by time on the last week")
    metrics = hold_out(evidence, records, settings=settings, at=at, seed=seed)
    progress("fitting on everything known")
    model, rows = learn(evidence, records, at=at, seed=seed, settings=settings)
    metrics |= {key: float(value) for key, value in model.facts.items() if isinstance(value, (int, float))}
    metrics |= diagnose(model, rows)
    registry = Registry.of(settings)
    champion = registry.champion()
    before = registry.load(champion) if champion else None
    model, drift = profiled(model, evidence, at=at, before=before, seed=seed)
    metrics |= drift.metrics() if drift else {}
    metrics |= between(before, model, rows.sort("raw").tail(EXPLAINED)).metrics() if before else {}
    versions = {
        "data_version": Lake(settings.lake_folder).version(),
        "contract_version": load_contract("watchlist").version,
        "git_revision": git_revision(),
    }
    version = registry.record(
        model,
        params=tuning_of(settings).params(seed=seed),
        metrics=metrics,
        card=model_card(model, metrics=metrics, versions=versions),
        rows=rows,
        versions=versions,
        figures=pictures(model, rows),
    )
    current = registry.champion_metrics()
    verdict = decide(metrics, current, gates=settings.gates)
    promoted = promote == "always" or (promote == "auto" and (verdict.promote or registry.champion() is None))
    if promoted:
        registry.promote(version.version, at=at)
    return TrainResult(
        version=version.version,
        run_id=version.run_id,
        digest=version.digest,
        promoted=promoted,
        reasons=verdict.reasons,
        metrics=metrics,
        episodes=int(model.facts["episodes"]),
        moments=len(rows),
    )


def learn(
    evidence: Evidence, records: Records, *, at: datetime, seed: int, settings: Settings, every: str = "15m"
) -> tuple[RiskModel, pl.DataFrame]:
    """A model from the cases known before ``at``, and the rows it learned from with their out-of-fold score ``raw``.

    It learns from the ticks of the clock ``every``.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    sampling = Sampling(negatives=settings.training.quiet_moments, every=every)
    told = episodes(records.cases, evidence, at=at)
    moments = training_moments(evidence, told, at=at, sampling=sampling, seed=seed)
    reputations, folded = learn_reputations(evidence, at=at, seed=seed, threads=settings.training.threads)
    rows = snapshot(evidence, moments.select("person", "at"), standing=folded)
    rows = rows.with_columns(moments.drop("person", "at"))
    model, raw = fit(rows, features=names(), at=at, tuning=tuning_of(settings), seed=seed)
    labels, share = rows["label"].to_numpy(), rows["share"].to_numpy()
    facts = {
        "episodes": float(len(told)),
        "losses": float((told["outcome"] == "loss").sum()),
        "live_moments": float(labels.sum()),
        "quiet_moments": float((labels == 0).sum()),
        "oof_auc": float(roc_auc_score(labels, raw, sample_weight=share)),
        "oof_average_precision": float(average_precision_score(labels, raw, sample_weight=share)),
        **{f"episodes_{kind}": float(number) for kind, number in told["scam_type"].value_counts().iter_rows()},
    }
    return replace(model, facts=facts, reputations=reputations), rows.with_columns(raw=pl.Series(raw))


def hold_out(evidence: Evidence, records: Records, *, settings: Settings, at: datetime, seed: int) -> dict[str, float]:
    """Figures of a model that knew nothing of the last week, on that week, with today's rule beside it.

    Asked of everyone every twelve hours, which is coarser than the running system: a comparison, not a promise.
    """
    from data_contracts.errors import ModelError

    start = at - HOLD_OUT
    try:
        model, _ = learn(evidence, records, at=start, seed=seed, settings=settings)
    except ModelError:
        return {}  # too young a district to judge by time; the gates say so
    told, gone = episodes(records.cases, evidence, at=at), moves(records.cases, evidence, at=at)
    ticks = [start + step * HOLD_OUT_TICK for step in range(1, int(HOLD_OUT / HOLD_OUT_TICK))]
    rows = pl.concat([score_moments(evidence, model, everyone(evidence, at=tick)) for tick in ticks])
    found: dict[str, float] = {}
    for column, prefix in (("score", ""), ("baseline_score", "baseline_")):
        result = judged(rows, told, column=column, settings=settings, start=start, end=at, moves=gone)
        found |= figures(result).named(prefix)
        if column == "score":
            people = groups_of(records.residents, evidence, start=start, end=at)
            found |= gap_metrics(by_group(result, people, attributes=("residency",)))
    return found


def judged(
    rows: pl.DataFrame,
    told: pl.DataFrame,
    *,
    column: str,
    settings: Settings,
    start: datetime,
    end: datetime,
    moves: pl.DataFrame,
) -> Judged:
    """The policy run over scored rows, measured against the cases."""
    from models.policy import Memory, decide

    rules = rules_of(settings)
    memory = Memory()
    alerts: list[tuple[str, datetime]] = []
    for (tick,), group in rows.sort("at").group_by("at", maintain_order=True):
        assert isinstance(tick, datetime)  # noqa: S101 -- tells the type checker what the column holds
        decided = decide(candidates(group, column=column, rules=rules), memory=memory, at=tick, rules=rules)
        alerts += [(one.candidate.person, tick) for one in decided if not one.repeat]
    frame = pl.DataFrame(alerts, schema={"person": pl.String, "issued_at": rows.schema["at"]}, orient="row")
    return judge(frame, told, start=start, end=end, moves=moves)


def tuning_of(settings: Settings) -> Tuning:
    """The boosters' parameters as this installation sets them."""
    return Tuning(rounds=settings.training.rounds, threads=settings.training.threads)


def git_revision() -> str:
    """The revision of the code, as far as it can be known."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607 -- whichever git the user has
            capture_output=True, text=True, timeout=5, check=True, cwd=Path(__file__).parent,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip()
