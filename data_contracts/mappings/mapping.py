"""How one source's files differ from the contracts: headings, values, encoding, delay. One YAML a
source.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from data_contracts.contract import Contract
from data_contracts.errors import SettingsError

__all__ = ["SourceMapping", "load_mapping"]

_BUILT_IN = Path(__file__).parent / "sources"
_DEFAULT = "default"


class SourceMapping(BaseModel):
    """What a source's files say in their own way; empty where they follow the contract or its
    Chinese form.

    ``headings[dataset]`` maps a heading in the file to a contract column,
    ``values[dataset][column]`` a value in the file to one of the contract, ``delay_s[dataset]`` is
    the feed's delay in seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoding: str | None = None
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    delay_s: Mapping[str, NonNegativeInt] = Field(default_factory=dict)
    headings: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    values: Mapping[str, Mapping[str, Mapping[str, str]]] = Field(default_factory=dict)

    def delay(self, dataset: str) -> timedelta:
        """Time from the moment a record could exist to the moment this source has delivered it."""
        return timedelta(seconds=self.delay_s.get(dataset, 0))

    def columns_by_heading(self, contract: Contract) -> dict[str, str]:
        """Every heading that is understood, with the contract column it means; the source's own
        win.
        """
        understood = {
            heading: column.name for column in contract.columns for heading in column.headings
        }
        understood |= {column.name: column.name for column in contract.columns}
        return understood | dict(self.headings.get(contract.dataset, {}))

    def values_by_label(self, contract: Contract, column: str) -> dict[str, str]:
        """Every way to write a value of an enumerated column that is not the contract's own; the
        source's own win.
        """
        known = contract.column(column).values_by_label
        return known | dict(self.values.get(contract.dataset, {}).get(column, {}))


def load_mapping(source: str, *, folder: Path | None = None) -> SourceMapping:
    """Return the mapping of a source: ``<source>.yaml`` of ``folder``, else the built-in one, else
    the default.

    Raises ``SettingsError`` if the file cannot be understood.
    """
    for name in (source, _DEFAULT):
        for place in (folder, _BUILT_IN):
            path = place / f"{name}.yaml" if place is not None else None
            if path is not None and path.is_file():
                return _load(path)
    return SourceMapping()


def _load(path: Path) -> SourceMapping:
    try:
        return SourceMapping.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (yaml.YAMLError, ValidationError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The source mapping {path.name} cannot be used: {error}",
            remedy="Correct the file; the built-in default.yaml lists what it may hold.",
        ) from error
