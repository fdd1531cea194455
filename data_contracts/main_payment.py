"""What counts as just paid, wherever a main payment is spoken of."""

from datetime import timedelta

__all__ = ["PAID_LATELY"]

PAID_LATELY = timedelta(days=7)  # so long after it an alert is too late to warn of it
