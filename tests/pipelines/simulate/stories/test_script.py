"""One story at a time: what the engine takes down for any script, person and moment."""

from datetime import date
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.simulate.events.callers import Rotation
from pipelines.simulate.events.columns import DAY_S, Journal
from pipelines.simulate.mix.district_mix import Mix
from pipelines.simulate.mix.scripts import Lure, Opening, Payments, Script, Talks
from pipelines.simulate.people.population import People, generate_population
from pipelines.simulate.stories.script import Counterparty, ScriptRun, ScriptTrace, Stage
from tests.examples import examples

OTHER = Counterparty(
    lines=[Rotation.fixed(9001), Rotation.fixed(9002)],
    texts=[Rotation.fixed(9003)],
    purses=[Rotation.fixed(8001), Rotation.fixed(8002)],
    lenders=[7001],
)
SCRIPTS: dict[str, Script] = {**Mix().scams, **Mix().lookalikes}


@cache
def _people() -> People:
    return generate_population(Mix(), people=100, start=date(2026, 6, 1), seed=1)


def _play(
    script: Script, *, stage: Stage, seed: int, at: float, end: float = 60 * DAY_S
) -> tuple[Journal, ScriptTrace]:
    rng = np.random.default_rng(seed)
    journal = Journal(np.random.default_rng(seed + 1))
    people = _people()
    story = ScriptRun(
        script,
        person=seed % 100,
        other=OTHER,
        at=at,
        end=end,
        people=people,
        journal=journal,
        rng=rng,
    )
    return journal, story.play(stage)


@examples(150)
@given(
    st.sampled_from(sorted(SCRIPTS)),
    st.sampled_from(["contact", "attempt", "paid"]),
    st.integers(0, 10_000),
    st.floats(0, 40 * DAY_S),
)
def test_any_story_holds_together(name: str, stage: Stage, seed: int, at: float) -> None:
    journal, played = _play(SCRIPTS[name], stage=stage, seed=seed, at=at)
    calls, payments = journal.calls(), journal.payments()
    ends = np.concatenate([calls.at + calls.duration_s, payments.at])
    assert len(ends) == 0 or (
        calls.at.min(initial=2**62) >= int(at) and payments.at.min(initial=2**62) >= int(at)
    )
    assert calls.at.max(initial=0) < 60 * DAY_S
    assert payments.at.max(initial=0) < 60 * DAY_S
    voice = calls.take(~calls.text)
    assert np.all(voice.at[1:] >= (voice.at + voice.duration_s)[:-1])  # one talk after another
    outgoing = {int(payee) for payee in payments.payee} & {8001, 8002}
    assert outgoing <= set(played.accounts)
    if stage != "paid":
        assert played.payments == []
        assert outgoing == set()
    if stage == "contact":
        assert len(played.known_at) >= 1
    assert set(played.numbers) <= {9001, 9002, 9003}


def test_nothing_happens_after_the_end() -> None:
    journal, played = _play(SCRIPTS["investment"], stage="paid", seed=3, at=0, end=3600)
    assert journal.payments().at.tolist() == []
    assert played.payments == []


def test_a_script_of_certainties_is_played_to_the_letter() -> None:
    script = Script(
        opening=Opening(text_share=1, call_share=1, call_s_median=100, call_s_sigma=0),
        talks=Talks(
            share=1,
            count=(2, 2),
            minutes_median=10,
            minutes_sigma=0,
            callback_share=0,
            unanswered_share=0,
            text_share=0,
        ),
        lure=Lure(share=1, rounds=(1, 1), stake_cny=(100, 100), profit=(0.5, 0.5)),
        payments=Payments(
            count=(3, 3), total_cny_median=7000, total_cny_sigma=0, growth=(2, 2), quit_share=0
        ),
        delay_h_median=5,
        delay_h_sigma=0,
    )
    journal, played = _play(script, stage="paid", seed=5, at=9 * 3600)
    calls, payments = journal.calls(), journal.payments()
    assert calls.text.tolist() == [True, False, False, False]
    assert calls.duration_s.tolist() == [0, 100, 600, 600]
    assert len(played.payments) == 4  # the lure and three payments
    assert len(payments) == 5  # and the lure's return
    wealth = float(_people().wealth[5]) ** 0.5
    paid = [cents / 100 for _, cents in sorted(played.payments)[1:]]
    assert paid == pytest.approx([1000 * wealth, 2000 * wealth, 4000 * wealth], abs=10)
    assert sorted(played.payments)[1][0] == 14 * 3600
    assert len(played.known_at) == 4 + 5
