"""The communities that there are: those of the residents' register."""

from collections.abc import Collection
from difflib import get_close_matches

import polars as pl

from data_contracts.errors import SettingsError
from pipelines.settings import Settings
from pipelines.storage.lake import Lake

__all__ = ["require_communities"]

NAMED_AT_MOST = 5


def require_communities(settings: Settings, communities: Collection[str]) -> None:
    """Raise ``SettingsError`` for a community in which no resident lives, with the nearest names;
    nothing before residents are loaded.
    """
    if not communities:
        return
    lived_in = pl.col("community_id").drop_nulls().unique().sort()
    residents = Lake.of(settings).scan("residents")
    there = residents.select(lived_in).collect()["community_id"].to_list()
    for community in communities:
        if there and community not in there:
            near = get_close_matches(community, there, n=NAMED_AT_MOST, cutoff=0)
            raise SettingsError(
                f"there is no community {community}: no resident of the register lives there",
                remedy=f"Choose one of those that there are, such as {', '.join(near)}.",
            )
