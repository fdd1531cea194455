"""The level that an alert shows."""

from serving.database.tables import AlertRow, DispositionRow
from serving.vocabulary.alerts import LADDER, Level

__all__ = ["shown_level"]


def shown_level(alert: AlertRow, last: DispositionRow | None) -> Level:
    """Return the level an alert shows: as it was published, or as it was raised to."""
    level = (last.level if last else None) or alert.level
    return next(step for step in LADDER if step == level)
