"""What two models would have alerted, from the scores they gave beside one another."""

from datetime import timedelta

import polars as pl
import pytest

from data_contracts.errors import NotReadyError
from features.event_index import build_event_index
from features.whom_to_ask import query_points_after_events
from models.labels.episodes import build_episodes
from models.registry.model_registry import ModelRegistry
from pipelines.scoring.shadow import score_in_shadow
from pipelines.settings import Settings
from pipelines.storage.as_of import source_tables_before
from pipelines.storage.installation.models import open_registry
from pipelines.storage.score_log import ShadowLog
from pipelines.training.shadow_comparison import challenge_champion
from tests.models.small import small_model, small_rows
from tests.pipelines.district import END, TRAIN_AT

GOOD = {"calibration_error": 0.01, "episodes": 60.0, "max_feature_auc": 0.8}
FIRST = TRAIN_AT - timedelta(days=6)


def record(registry: ModelRegistry, *, rounds: int):
    """A version of a model that knows only two features."""
    model = small_model(rounds=rounds)
    rows = small_rows()
    return registry.record(
        model, params={}, metrics=GOOD, card="", rows=rows, versions={"data_version": "1"}
    )


@pytest.fixture(scope="module")
def settings(own_district) -> Settings:
    """A home whose champion is version 1 and whose challenger is version 2; days are judged after
    two.
    """
    registry = open_registry(own_district)
    record(registry, rounds=3)
    registry.promote("1", at=TRAIN_AT)
    record(registry, rounds=4)
    training = own_district.training.model_copy(update={"maturity_days": 2, "judged_days": 6})
    return own_district.model_copy(update={"training": training, "daily_budget": 1})


@pytest.fixture(scope="module")
def ticks(settings):
    """Who was touched in the three-hour ticks of eight days, and whether a reported fraud was under
    way.
    """
    tables = source_tables_before(settings, at=END, span=timedelta(days=30))
    event_index = build_event_index(tables)
    told = build_episodes(tables.cases, event_index, at=END).select(
        "person", "opened_at", "closed_at"
    )
    moments = query_points_after_events(event_index, start=FIRST, end=END, every="3h")
    live = moments.join(told, on="person").filter(pl.col("at").is_between("opened_at", "closed_at"))
    return moments.join(
        live.select("person", "at", live=pl.lit(1.0)).unique(), on=["person", "at"], how="left"
    )


def keep(settings, ticks, *, champion: pl.Expr, challenger: pl.Expr) -> None:
    """Write the scores of both as the running system does."""
    log = ShadowLog(settings.scores_folder, champion="1", challenger="2")
    scored = ticks.select(
        "person",
        "at",
        score=champion,
        challenger_score=challenger,
        baseline_score=pl.lit(0.1),
        new_debit_cny_6h=0.0,
        preventable_loss_cny=pl.lit(None, pl.Float64),
    )
    for (tick,), rows in scored.group_by("at", maintain_order=True):
        log.write(rows, at=tick, kind="intraday")


KNOWING = pl.col("live").fill_null(0.0)  # an oracle
# It warns whom nobody is after. A guess would do by chance what a single large loss decides.
MISTAKEN = (
    pl.when(pl.col("live").is_not_null().any().over("person"))
    .then(0.0)
    .otherwise(pl.col("person").hash(seed=1) % 1000 / 1000)
    .cast(pl.Float64)
)


def test_before_days_are_mature_there_is_nothing_to_compare(settings, ticks):
    with pytest.raises(NotReadyError, match="both scored is old enough"):
        challenge_champion(settings, at=END)
    keep(
        settings,
        ticks.filter(pl.col("at") >= END - timedelta(days=1)),
        champion=MISTAKEN,
        challenger=KNOWING,
    )
    with pytest.raises(NotReadyError, match="both scored is old enough"):
        challenge_champion(settings, at=END)


def test_a_challenger_that_would_have_warned_better_passes(settings, ticks):
    keep(settings, ticks, champion=MISTAKEN, challenger=KNOWING)
    found = challenge_champion(settings, at=END)
    assert (found.champion, found.challenger) == ("1", "2")
    assert (found.start, found.end) == (END - timedelta(days=8), END - timedelta(days=2))
    assert found.figures.challenger.precision > 0.9
    assert found.figures.champion.precision < 0.5
    assert found.passed, found.reasons
    assert not found.promoted
    assert open_registry(settings).champion().version == "1"


def test_one_that_would_have_warned_worse_is_refused(settings, ticks):
    keep(settings, ticks, champion=KNOWING, challenger=MISTAKEN)
    found = challenge_champion(settings, at=END, promote=True)
    assert not found.passed
    assert not found.promoted
    assert any(reason.startswith("precision at budget") for reason in found.reasons)
    assert open_registry(settings).champion().version == "1"


def test_only_as_many_days_as_asked_for_are_compared(settings, ticks):
    keep(settings, ticks, champion=MISTAKEN, challenger=KNOWING)
    assert challenge_champion(settings, at=END, days=3).start == END - timedelta(days=5)
    assert challenge_champion(settings, at=END, days=30).start == ticks["at"].min() + timedelta(
        days=settings.warm_up_days
    )


def test_a_challenger_that_cannot_score_stops_nothing_and_says_so(settings, ticks):
    event_index = build_event_index(source_tables_before(settings, at=END))
    rows = ticks.head(3).with_columns(
        score=0.5,
        baseline_score=0.1,
        new_debit_cny_6h=0.0,
        preventable_loss_cny=pl.lit(None, pl.Float64),
    )
    said: list[str] = []
    done = score_in_shadow(
        settings, rows, event_index, at=END, kind="intraday", progress=said.append
    )
    assert not done
    assert said[-1].startswith("the challenger could not score: the snapshot lacks")


def test_the_shadow_can_be_switched_off(settings, ticks):
    off = settings.model_copy(
        update={"training": settings.training.model_copy(update={"shadow": False})}
    )
    said: list[str] = []
    assert not score_in_shadow(off, ticks, None, at=END, kind="nightly", progress=said.append)
    assert said == []


def test_it_takes_over_when_told_to(settings, ticks):
    keep(settings, ticks, champion=MISTAKEN, challenger=KNOWING)
    assert challenge_champion(settings, at=END, promote=True).promoted
    registry = open_registry(settings)
    assert registry.champion().version == "2"
    with pytest.raises(NotReadyError, match="no challenger stands beside"):
        challenge_champion(settings, at=END)
    assert registry.roll_back(at=END).version == "1"
