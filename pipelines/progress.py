"""How a long job says where it is."""

from collections.abc import Callable

__all__ = ["Progress", "no_progress"]

Progress = Callable[[str], None]


def no_progress(_: str) -> None:
    """Say nothing."""
