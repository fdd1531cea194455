import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from models.learning import learned_reputation
from pipelines.ingestion.ingest import ingest
from pipelines.ingestion.outcomes.reports import FileReport
from pipelines.ingestion.parsing.parser_process import Parser
from pipelines.settings import IngestLimits, Settings
from pipelines.storage.lake import Lake
from pipelines.training.train import TrainResult
from tests.pipelines.district import build, build_trained, shared_folder
from tests.pipelines.landing import RECEIVED_AT
from tests.pipelines.storage.objects.server import ObjectServer, moto, proxy

# One parsing process reads the deliveries of all tests that have nothing against it: starting one
# costs more than reading a small file. It ends with us.
PARSER = Parser(limits=IngestLimits())


class Home:
    """A home to ingest into, and quick looks at what is in it."""

    def __init__(self, folder: Path) -> None:
        self.landing = folder / "landing"
        self.landing.mkdir()
        self.settings = Settings(home=folder / "home")
        self.lake = Lake(self.settings.lake_folder)

    def ingest(self, *, received_at: datetime = RECEIVED_AT, **options) -> dict[str, FileReport]:
        """Load the landing folder; the reports by path."""
        report = ingest(
            self.landing,
            settings=self.settings,
            received_at=received_at,
            parser=PARSER,
            **options,
        )
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


@pytest.fixture(scope="session")
def district(tmp_path_factory) -> Settings:
    """The settings of a home that holds a small simulated district; change nothing in it."""
    return build(shared_folder(tmp_path_factory))


@pytest.fixture(scope="module")
def own_district(district, tmp_path_factory) -> Settings:
    """A copy of the district that the tests of one module may work on."""
    return copied(district, tmp_path_factory)


@pytest.fixture(scope="module")
def own_trained(tmp_path_factory) -> tuple[Settings, TrainResult]:
    """A copy of the district with a champion that the tests of one module may work on, and what
    the training of the champion came to.
    """
    settings, result = build_trained(shared_folder(tmp_path_factory))
    return copied(settings, tmp_path_factory), result


def copied(settings: Settings, factory: pytest.TempPathFactory) -> Settings:
    """The same with a copy of the home."""
    home = factory.mktemp("own") / "home"
    shutil.copytree(settings.home, home)
    return settings.model_copy(update={"home": home})


@pytest.fixture(scope="session")
def object_server() -> Iterator[ObjectServer]:
    """An object store and a proxy before it."""
    with moto() as server, proxy(server.port) as before:
        yield ObjectServer(server, before)


@pytest.fixture(scope="module", autouse=True)
def quick_reputations():
    """Reputations from fewer meetings: that they are learnt counts here, not how well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learned_reputation, "MAX_NEGATIVES", 6_000)
        yield


@pytest.fixture(scope="module")
def prefect():
    """A Prefect server for the tests of one module; gives its database."""
    from prefect.settings import PREFECT_SERVER_DATABASE_CONNECTION_URL
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield Path(urlsplit(PREFECT_SERVER_DATABASE_CONNECTION_URL.value()).path[1:])
