"""The scam types, as declared in ``scam_types.yaml``."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from data_contracts.shipped_yaml import read_shipped

__all__ = ["SCAM_TYPES_FILE", "ScamType", "ScamTypes", "load_scam_types"]

SCAM_TYPES_FILE = "scam_types.yaml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TypeName(_Strict):
    """What pages and lists call a type."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class ContractEntry(_Strict):
    """How a type stands in the contract of cases; ``label`` is also the form it is delivered in."""

    label: str = Field(min_length=1)
    description: str = Field(min_length=1)


class ScamType(_Strict):
    """One scam type; ``intervention_effect`` is the chance that a call in time stops the payment.

    ``call_script`` is checked where it is used, by the pages.
    """

    name: TypeName
    contract: ContractEntry | None = None
    intervention_effect: float | None = Field(default=None, ge=0, le=1)
    call_script: Mapping[str, Any]


class ScamTypes(_Strict):
    """All scam types by their code, in the order in which pages show them, what ``shared`` part
    every call script has, and what is said where the money is ``already_paid``.
    """

    shared: Mapping[str, Any]
    already_paid: Mapping[str, Any]
    scam_types: Mapping[str, ScamType]


@cache
def load_scam_types() -> ScamTypes:
    """Return what the file declares.

    Raises pydantic's ValidationError if the file is not as it should be.
    """
    path = Path(__file__).parent / SCAM_TYPES_FILE
    return ScamTypes.model_validate(read_shipped(path))
