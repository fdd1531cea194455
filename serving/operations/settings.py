"""Where the engineers' page links to."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings

__all__ = ["OperationsSettings"]


class OperationsSettings(BaseSettings):
    """The part of the serving room's settings that says where the tools beside ours are."""

    mlflow_url: Annotated[str, Field(description="Where MLflow's own pages are; empty: they are not linked.")] = ""
    prefect_url: Annotated[str, Field(description="Where Prefect's own pages are; empty: they are not linked.")] = ""
