"""Former names of settings: homes and environments written for an earlier version still work."""

from collections.abc import Mapping
from typing import Any

__all__ = ["FORMER_NAMES", "former_name", "rename_path", "replace_former_names"]

Path = tuple[str, ...]

FORMER_NAMES: Mapping[Path, Path] = {
    ("database_url",): ("serving", "database_url"),
    ("episode_days",): ("serving", "series_gap_days"),  # as in the environment
    ("serving", "episode_days"): ("serving", "series_gap_days"),
    ("warning_works",): ("intervention_effect",),
    ("training", "calibrate_by_data"): ("training", "group_calibration"),
    ("training", "judged_every"): ("tick",),
    ("training", "quiet_moments"): ("training", "negative_samples"),
    ("training", "unreported"): ("training", "pseudo_labels_per_reported"),
}


def former_name(path: Path) -> Path | None:
    """Return the former name that ``path`` begins with, or None."""
    return next((old for old in FORMER_NAMES if path[: len(old)] == old), None)


def rename_path(path: Path) -> Path:
    """Return ``path`` under the name of today."""
    old = former_name(path)
    return FORMER_NAMES[old] + path[len(old) :] if old else path


def replace_former_names(data: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[Path, ...]]:
    """Return nested ``data`` under the names of today, and which former names stood in it.

    A value under the name of today wins over one under the former name.
    """
    found: dict[str, Any] = _copy_tables(data)
    replaced = []
    for old, new in FORMER_NAMES.items():
        holder = _table_at(found, old[:-1])
        if holder is not None and old[-1] in holder:
            value = holder.pop(old[-1])
            if len(new) > 1:
                found.setdefault(new[0], {})
            target = _table_at(found, new[:-1])
            if target is not None:
                target.setdefault(new[-1], value)
            replaced.append(old)
    return found, tuple(replaced)


def _table_at(data: dict[str, Any], path: Path) -> dict[str, Any] | None:
    for key in path:
        below = data.get(key)
        if not isinstance(below, dict):
            return None
        data = below
    return data


def _copy_tables(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _copy_tables(value) if isinstance(value, Mapping) else value
        for key, value in data.items()
    }
