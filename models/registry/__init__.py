"""Which model is in force: the MLflow record, the model store, the gates of promotion, the model
card.
"""

from typing import Any


def _load_pyfunc(path: str) -> Any:
    """Load a logged model for MLflow, which finds the loader by the name of this package."""
    from models.registry.mlflow_pyfunc import load_pyfunc

    return load_pyfunc(path)
