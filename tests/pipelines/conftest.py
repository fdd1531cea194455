from datetime import datetime
from pathlib import Path

import pytest

from pipelines.ingest import FileReport, ingest
from pipelines.lake import Lake
from pipelines.settings import Settings
from tests.pipelines.landing import RECEIVED_AT


class Home:
    """A home to ingest into, and quick looks at what is in it."""

    def __init__(self, folder: Path) -> None:
        self.landing = folder / "landing"
        self.landing.mkdir()
        self.settings = Settings(home=folder / "home")
        self.lake = Lake(self.settings.lake_folder)

    def ingest(self, *, received_at: datetime = RECEIVED_AT, **options) -> dict[str, FileReport]:
        """Load the landing folder; the reports by path."""
        report = ingest(self.landing, settings=self.settings, received_at=received_at, **options)
        return {file.path: file for file in report.files}

    def only(self, **options) -> FileReport:
        """Load a landing folder of one file."""
        (report,) = self.ingest(**options).values()
        return report

    def table(self, dataset: str, **options):
        return self.lake.scan(dataset, **options).collect()


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def counts(report: FileReport) -> tuple[int, int, int, int, int]:
    """rows, accepted, quarantined, duplicates, held"""
    return report.rows, report.accepted, report.quarantined, report.duplicates, report.held
