"""The window that a back-test looks at."""

from datetime import datetime

from data_contracts.errors import SettingsError

__all__ = ["check_window"]


def check_window(*, start: datetime, end: datetime) -> None:
    """Raise ``SettingsError`` for a window ``[start, end)`` without a moment in it."""
    if end <= start:
        raise SettingsError(
            "the window ends before it starts", remedy="Give --to later than --from."
        )
