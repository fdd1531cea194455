"""Reputations learned from a drawn district, where every bad number has a twin that calls the same
residents at once.

The bad ones talk for a quarter of an hour, the twins are hung up on. Bad accounts get thousands,
their twins little.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest

from data_contracts.errors import ModelError
from features.counterparties import ACCOUNTS, NUMBERS
from features.event_index import EventIndex, build_event_index
from features.kernel.segment import to_milliseconds
from features.kernel.source_tables import SourceTables
from features.reputation import (
    BAD_REPUTATION,
    HAND_WRITTEN_REPUTATION,
)
from models.learning.calibration import Calibration
from models.learning.learned_reputation import (
    BLOCKS,
    MIN_NAMED,
    LearnedReputation,
    OutOfFoldReputation,
    block_at,
    block_boundaries,
    contact_samples,
    learn_reputation,
)
from models.learning.risk import RiskModel
from tests.models.drawn import call, case, on, payment, source_tables, table

PAIRS = 80
ALL = range(PAIRS)
PEOPLE = tuple(f"r{i}" for i in range(40))
START, STEP = on(1), timedelta(hours=12)
AT = START + PAIRS * STEP + timedelta(days=3)


def begins(pair: int) -> datetime:
    return START + pair * STEP


def met(pair: int) -> list[tuple[str, datetime]]:
    """Four residents, and when a pair calls them: within a day and a half."""
    return [
        (PEOPLE[(pair * 7 + place) % len(PEOPLE)], begins(pair) + timedelta(hours=hour))
        for place, hour in enumerate((1, 6, 21, 31))
    ]


def called(pair: int) -> list[dict]:
    return [
        call(resident, f"{kind}{pair}", moment, duration_s=duration_s + moment.hour * 5 + pair % 7)
        for resident, moment in met(pair)
        for kind, duration_s in (("bad", 900), ("twin", 10))
    ]


def paid(pair: int) -> list[dict]:
    """The same residents, an hour later."""
    return [
        payment(
            resident,
            f"{kind} account {pair}",
            moment + timedelta(hours=1),
            cny + 5 * pair + moment.hour,
        )
        for resident, moment in met(pair)
        for kind, cny in (("bad", 8000), ("twin", 60))
    ]


def reported(pair: int, *, kind: str = "bad") -> dict:
    """A case that names the pair's number and account two days after it began."""
    return case(
        f"c{pair}",
        PEOPLE[0],
        reported_at=begins(pair) + timedelta(days=2),
        numbers=[f"{kind}{pair}"],
        accounts=[f"{kind} account {pair}"],
    )


def district(pairs: range, *, twins: range = range(0)) -> SourceTables:
    """All calls and payments, and the cases of ``pairs``; those of ``twins`` name the twin."""
    return source_tables(
        calls=[row for pair in ALL for row in called(pair)],
        payments=[row for pair in ALL for row in paid(pair)],
        cases=[reported(pair, kind="twin" if pair in twins else "bad") for pair in pairs],
        people=PEOPLE,
    )


@cache
def naming(pairs: range, *, twins: range = range(0)) -> EventIndex:
    """:func:`district`, laid out for asking."""
    return build_event_index(district(pairs, twins=twins))


@dataclass(frozen=True)
class Asked:
    """State rows of numbers and accounts, a day and a half after each began."""

    numbers: pl.DataFrame
    payees: pl.DataFrame


def asked(event_index: EventIndex, kind: str, pairs: range) -> Asked:
    at_ms = to_milliseconds(pl.Series([begins(pair) + timedelta(hours=36) for pair in pairs]))
    peers = dict(event_index.numbers.select("peer", pl.col("code").cast(pl.Int64)).rows())
    payees = dict(event_index.accounts.select("payee", pl.col("code").cast(pl.Int64)).rows())
    return Asked(
        NUMBERS.states(
            event_index, codes=np.array([peers[f"{kind}{pair}"] for pair in pairs]), at_ms=at_ms
        ),
        ACCOUNTS.states(
            event_index,
            codes=np.array([payees[f"{kind} account {pair}"] for pair in pairs]),
            at_ms=at_ms,
        ),
    )


def learned(
    event_index: EventIndex, *, at: datetime = AT
) -> tuple[LearnedReputation, OutOfFoldReputation]:
    return learn_reputation(event_index, at=at, seed=0, threads=1)


def both(reputation_model: LearnedReputation | OutOfFoldReputation, states: Asked) -> np.ndarray:
    """What is said of the numbers and of the accounts, one after the other."""
    return np.concatenate(
        [
            reputation_model.score(states.numbers, of=NUMBERS).to_numpy(),
            reputation_model.score(states.payees, of=ACCOUNTS).to_numpy(),
        ]
    )


def test_what_cases_name_is_told_from_what_they_do_not() -> None:
    event_index = naming(ALL)
    bad, twins = asked(event_index, "bad", ALL), asked(event_index, "twin", ALL)

    for reputation_model in learned(event_index):
        assert both(reputation_model, bad).min() > BAD_REPUTATION
        assert both(reputation_model, twins).max() < 0.1


def test_with_few_named_the_hand_written_speaks() -> None:
    """Enough for the one to use, but not for those that leave a stretch out: then all speak by the
    formula.
    """
    burnt_in = range(20, PAIRS)
    few, enough = naming(burnt_in[:MIN_NAMED]), naming(burnt_in[: 2 * MIN_NAMED])
    states = asked(few, "bad", ALL)
    spoken = np.concatenate(
        [
            HAND_WRITTEN_REPUTATION.score(states.numbers, of=NUMBERS),
            HAND_WRITTEN_REPUTATION.score(states.payees, of=ACCOUNTS),
        ]
    )

    model, folded = learned(few)
    assert model.boosters == {}
    assert both(model, states).tolist() == both(folded, states).tolist() == spoken.tolist()
    model, folded = learned(enough)
    assert set(model.boosters) == {"number", "account"}
    assert (both(folded, states) != spoken).all()


def test_without_any_record_there_is_nothing_to_learn() -> None:
    model, folded = learned(build_event_index(source_tables()))
    states = asked(naming(ALL), "bad", ALL)

    assert model.boosters == {}
    assert both(folded, Asked(states.numbers.clear(), states.payees.clear())).tolist() == []


def test_a_case_not_yet_reported_teaches_nothing() -> None:
    """As of the day on which the 61st begins, later cases might as well not be."""
    at = begins(60)
    known, all_named = naming(range(57)), naming(ALL)
    states = asked(known, "bad", range(40, 60))

    assert (
        both(learned(known, at=at)[0], states).tolist()
        == both(learned(all_named, at=at)[0], states).tolist()
    )


def test_what_becomes_known_later_teaches_nothing() -> None:
    """Three minutes after a call at five past, the number calls somebody else, and others do for
    weeks.
    """
    at = begins(60) + timedelta(hours=1, minutes=8)
    more = [
        call(PEOPLE[5], "bad60", begins(60) + timedelta(hours=1, minutes=minutes))
        for minutes in (5, 9)
    ]
    whole = district(ALL)
    whole = replace(whole, calls=pl.concat([whole.calls, table("calls", more)]))
    states = asked(naming(ALL), "bad", range(40, 60))

    then, now = (
        learned(build_event_index(whole.known_before(at)), at=at)[0],
        learned(build_event_index(whole), at=at)[0],
    )
    assert both(then, states).tolist() == both(now, states).tolist()


def test_the_stretches_hold_as_many_first_meetings_with_named_numbers_each() -> None:
    rows = contact_samples(naming(ALL), NUMBERS, at=AT, seed=0)
    firsts = rows.filter(pl.col("label") == 1).group_by("peer_code").agg(pl.col("at_ms").min())

    counts = np.bincount(block_at(firsts["at_ms"], block_boundaries(rows)), minlength=BLOCKS)
    assert len(counts) == BLOCKS
    assert counts.max() - counts.min() <= 1


def test_every_named_number_counts_with_the_root_of_its_meetings() -> None:
    rows = contact_samples(naming(ALL), NUMBERS, at=AT, seed=0)
    of_one = (
        rows.filter(pl.col("label") == 1)
        .group_by("peer_code")
        .agg(pl.len(), pl.col("weight").sum())
    )

    assert of_one.filter(pl.col("len") == 4)["weight"].unique().to_list() == [2.0]  # four at a half
    assert rows.filter(pl.col("label") == 0)["weight"].unique().to_list() == [1.0]


@pytest.mark.parametrize("stretch", range(BLOCKS))
def test_a_moment_is_judged_by_what_other_stretches_taught(stretch: int) -> None:
    """Were all cases of the numbers met in a stretch to name the twins, what is said in it would
    stay.
    """
    event_index = naming(ALL)
    _, before = learned(event_index)
    first_ms, last_ms = (
        [moment.timestamp() * 1000 for _, moment in (met(pair)[at] for pair in ALL)]
        for at in (0, -1)
    )
    ends = [0.0, *before.stretches["number"].boundaries.tolist(), np.inf]
    hour_ms = 3_600_000  # they are asked of up to five hours after the last call
    inside = [
        p
        for p in ALL
        if ends[stretch] < first_ms[p] and last_ms[p] + 5 * hour_ms < ends[stretch + 1]
    ]
    turned = naming(ALL, twins=range(inside[0], inside[-1] + 1))
    _, after = learned(turned)

    assert len(inside) > 5
    assert before.stretches["number"].boundaries.tolist() == pytest.approx(
        after.stretches["number"].boundaries.tolist(), abs=hour_ms
    )
    for kind in ("bad", "twin"):
        own = asked(event_index, kind, range(inside[0], inside[-1] + 1))
        assert both(before, own).tolist() == both(after, own).tolist()
        other = asked(
            event_index, kind, range(inside[0] - 20, inside[0] - 3) if stretch else range(60, PAIRS)
        )
        assert (both(before, other) != both(after, other)).all()


def test_what_is_said_while_learning_is_what_will_be_said_in_use() -> None:
    """A shop rings as many as a bad number does, and talks as long, but always has: no stretch
    takes it for young.
    """
    rings = [
        call(
            PEOPLE[(pair * 5 + shop * 3 + place) % len(PEOPLE)],
            f"shop{shop}",
            begins(pair) + timedelta(hours=2 + place),
            duration_s=900 + pair,
        )
        for pair in ALL
        for shop in range(6)
        for place in range(2)
    ]
    whole = district(ALL)
    event_index = build_event_index(
        replace(whole, calls=pl.concat([whole.calls, table("calls", rings)]))
    )
    to_use, folded = learned(event_index)
    codes = dict(event_index.numbers.select("peer", pl.col("code").cast(pl.Int64)).rows())
    at_ms = to_milliseconds(pl.Series([begins(pair) for pair in range(30, PAIRS)]))
    for shop in range(6):
        states = NUMBERS.states(
            event_index, codes=np.full(len(at_ms), codes[f"shop{shop}"]), at_ms=at_ms
        )
        assert to_use.score(states, of=NUMBERS).max() < 0.2
        assert folded.score(states, of=NUMBERS).max() < 0.2


def test_an_answer_is_the_same_whatever_stands_beside() -> None:
    event_index = naming(ALL)
    states = asked(event_index, "bad", ALL)
    some = Asked(states.numbers[30:33], states.payees[30:33])

    for reputation_model in learned(event_index):
        whole = both(reputation_model, states)
        assert both(reputation_model, some).tolist() == [
            *whole[30:33],
            *whole[PAIRS + 30 : PAIRS + 33],
        ]


def test_a_model_keeps_its_reputations(tmp_path) -> None:
    event_index = naming(ALL)
    reputations, _ = learned(event_index)
    model = RiskModel(
        booster=reputations.boosters["number"],
        features=NUMBERS.inputs,
        calibration=Calibration(1.0, 0.0),
        trained_at=AT,
        reputations=reputations,
    )
    digest = model.save(tmp_path)
    states = asked(event_index, "bad", ALL)

    assert {"numbers.txt", "payees.txt"} <= {file.name for file in tmp_path.iterdir()}
    loaded = RiskModel.load(tmp_path, digest=digest).reputations
    assert both(loaded, states).tolist() == both(reputations, states).tolist()

    for name in ("numbers.txt", "payees.txt"):
        text = (tmp_path / name).read_text()
        (tmp_path / name).write_text(text + "\n")
        with pytest.raises(ModelError, match="not the one that was registered"):
            RiskModel.load(tmp_path, digest=digest)
        (tmp_path / name).write_text(text)

    without = replace(model, reputations=LearnedReputation())
    assert without.save(tmp_path) != digest
    found = RiskModel.load(tmp_path).reputations
    assert found.boosters == {}
