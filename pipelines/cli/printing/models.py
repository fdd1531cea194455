"""The versions of the model as a table."""

from collections.abc import Sequence
from datetime import datetime

from pipelines.cli.printing.terminal import echo_text, print_table
from pipelines.clock import SHANGHAI
from pipelines.webapp.promotion import ListedModel

__all__ = ["print_models"]


def print_models(models: Sequence[ListedModel]) -> None:
    """Print a line for each version, the newest first."""
    if not models:
        echo_text("No model yet: `forestall train` makes the first.")
        return
    print_table(
        ("version", "alias", "learned until", "precision", "coverage", "promoted", "by", "why"),
        [
            (
                one.version,
                one.alias or "–",
                _day(one.trained_at),
                _share(one.precision),
                _share(one.coverage),
                _day(one.promoted_at),
                one.promoted_by or ("the gates" if one.promoted_at else "–"),
                one.why or "–",
            )
            for one in models
        ],
    )


def _day(at: datetime | None) -> str:
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d") if at else "–"


def _share(value: float | None) -> str:
    return f"{value:.0%}" if value is not None else "–"
