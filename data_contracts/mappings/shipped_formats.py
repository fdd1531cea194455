"""The formats that exist in public and are shipped: what their headings are, and how they are read.

Each is a YAML of ``formats/``: ``title``, ``dataset``, the headings by which it is ``known_by``
(a list in it is a choice), and a ``mapping`` in the language of mappings.
"""

import re
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from data_contracts.errors import SettingsError
from data_contracts.mappings.document import read_document
from data_contracts.mappings.language import DatasetMapping, Texts

__all__ = ["ShippedFormat", "load_format", "load_formats", "plain_heading", "recognise_format"]

_FOLDER = Path(__file__).parent / "formats"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # these are ours: no words of errors wanted


class Title(BaseModel):
    """The name of a format."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: str
    en: str


class ShippedFormat(BaseModel):
    """One format, and how it is read. ``name`` is that of its file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: Title
    dataset: str
    known_by: tuple[Texts, ...]
    asks_for: Mapping[str, str] = {}
    mapping: DatasetMapping

    def fits(self, headings: Collection[str]) -> bool:
        """Whether plain headings are all those by which the format is known."""
        return all(
            any(plain_heading(one) in headings for one in choice) for choice in self.known_by
        )


def plain_heading(heading: str) -> str:
    """A heading without blanks and case, as headings are compared."""
    return re.sub(r"[\s\ufeff]", "", heading).lower()


@cache
def load_formats() -> Mapping[str, ShippedFormat]:
    """Return all shipped formats by name."""
    return {
        path.stem: ShippedFormat(
            name=path.stem, **read_document(path.read_text(encoding="utf-8"), loader=_LOADER).data
        )
        for path in sorted(_FOLDER.glob("*.yaml"))
    }


def load_format(name: str) -> ShippedFormat:
    """Return one shipped format; raises ``SettingsError`` if there is none of this name."""
    formats = load_formats()
    if name not in formats:
        raise SettingsError(
            f"There is no format {name}.", remedy=f"Use one of {', '.join(formats)}."
        )
    return formats[name]


def recognise_format(headings: Collection[str], *, dataset: str) -> ShippedFormat | None:
    """Return the format of a dataset that headings are of: the one known by most of them."""
    plain = {plain_heading(heading) for heading in headings}
    fitting = [one for one in load_formats().values() if one.dataset == dataset and one.fits(plain)]
    return max(fitting, key=lambda one: len(one.known_by), default=None)
