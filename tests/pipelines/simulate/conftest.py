"""Two districts, simulated once: a small one for form, a lively one with enough fraud to count."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from pipelines.simulate import Mix, simulate
from tests.pipelines.district import once, shared_folder


def place_in_hour(at: str) -> pl.Expr:
    """The position of a row among those of its file and hour, 0..1."""
    hour = pl.col(at).dt.hour()
    return pl.int_range(pl.len()).over("file", hour) / pl.len().over("file", hour)


@dataclass(frozen=True)
class District:
    path: Path
    people: int
    days: int

    def register(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.path / f"{name}.parquet")

    def daily(self, dataset: str) -> pl.DataFrame:
        """All rows with ``source`` and ``day``."""
        parts = pl.col("file").str.split("/")
        source = parts.list.get(-1).str.strip_suffix(".parquet")
        return self._rows(dataset).with_columns(source=source, day=parts.list.get(-2)).collect()

    def _rows(self, dataset: str) -> pl.LazyFrame:
        return pl.scan_parquet(self.path / dataset / "*" / "*.parquet", include_file_paths="file")

    def calls(self, **more: pl.Expr) -> pl.DataFrame:
        """Calls with the ``id_number`` of the served person, whether the peer defrauded that
        person, and what ``more`` says of each among all.
        """
        holders = self.register("subscribers").select("msisdn", "id_number")
        rows = self._rows("calls").with_columns(**more).join(holders.lazy(), on="msisdn").collect()
        return self._marked(rows, "suspect_numbers", "peer_number")

    def transfers(self, **more: pl.Expr) -> pl.DataFrame:
        holders = self.register("accounts").select("account_id", "id_number")
        rows = (
            self._rows("transfers")
            .with_columns(**more)
            .join(holders.lazy(), on="account_id")
            .collect()
        )
        return self._marked(rows, "suspect_accounts", "peer_account")

    def _marked(self, rows: pl.DataFrame, suspects: str, peer: str) -> pl.DataFrame:
        known = self.register("truth").filter(pl.col(suspects) != "")
        known = (
            known.select("id_number", pl.col(suspects).str.split(";").alias(peer))
            .explode(peer)
            .unique()
        )
        return rows.join(
            known.with_columns(fraud=True), on=["id_number", peer], how="left"
        ).with_columns(pl.col("fraud").fill_null(False))


def simulated(
    factory: pytest.TempPathFactory, name: str, *, people: int, days: int, seed: int, mix: Mix
) -> District:
    """A district that all processes of a test run read, simulated by the first that asks."""
    folder = shared_folder(factory, name)
    with once(folder) as to_do:
        if to_do:
            simulate(folder / "landing", people=people, days=days, seed=seed, mix=mix)
    return District(folder / "landing", people, days)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> District:
    mix = Mix(intensity=20)
    return simulated(tmp_path_factory, "small", people=300, days=5, seed=7, mix=mix)


@pytest.fixture(scope="session")
def lively(tmp_path_factory: pytest.TempPathFactory) -> District:
    mix = Mix(intensity=8)
    return simulated(tmp_path_factory, "lively", people=2500, days=28, seed=11, mix=mix)
