"""The truth of a simulated district, for people as the home of that district knows them."""

from pathlib import Path

import polars as pl

from data_contracts.errors import DeliveryError
from data_contracts.forms.registry import FORMS
from models.evaluation.true_episodes import episodes_from_truth
from pipelines.ingestion.pseudonymisation import load_pseudonymiser
from pipelines.settings import Settings
from pipelines.storage.lake import Lake

__all__ = ["check_people", "read_revealed_truth", "read_stories", "read_truth"]


def read_truth(file: Path, *, settings: Settings) -> pl.DataFrame:
    """A simulated district's episodes with ``person``, the pseudonym of the home, in the place of
    the ID number.

    Raises ``DeliveryError`` for a file that cannot be read so, or that is of another district than
    the home's.
    """
    truth = read_stories(file, settings=settings)
    residents = Lake.of(settings).scan("residents").select("person").collect()
    check_people(truth, residents["person"], file=file)
    return truth


def read_stories(file: Path, *, settings: Settings) -> pl.DataFrame:
    """The same of whatever district."""
    truth = _read(file)
    people = load_pseudonymiser(settings).persons(FORMS["id_number"](truth["id_number"]))
    return truth.drop("id_number").with_columns(people.alias("person"))


def read_revealed_truth(file: Path) -> pl.DataFrame:
    """The same with the ID number as ``person``."""
    return _read(file).rename({"id_number": "person"})


def check_people(truth: pl.DataFrame, people: pl.Series, *, file: Path) -> None:
    """Raise ``DeliveryError`` where nobody of the ``truth`` is among the ``people`` of a replay."""
    if not truth["person"].is_in(people.unique().implode()).any():
        raise DeliveryError(
            f"{file.name} is the truth of another district: none of its people is in this one",
            remedy="Give the truth.parquet of the landing folder that was loaded and replayed.",
        )


def _read(file: Path) -> pl.DataFrame:
    try:
        truth = pl.read_parquet(file)
        episodes_from_truth(truth.head(0).with_columns(person="id_number"))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DeliveryError(
            f"{file.name} cannot be read as a simulated district's truth",
            remedy="Give the truth.parquet of the landing folder.",
        ) from error
    return truth
