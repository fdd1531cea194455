"""What a source always does, as the installation's settings say, or else its mapping."""

from collections.abc import Collection
from datetime import timedelta
from functools import cached_property

from data_contracts.mappings.mapping import SourceMapping, declared_sources, load_mapping
from pipelines.settings import Settings

__all__ = ["SourceHabits"]


class SourceHabits:
    """Delays, record keys and replacing files of the sources, as they are while a load runs."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def delay(self, dataset: str, source: str) -> timedelta:
        """How long after a record it is delivered."""
        set_here = self._settings.delay(dataset, source)
        return self._mapping(source).delay(dataset) if set_here is None else set_here

    def replaces(self, dataset: str, source: str) -> bool:
        """Whether a file that comes again under its name replaces the earlier one."""
        named = source in self._settings.ingest.replacing_sources
        return named or (source in self._mappings and self._mapping(source).of(dataset).replaces)

    def record_keys(self, dataset: str) -> dict[str, Collection[str]]:
        """By source, the columns of the contract that tell its records apart within a day, of the
        sources of which it is said.
        """
        mapped = {source: said.of(dataset).record_key for source, said in self._mappings.items()}
        keys = mapped | dict(self._settings.ingest.record_keys)
        return {source: names for source, names in keys.items() if names}

    def _mapping(self, source: str) -> SourceMapping:
        if source in self._mappings:
            return self._mappings[source]
        return load_mapping(source, folder=self._settings.sources_folder)

    @cached_property
    def _mappings(self) -> dict[str, SourceMapping]:
        """The mappings of the declared sources; sources without one share the default."""
        folder = self._settings.sources_folder
        names = sorted(declared_sources(folder))
        return {source: load_mapping(source, folder=folder) for source in names}
