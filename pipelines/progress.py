"""How a long job says where it is."""

from collections.abc import Callable

__all__ = ["Progress", "quiet"]

Progress = Callable[[str], None]


def quiet(_: str) -> None:
    """Say nothing."""
