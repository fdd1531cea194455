"""Mass numbers: numbers that everybody hears from, such as a hotline or a campaign.

That such a number called says nothing about any one person. So what residents have to do with it
counts as not having taken place: with a number that is tagged as a public service always, with one
that passes the limit of the catalogue from the moment on at which that is known, whether a contact
lies before that moment or up to ``MASS_MEMORY`` after it.

The limit stands far above what a fraudster's number reaches. In seven simulated districts of 1,200
to 15,000 residents the busiest of some 2,900 such numbers had contact with 19 to 52 residents
within a day, the same in large districts as in small ones; 100 is twice as many, and 3 of 100
residents are more than that wherever there are more than 3,400.
"""

from datetime import timedelta

import polars as pl

from features.catalogue.definitions import LONGEST_WINDOW
from features.kernel.segment import DAY_MS, KNOWN_MS, Positions, to_milliseconds
from features.kernel.source_tables import SourceTables
from features.kernel.timeline import Timeline

__all__ = [
    "MASS_MEMORY",
    "build_mass_timeline",
    "busy_numbers",
    "is_mass_number",
    "may_be_mass_numbers",
    "never_set_aside",
    "public_services",
    "set_aside",
    "without_public_services",
]

PUBLIC_SERVICE = "public_service"
MASS_MEMORY = timedelta(days=28)  # with a day and the longest window still within the lookback


def public_services(tables: SourceTables) -> pl.DataFrame:
    """``number``: those that are tagged as a public service, in order."""
    tagged = tables.number_tags.filter(pl.col("tag") == PUBLIC_SERVICE)
    return tagged.select("number").unique().sort("number").collect()


def without_public_services(tables: SourceTables) -> pl.LazyFrame:
    """The calls and texts without those with numbers that are tagged as a public service."""
    tagged = public_services(tables)["number"]
    return (
        tables.calls.filter(~pl.col("peer").is_in(tagged.implode()))
        if len(tagged)
        else tables.calls
    )


def busy_numbers(by_number: pl.LazyFrame) -> pl.LazyFrame:
    """``owner``, ``day`` (number of the local day) and ``contacts``: how many each number had, from
    contacts by number.
    """
    day = pl.col("known_at").dt.date().cast(pl.Int32).alias("day")
    return by_number.group_by("owner", day).len("contacts")


def may_be_mass_numbers(busy: pl.LazyFrame, *, limit: float) -> pl.Series:
    """The numbers that could pass the limit: one that does within 24 hours has more than half of
    these contacts on one of the days that share them. ``busy`` as :func:`busy_numbers`.
    """
    some = busy.filter(pl.col("contacts") > limit / 2).select("owner").unique().sort("owner")
    return some.collect()["owner"]


def build_mass_timeline(contacts: pl.DataFrame, *, limit: float) -> Timeline:
    """The contacts after which a number is a mass number: ``owner`` is the number.

    ``contacts`` are in order of (``owner``, ``peer_code``, ``known_at``). With each contact those
    residents are counted whose latest contact with the number is less than a day old, whole
    milliseconds counted.
    """
    kept = contacts.lazy().select("owner", "peer_code", "known_at", ms=KNOWN_MS)
    moments = count_residents(kept).filter(pl.col("residents") > limit, "is_contact")
    return Timeline.of(
        moments.select(
            owner="peer_code",
            known_at=pl.from_epoch("ms", time_unit="ms")
            .dt.replace_time_zone("UTC")
            .cast(contacts.schema["known_at"]),
        )
    )


def count_residents(contacts: pl.LazyFrame) -> pl.LazyFrame:
    """``peer_code``, ``ms``, ``residents`` in contact with the number within the day up to that
    millisecond, and ``is_contact``; in order.
    """
    same = (pl.col("owner") == pl.col("owner").shift(-1)) & (
        pl.col("peer_code") == pl.col("peer_code").shift(-1)
    )
    ends = (~same | (pl.col("ms").shift(-1) - pl.col("ms") >= DAY_MS)).fill_null(True)
    marked = contacts.with_columns(ends=ends).with_columns(
        begins=pl.col("ends").shift().fill_null(True)
    )
    came = marked.select("peer_code", "ms", more=pl.col("begins").cast(pl.Int64), is_contact=True)
    left = marked.filter("ends").select(
        "peer_code", ms=pl.col("ms") + DAY_MS, more=pl.lit(-1, pl.Int64), is_contact=False
    )
    return (
        pl.concat([came, left])
        .group_by("peer_code", "ms")
        .agg(pl.col("more").sum(), pl.col("is_contact").any())
        .sort("peer_code", "ms")
        .with_columns(residents=pl.col("more").cum_sum().over("peer_code"))
    )


def set_aside(rows: pl.DataFrame, mass: Timeline) -> pl.Series:
    """Whether each contact (``peer_code``, ``known_at``) has ceased to count at the moment ``at``
    of its row: its number was heard of by everybody since ``MASS_MEMORY`` before it.
    """
    if not mass.segments:
        return pl.repeat(False, len(rows), dtype=pl.Boolean, eager=True)
    latest = mass.latest_ms(
        owner=rows["peer_code"].cast(pl.Int64).to_numpy(),
        at_ms=to_milliseconds(rows["at"]),
        window=MASS_MEMORY + LONGEST_WINDOW,
    )
    memory_ms = MASS_MEMORY // timedelta(milliseconds=1)
    return pl.Series((latest >= 0) & (latest >= to_milliseconds(rows["known_at"]) - memory_ms))


def never_set_aside(contacts: pl.DataFrame, mass: Timeline) -> pl.Series:
    """Whether each contact counts at every moment at which a window reaches back to it."""
    since = contacts.with_columns(at=pl.col("known_at") + LONGEST_WINDOW)
    return ~set_aside(since, mass)


def is_mass_number(mass: Timeline, *, codes: Positions, at_ms: Positions) -> pl.Series:
    """Whether each number is a mass number at each moment."""
    return pl.Series(mass.latest_ms(owner=codes, at_ms=at_ms, window=MASS_MEMORY) >= 0)
