"""How large a benchmark is: the full one, and a quick one of the same parts."""

from dataclasses import dataclass

__all__ = ["FULL", "QUICK", "Plan"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Sizes of everything that is measured.

    ``people`` and ``days`` are those of the district that learns its own model and that all
    comparisons work on; ``settings`` is its settings file. ``sizes`` are the districts whose growth
    is measured, each of ``growth_days``. What is not reached within ``minutes`` is not run.
    """

    name: str
    minutes: float
    people: int
    days: int
    intensity: float
    settings: str
    runs: int
    moment_hours: int
    profiles: int
    batch_rows: int
    explained: int
    scored_on_demand: int
    clients: int
    listed: int
    sizes: tuple[int, ...]
    growth_days: int


#: Without a warm-up a night is a night, and not the days before it as well.
SETTINGS = "warm_up_days = 0\n"

FULL = Plan(
    name="full",
    minutes=60,
    people=6_000,
    days=40,
    intensity=2,
    settings=SETTINGS + "[training]\njudged_days = 3\n",
    runs=3,
    moment_hours=24,
    profiles=20_000,
    batch_rows=1_000_000,
    explained=1_000,
    scored_on_demand=300,
    clients=8,
    listed=2_000,
    sizes=(50_000, 200_000, 850_000),
    growth_days=3,
)
#: A small district needs much fraud to learn from, and a small model.
QUICK = Plan(
    name="quick",
    minutes=5,
    people=1_000,
    days=22,
    intensity=12,
    settings=SETTINGS
    + "[training]\nrounds = 40\nnegative_samples = 3000\njudged_days = 1\noutage_share = 0\n",
    runs=3,
    moment_hours=6,
    profiles=2_000,
    batch_rows=50_000,
    explained=200,
    scored_on_demand=50,
    clients=4,
    listed=200,
    sizes=(2_000, 5_000),
    growth_days=3,
)
