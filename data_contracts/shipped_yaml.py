"""Reads the YAML files that come with the program."""

from pathlib import Path
from typing import Any

import yaml

__all__ = ["read_shipped"]

# libyaml reads the same in a tenth of the time, where it is.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_shipped(path: Path) -> Any:
    """Return what the file says. Raises ``yaml.YAMLError`` if it is not YAML."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 -- either is safe
