"""Before anything is imported: one thread a library and none that spins, so that parallel tests do
not starve.
"""

import gc
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

# For the object store of the tests, which believes everybody. Nobody's own are used, and processes
# that were started earlier know them too.
os.environ["AWS_ACCESS_KEY_ID"] = "forestall"
os.environ["AWS_SECRET_ACCESS_KEY"] = "very-secret"

# Folders of tests lie in memory where there is room: every write of a database is flushed, and
# waiting for a disk to do that thousands of times takes as long as the tests. `TMPDIR` names
# another place.
MEMORY, ROOM_BYTES = Path("/dev/shm"), 4 * 2**30
if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# Seldom: with some thousands of tests collected, going through all objects takes a second.
gc.set_threshold(20_000, 20, 50)

# Timings never decide a test, on however busy a machine, nor does chance: the same examples are
# drawn in every run. `FORESTALL_TEST_RANDOM=1` draws others, to look further.
settings.register_profile(
    "unhurried",
    deadline=None,
    derandomize=not os.environ.get("FORESTALL_TEST_RANDOM"),
    suppress_health_check=[HealthCheck.too_slow],
)
# `make test-fast` draws fewer examples where a test does not say how many; `make test` all of them.
settings.register_profile("fast", parent=settings.get_profile("unhurried"), max_examples=25)
settings.load_profile("unhurried")

# The fixtures that a test uses say which kind it is.
KINDS = {
    "browser": {"browser"},
    "training": {"district", "own_district", "own_trained", "trained", "prefect"},
}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import what drives a browser only where its tests are not left out anyway."""
    left_out = "not browser" in config.option.markexpr
    return True if left_out and collection_path == Path(__file__).parent / "browser" else None


def pytest_collection_finish() -> None:
    """Let the garbage collector look no more at what was imported and collected."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """At the end it looks at everything again: some libraries report what it has not freed."""
    gc.unfreeze()


# Files that take long without learning, the longest first.
LONG = (
    "test_schemathesis.py",
    "test_one_machine.py",
    "test_main.py",
    "test_ingest_crash.py",
    "test_kinds.py",
    "test_roles.py",
    "test_life.py",
    "test_retry.py",
    "test_model_registry.py",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the kinds of tests, and put those that learn from a simulated district first, then the
    other long ones: what is long must not begin last. Of the files that learn the last comes first,
    since it makes a district of its own while the others wait for the one that they share.
    """
    for item in items:
        fixture_names = set(getattr(item, "fixturenames", ()))
        for kind, fixtures in KINDS.items():
            if fixture_names & fixtures:
                item.add_marker(kind)
        if getattr(item, "callspec", None) and item.callspec.params.get("originals") == "postgres":
            item.add_marker("postgres")
    long = {item.path for item in items if item.get_closest_marker("training")}
    places = {path: place for place, path in enumerate(dict.fromkeys(item.path for item in items))}

    def turn(item: pytest.Item) -> tuple[int, int]:
        if item.path in long:
            return 0, -places[item.path]
        return (1, LONG.index(item.path.name)) if item.path.name in LONG else (2, 0)

    items.sort(key=turn)
