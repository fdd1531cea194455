"""The sources that somebody declared: those with a mapping of their own."""

import re
from dataclasses import dataclass
from pathlib import Path

from data_contracts.contract import dataset_names
from data_contracts.errors import SettingsError
from data_contracts.mappings.language import DatasetMapping
from data_contracts.mappings.mapping import (
    declared_sources,
    load_mapping,
    parse_mapping,
    read_mapping_file,
)
from data_contracts.mappings.schema import schema_text
from data_contracts.mappings.shipped_formats import load_format
from pipelines.settings import Settings
from pipelines.storage.places.durable_files import write_durably

__all__ = ["DeclaredSource", "declare_source", "list_declared"]

NAME = re.compile(r"[a-z0-9_\u4e00-\u9fff]+")
SCHEMA_FILE = "mapping.schema.json"
SCHEMA_LINE = f"# yaml-language-server: $schema={SCHEMA_FILE}\n"
READABLE = 0o644
EMPTY = "# This source follows the contracts. docs/mappings.md shows what can stand here.\n{}\n"


@dataclass(frozen=True, kw_only=True)
class DeclaredSource:
    """A source with a mapping of its own: what the mapping speaks of, and where it is."""

    name: str
    datasets: tuple[str, ...]
    formats: tuple[str, ...]
    place: str
    problem: str = ""


def list_declared(settings: Settings) -> list[DeclaredSource]:
    """Return the declared sources by name; one whose mapping cannot be used says so."""
    return [
        _describe(name, folder=settings.sources_folder)
        for name in sorted(declared_sources(settings.sources_folder))
    ]


def declare_source(
    settings: Settings, *, name: str, formats: tuple[str, ...] = (), mapping: Path | None = None
) -> Path:
    """Write the mapping of a source, or change its formats, and return where it is.

    A mapping that is there stays as it is but for the formats, unless another is given. Raises
    ``SettingsError`` if the name cannot be one, or the mapping cannot be used.
    """
    if NAME.fullmatch(name) is None:
        raise SettingsError(
            f"{name!r} cannot be the name of a source.",
            remedy="Use small letters, digits and Chinese, as in the names of its files: cmcc.",
        )
    folder = settings.sources_folder
    path = folder / f"{name}.yaml"
    if mapping is not None:
        read_mapping_file(mapping)
        text = mapping.read_text(encoding="utf-8")
    else:
        text = path.read_text(encoding="utf-8") if path.is_file() else EMPTY
    if formats:
        text = _with_formats(text, formats=tuple(load_format(one).name for one in formats))
    if "$schema=" not in text:
        text = SCHEMA_LINE + text
    parse_mapping(text, name=path.name)
    write_durably(folder / SCHEMA_FILE, schema_text().encode(), mode=READABLE)
    write_durably(path, text.encode(), mode=READABLE)
    return path


def _with_formats(text: str, *, formats: tuple[str, ...]) -> str:
    """A mapping's text with these formats named at its top."""
    line = f"format: [{', '.join(formats)}]"
    if re.search(r"^format:.*$", text, flags=re.MULTILINE):
        return re.sub(r"^format:.*$", line, text, flags=re.MULTILINE)
    return re.sub(r"^\{\}\n?", "", text, flags=re.MULTILINE).rstrip() + f"\n{line}\n"


def _describe(name: str, *, folder: Path) -> DeclaredSource:
    path = folder / f"{name}.yaml"
    place = str(path) if path.is_file() else "built in"
    try:
        mapping = load_mapping(name, folder=folder)
    except SettingsError as error:
        return DeclaredSource(name=name, datasets=(), formats=(), place=place, problem=str(error))
    said = {dataset: mapping.of(dataset) for dataset in dataset_names()}
    return DeclaredSource(
        name=name,
        datasets=tuple(dataset for dataset, one in said.items() if one != DatasetMapping()),
        formats=tuple(dict.fromkeys(mapping.formats_named)),
        place=place,
    )
