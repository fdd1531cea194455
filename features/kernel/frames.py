"""Frames that cross modules: name, columns, types, units and nulls, each in one place.

A frame is declared where it is made. Programs read ``polars_schema`` alone, to make a frame with
the right columns; tests check whole frames with ``validate``, so a run pays nothing for it.
"""

import dataframely as dy
import polars as pl

__all__ = ["Frame", "QueryPoint", "moment"]


class Frame(dy.Schema):
    """A frame that several modules share."""

    @classmethod
    def polars_schema(cls) -> pl.Schema:
        """The names and types of the columns, in order."""
        return cls.create_empty().schema


def moment(description: str, *, nullable: bool = False, primary_key: bool = False) -> dy.Datetime:
    """A column of moments in Shanghai's time."""
    return dy.Datetime(
        time_zone="Asia/Shanghai",
        nullable=nullable,
        primary_key=primary_key,
        description=description,
    )


class QueryPoint(Frame):
    """A person and a moment, about which features are asked; the same pair may come twice."""

    person = dy.String(nullable=False, description="pseudonym")
    at = dy.Datetime(
        time_zone="Asia/Shanghai",
        nullable=False,
        resolution="1ms",
        description="what was known strictly before it counts",
    )
