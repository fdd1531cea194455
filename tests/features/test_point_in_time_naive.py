"""The snapshot against its slow and obvious version and its declaration, on generated districts."""

import math
from collections.abc import Iterable
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from features.catalogue.definitions import FEATURES, MassRule
from features.counterparties import ACCOUNTS, NUMBERS, Counterparties
from features.event_index import EventIndex, build_event_index
from features.kernel.frames import QueryPoint
from features.point_in_time import Snapshot, build_snapshot
from features.reputation import HAND_WRITTEN_REPUTATION, ReputationModel
from tests import frames
from tests.examples import examples
from tests.features.districts import moments
from tests.features.generated import Asked, name_alone, name_in, several, side_by_side
from tests.naive.relationships import known_district
from tests.naive.reputation import NaiveHandWrittenReputation, NaiveReputation
from tests.naive.snapshot import naive_snapshot

PEOPLE = ("p1", "p2", "p3")


def with_names(event_index: EventIndex, frame: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows of a snapshot, the leading number and account by their names in their district."""
    peers = event_index.numbers.select(lead_peer_code="code", lead_peer="peer")
    payees = event_index.accounts.select(lead_payee_code="code", lead_payee="payee")
    named = (
        frame.join(peers, on="lead_peer_code", how="left", maintain_order="left")
        .join(payees, on="lead_payee_code", how="left", maintain_order="left")
        .with_columns(name_alone(pl.col("lead_peer", "lead_payee")))
    )
    return named.drop("person", "at", "lead_peer_code", "lead_payee_code").to_dicts()


def differences(fast: dict[str, Any], naive: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    assert set(fast) == set(naive)
    return {name: (fast[name], naive[name]) for name in fast if not same(fast[name], naive[name])}


def same(one: Any, other: Any) -> bool:
    """Equal, ages of numbers and accounts to the millisecond."""
    if isinstance(one, float) and other is not None:
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-7)
    return one == other


class LinearReputation:
    """Stands in for learned reputations: any function of the state row will do, null as 0."""

    def score(self, states: pl.DataFrame, *, of: Counterparties) -> pl.Series:
        naive = {"number": NaiveLinearReputation.number, "account": NaiveLinearReputation.payee}
        return pl.Series([naive[of.kind](state) for state in states.to_dicts()], dtype=pl.Float64)


class NaiveLinearReputation:
    """Each input weighs in, so that a wrong one would show."""

    @staticmethod
    def number(state: dict[str, Any]) -> float:
        return squashed(state[name] or 0 for name in NUMBERS.inputs)

    @staticmethod
    def payee(state: dict[str, Any]) -> float:
        return squashed(state[name] or 0 for name in ACCOUNTS.inputs)


def squashed(inputs: Iterable[float]) -> float:
    """0 to 1, of seven places."""
    total = sum(math.log1p(float(value)) / (3 + place) for place, value in enumerate(inputs))
    return round(total / (4 + total), 7)


def missing_for_one_reason_alone(row: dict[str, Any]) -> set[str]:
    """Reasons for which some features of a row are missing and others are not."""
    missing: dict[str, set[bool]] = {"never": {False}}
    for feature in FEATURES:
        missing.setdefault(feature.null_means, set()).add(row[feature.name] is None)
    return {reason for reason, found in missing.items() if len(found) > 1}


def check(
    asked: Asked,
    *,
    reputation_model: ReputationModel,
    naive_reputation: type[NaiveReputation],
    residents: int = 100,
) -> pl.DataFrame:
    """Compare the rows of three people of each district, and return them."""
    tables = side_by_side([tables for tables, _ in asked])
    event_index = build_event_index(tables, mass_rule=MassRule(share=0, residents=residents))
    points = [
        (name_in(place, person), at) for place, (_, at) in enumerate(asked) for person in PEOPLE
    ]
    snapshot = build_snapshot(
        event_index,
        frames.check(QueryPoint, moments(*points)),
        reputation_model=reputation_model,
    )
    rows = iter(with_names(event_index, snapshot))
    for tables, at in asked:
        district = known_district(tables, at, mass_limit=residents)
        for person in PEOPLE:
            row = next(rows)
            assert differences(row, naive_snapshot(district, person, naive_reputation)) == {}
            assert missing_for_one_reason_alone(row) == set()
    assert next(rows, None) is None
    return snapshot


def test_snapshot_equals_the_naive_one() -> None:
    """It is also what it is declared to be, and what is missing for one reason is missing together.

    The declaration is held against the snapshots of all districts at once: one takes as long.
    """
    snapshots: list[pl.DataFrame] = []

    drawn = examples(11)

    @drawn
    @given(asked=several(10))
    def compare(asked: Asked) -> None:
        snapshot = check(
            asked,
            reputation_model=HAND_WRITTEN_REPUTATION,
            naive_reputation=NaiveHandWrittenReputation,
        )
        place = pl.lit(len(snapshots))
        snapshots.append(snapshot.with_columns(person=pl.format("{} of {}", "person", place)))

    compare()
    assert len(snapshots) >= drawn.max_examples
    Snapshot.validate(pl.concat(snapshots), cast=True)


@examples(11)
@given(asked=several(10), residents=st.sampled_from((1, 2)))
def test_snapshot_asks_whatever_standing_it_is_given_and_leaves_out_mass_numbers(
    asked: Asked, residents: int
) -> None:
    """Two or three residents within a day are everybody."""
    check(
        asked,
        reputation_model=LinearReputation(),
        naive_reputation=NaiveLinearReputation,
        residents=residents,
    )
