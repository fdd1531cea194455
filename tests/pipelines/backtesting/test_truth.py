"""The truth of a district is read for the people of its home; that of another is refused."""

from pathlib import Path

import polars as pl
import pytest

from data_contracts.errors import DeliveryError
from pipelines.backtesting.truth import read_truth
from pipelines.storage.lake import Lake
from tests.models.evaluation.true_rate.test_composition import TRUTH
from tests.pipelines.conftest import Home
from tests.pipelines.landing import id_number, put, residents


@pytest.fixture
def lived_in(home: Home) -> Home:
    put(home.landing, "residents.parquet", residents())
    home.ingest()
    return home


def truth_of(folder: Path, *people: str) -> Path:
    """A truth of which the first story befell the first of ``people``, the others the last."""
    names = [people[min(place, len(people) - 1)] for place in range(len(TRUTH))]
    file = folder / "truth.parquet"
    TRUTH.drop("person").with_columns(id_number=pl.Series(names)).write_parquet(file)
    return file


def test_people_have_the_pseudonyms_of_the_home(lived_in: Home, tmp_path: Path) -> None:
    found = read_truth(truth_of(tmp_path, id_number(3), id_number(77)), settings=lived_in.settings)
    known = Lake(lived_in.settings.lake_folder).scan("residents").collect()["person"]
    assert found["person"].is_in(known.implode()).to_list() == [True, *[False] * (len(TRUTH) - 1)]
    assert "id_number" not in found.columns


def test_the_truth_of_another_district_is_refused(lived_in: Home, tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="truth of another district") as refused:
        read_truth(truth_of(tmp_path, id_number(77)), settings=lived_in.settings)
    assert "truth.parquet" in refused.value.remedy


def test_what_is_no_truth_is_refused_and_not_quoted(lived_in: Home, tmp_path: Path) -> None:
    file = truth_of(tmp_path, id_number(3))
    pl.read_parquet(file).drop("scam_type").write_parquet(file)
    with pytest.raises(DeliveryError, match="the truth lacks scam_type"):
        read_truth(file, settings=lived_in.settings)
    pl.DataFrame({"a": [1]}).write_parquet(file)
    with pytest.raises(DeliveryError, match="simulated district"):
        read_truth(file, settings=lived_in.settings)
    file.write_bytes(b"330106199001011234")
    with pytest.raises(DeliveryError, match="simulated district") as error:
        read_truth(file, settings=lived_in.settings)
    assert "330106" not in str(error.value)
