"""What people found about published alerts, read from the serving database as labels."""

from dataclasses import asdict
from datetime import datetime

import polars as pl
from sqlalchemy import Engine

from models.labels.disposition_labels import DispositionLabels, labels_from_dispositions
from models.labels.frames import Disposition
from pipelines.settings import Settings
from pipelines.storage.installation.databases import open_serving_database
from serving.feedback import all_dispositions

__all__ = ["load_disposition_labels", "read_dispositions"]


def load_disposition_labels(
    settings: Settings, reported: pl.DataFrame, *, at: datetime
) -> DispositionLabels:
    """Labels from the dispositions known strictly before ``at``, beside the ``reported`` episodes
    of that moment.
    """
    return labels_from_dispositions(
        read_dispositions(open_serving_database(settings)), reported, at=at
    )


def read_dispositions(engine: Engine) -> pl.DataFrame:
    """Every disposition of a serving database, shaped as
    ``models.labels.frames.Disposition``.
    """
    return pl.DataFrame(
        [asdict(one) for one in all_dispositions(engine)], schema=Disposition.polars_schema()
    )
