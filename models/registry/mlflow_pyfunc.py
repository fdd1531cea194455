"""The model in the form that MLflow's own tools load: without a pickle, called with pandas."""

import warnings
from collections.abc import Mapping
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import polars as pl

from data_contracts.errors import ModelError
from models.learning.former_names import current_feature
from models.learning.risk import RiskModel

__all__ = ["load_pyfunc", "log_pyfunc", "model_signature"]

REQUIREMENTS = ("lightgbm", "numpy", "polars")


def log_pyfunc(mlflow: Any, text: Path, *, signature: Any) -> Any:
    """Log the text form as a model that MLflow loads without a pickle.

    MLflow calls ``models.registry._load_pyfunc`` for that.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message=".*An input example was not provided"
        )  # on purpose: it is data
        return mlflow.pyfunc.log_model(
            name="model",
            loader_module="models.registry",  # an address that outlives the modules in this folder
            data_path=str(text),
            signature=signature,
            pip_requirements=[f"{package}=={installed(package)}" for package in REQUIREMENTS],
        )


def model_signature(model: RiskModel, rows: pl.DataFrame) -> Any:
    """The names of the model's inputs, as MLflow's signature.

    Raises ``ModelError`` where an input is not among the columns of the training ``rows``.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    if lacking := sorted(set(model.features) - set(rows.columns)):
        raise ModelError(
            f"the training rows lack {', '.join(lacking[:5])}",
            remedy="Record the rows it learned from.",
        )
    columns = [ColSpec("double", name) for name in model.features]
    return ModelSignature(
        inputs=Schema(columns), outputs=Schema([ColSpec("double", "probability")])
    )


class _PyfuncModel:
    """The model as MLflow's own tools call it."""

    def __init__(self, model: RiskModel) -> None:
        self._model = model

    def predict(self, inputs: Any, params: Mapping[str, Any] | None = None) -> Any:  # noqa: ARG002 -- MLflow's form
        return self._model.predict(pl.from_pandas(inputs).rename(current_feature))


def load_pyfunc(path: str) -> _PyfuncModel:
    """The model in text form at ``path``, as MLflow's own tools call it."""
    return _PyfuncModel(RiskModel.load(Path(path)))
