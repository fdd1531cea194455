"""The policy of the running system between its runs: restored from what was scored and published,
and warmed up before the first run.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import polars as pl

from features.event_index import EventIndex
from models.learning.risk import RiskModel
from models.policy.alerting import PolicyRules
from models.policy.policy_run import ISSUED_SCHEMA, PolicyRun, restore_run
from models.policy.shortlist import count_candidates, group_by_tick, keep_candidates
from models.policy.ticks import query_points_by_day
from pipelines.clock import SHANGHAI
from pipelines.cluster.pieces import THIS_MACHINE, Workers
from pipelines.progress import Progress
from pipelines.scoring.scored_people import score_query_points
from pipelines.scoring.suppression_filter import drop_suppressed
from pipelines.settings import Settings
from pipelines.storage.score_log import WARM_UP_KIND, LoggedRun, ScoreLog
from serving.feedback import RecentAlert, SuppressedPerson

__all__ = ["BUDGET_HISTORY", "log_candidates", "log_warm_up", "needs_warm_up", "restore_policy_run"]

BUDGET_HISTORY = timedelta(days=30)  # how far back the use of the budget is counted
BATCH_ROWS = 300_000  # of the warm-up, scored together: a tick of a large district is as many


def needs_warm_up(log: ScoreLog, *, at: datetime, rules: PolicyRules) -> bool:
    """Whether no run up to ``at`` has decided anything on the days that the policy remembers."""
    since = at.date() - timedelta(days=rules.memory_days)
    runs = log.runs(since=since, until=at.date())
    return all(run.kind == WARM_UP_KIND or run.at > at for run in runs)


def log_warm_up(
    log: ScoreLog,
    event_index: EventIndex,
    model: RiskModel,
    suppressions: Sequence[SuppressedPerson],
    *,
    at: datetime,
    settings: Settings,
    rules: PolicyRules,
    workers: Workers = THIS_MACHINE,
    progress: Progress,
) -> None:
    """Score the days before ``at`` as if the system had run then, and log it. None is published."""
    progress(f"scoring the {settings.warm_up_days} days before, to know what is ordinary")
    start = at - timedelta(days=settings.warm_up_days)
    for _, points in query_points_by_day(event_index, start=start, end=at, tick=settings.tick):
        for batch in split_between_ticks(points, most=BATCH_ROWS):
            rows = score_query_points(
                event_index, model, batch, effect=settings.intervention_effect, workers=workers
            )
            for tick, group in group_by_tick(rows):
                known = [one for one in suppressions if one.since <= tick]
                chosen = drop_suppressed(group, known, at=tick, rules=rules)
                log_candidates(log, chosen, at=tick, kind=WARM_UP_KIND, rules=rules)


def log_candidates(
    log: ScoreLog, rows: pl.DataFrame, *, at: datetime, kind: str, rules: PolicyRules
) -> None:
    """Keep of a run's ``rows`` what the policy looked at."""
    most = count_candidates(rules)
    log.write(keep_candidates(rows, column="score", most=most), at=at, kind=kind)


def split_between_ticks(points: pl.DataFrame, *, most: int) -> Iterator[pl.DataFrame]:
    """``points`` in parts of about ``most`` rows; a tick stays whole: people are ranked in it."""
    sizes = points.group_by("at", maintain_order=True).len()
    parts = sizes.select("at", part=pl.col("len").cum_sum() // most)
    yield from points.join(parts, on="at", maintain_order="left").partition_by(
        "part", include_key=False, maintain_order=True
    )


def restore_policy_run(
    log: ScoreLog,
    alerts: Sequence[RecentAlert],
    *,
    current: LoggedRun,
    rules: PolicyRules,
    number: int | None = None,
) -> PolicyRun:
    """The policy as it stands before the run ``current``, from the log and the ``alerts`` published
    since :data:`BUDGET_HISTORY` and a cool-down before.

    Alerts of a later moment count as well where they were published first, as when the night waits
    for a tick: whoever is on them is not alerted twice. ``number`` is that of the list of
    ``current`` if it was published before; so the same is decided again.
    """
    today = current.at.date()
    runs = log.runs(since=today - BUDGET_HISTORY, until=today)
    earlier = [run for run in runs if run < current]
    remembered = [today - timedelta(days=day) for day in range(rules.memory_days, -1, -1)]
    rows = pl.concat(log.read(day) for day in remembered)
    published = [
        one
        for one in alerts
        if LoggedRun(one.at, one.kind) < current
        or (
            LoggedRun(one.at, one.kind) > current
            and one.at < current.at + rules.cool_down
            and (number is None or one.watchlist < number)
        )
    ]
    return restore_run(
        rows.filter(pl.col("at") < current.at),
        issued_frame(published),
        run_times=[run.at for run in earlier],
        start=find_start(earlier, at=current.at),
        at=current.at,
        rules=rules,
    )


def find_start(runs: Sequence[LoggedRun], *, at: datetime) -> datetime:
    """Since when the policy decides: the first of ``runs`` after the last warm-up, else ``at``."""
    warm_up = max((run.at for run in runs if run.kind == WARM_UP_KIND), default=None)
    decided = (run.at for run in runs if run.kind != WARM_UP_KIND)
    return min((run_at for run_at in decided if warm_up is None or run_at > warm_up), default=at)


def issued_frame(alerts: Sequence[RecentAlert]) -> pl.DataFrame:
    """``person``, ``issued_at``, ``repeat`` of published alerts."""
    schema: Mapping[str, pl.DataType] = {
        name: ISSUED_SCHEMA[name] for name in ("person", "issued_at", "repeat")
    }
    rows = [(one.person, one.issued_at.astimezone(SHANGHAI), one.repeat) for one in alerts]
    return pl.DataFrame(rows, schema=schema, orient="row")
