"""What people found about published alerts, read from the serving database as labels."""

from dataclasses import asdict
from datetime import datetime

import polars as pl

from models.outcomes import Outcomes, labels_from
from pipelines.evaluation import framed
from pipelines.settings import Settings
from serving.database import open_database
from serving.store import dispositions

__all__ = ["outcomes_before"]

WORDS = ("alert_id", "person", "scam_type", "result")
MOMENTS = ("issued_at", "decided_at")


def outcomes_before(settings: Settings, reported: pl.DataFrame, *, at: datetime) -> Outcomes:
    """Labels from the dispositions known strictly before ``at``, beside the ``reported`` episodes of that moment."""
    found = [asdict(one) for one in dispositions(open_database(settings.serving_database_url))]
    versions = pl.Series("version", [one["version"] for one in found], dtype=pl.Int64)
    return labels_from(framed(found, WORDS, MOMENTS).with_columns(versions), reported, at=at)
