"""The truth says what the records show, and the cases are the part of it that was reported."""

from datetime import date, datetime, timedelta

import polars as pl
import pytest

from models.evaluation.frames import Truth
from pipelines.simulate.mix.district_mix import Mix
from pipelines.simulate.people.population import generate_population
from pipelines.simulate.stories.scams import TrueEpisode
from pipelines.simulate.stories.script import ScriptTrace
from pipelines.simulate.truth_and_cases import build_truth
from tests.frames import check
from tests.pipelines.simulate.conftest import District


def _wall(*parts: int) -> datetime:
    """Shanghai wall time, as truth gives it."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


def _moves(row: dict[str, object]) -> list[tuple[datetime, float]]:
    return [
        (datetime.fromisoformat(at), float(amount))
        for at, amount in (move.split("|") for move in str(row["moves"]).split(";") if move)
    ]


def test_a_journey_drawn_by_hand_is_written_as_it_was() -> None:
    people = generate_population(Mix(), people=100, start=date(2026, 6, 1), seed=1)
    played = ScriptTrace(
        known_at=[600, 90_000, 97_200],
        payments=[(90_000, 10_000), (97_200, 50_000)],
        numbers=[3],
        accounts=[4],
    )
    episode = TrueEpisode("brushing", 5, 5, 540, played, "loss", None)
    row = build_truth([episode], people=people, start=date(2026, 6, 1)).row(0, named=True)
    assert row["contact_at"] == _wall(2026, 6, 1, 0, 9)
    assert row["first_trace_at"] == _wall(2026, 6, 1, 0, 10)
    assert row["traces"] == 3
    assert row["first_transfer_at"] == _wall(2026, 6, 2, 1, 0)
    assert row["main_transfer_at"] == _wall(2026, 6, 2, 3, 0)  # 100 is less than 30 % of 500
    assert row["last_transfer_at"] == _wall(2026, 6, 2, 3, 0)
    assert row["moves"] == "2026-06-02T01:00:00|100.00;2026-06-02T03:00:00|500.00"
    assert row["loss"] == 600.0
    assert not row["reported"]
    assert row["suspect_numbers"] == people.numbers[3]
    assert row["id_number"] == people.id_numbers[5]


def test_the_truth_is_shaped_as_its_readers_expect(lively: District) -> None:
    check(Truth, lively.register("truth").with_columns(person="id_number"), more=True)


def test_losses_are_the_sum_of_their_moves_and_in_order(lively: District) -> None:
    losses = lively.register("truth").filter(outcome="loss")
    assert len(losses) > 100
    for row in losses.iter_rows(named=True):
        moves = _moves(row)
        largest = max(amount for _, amount in moves)
        assert row["loss"] == pytest.approx(sum(amount for _, amount in moves))
        assert row["first_transfer_at"] == moves[0][0]
        assert row["last_transfer_at"] == moves[-1][0]
        assert row["main_transfer_at"] == next(
            at for at, amount in moves if amount >= 0.3 * largest
        )
        assert row["contact_at"] <= row["first_trace_at"] <= moves[-1][0]
        assert moves == sorted(moves)


def test_only_losses_have_payments(lively: District) -> None:
    others = lively.register("truth").filter(pl.col("outcome") != "loss")
    assert set(others["outcome"]) == {"contact", "attempt"}
    assert others["moves"].unique().to_list() == [""]
    assert others["loss"].max() == 0
    assert others["main_transfer_at"].null_count() == len(others)


def test_every_move_is_a_delivered_debit(lively: District) -> None:
    truth = lively.register("truth").filter(pl.col("moves") != "")
    moves = truth.select("id_number", pl.col("moves").str.split(";").alias("move")).explode("move")
    moves = moves.select(
        "id_number",
        occurred_at=pl.col("move").str.split("|").list.get(0).str.to_datetime(time_unit="us"),
        amount=pl.col("move").str.split("|").list.get(1).cast(pl.Decimal(18, 2)),
    )
    debits = lively.transfers().filter((pl.col("direction") == "debit") & pl.col("fraud"))
    debits = debits.select("id_number", pl.col("occurred_at").dt.replace_time_zone(None), "amount")
    assert moves.join(debits, on=["id_number", "occurred_at", "amount"], how="anti").is_empty()
    assert len(moves) <= len(debits)


def test_every_contact_left_a_record(lively: District) -> None:
    contacts = lively.register("truth").filter(outcome="contact")
    assert contacts["traces"].min() >= 1
    assert contacts["suspect_numbers"].str.len_chars().min() >= 3


def test_cases_are_the_reported_journeys_of_the_days_simulated(lively: District) -> None:
    truth, cases = lively.register("truth"), lively.register("cases")
    end = _wall(2026, 6, 1) + timedelta(days=lively.days)
    reported = truth.filter(pl.col("reported") & (pl.col("reported_at") < end))
    assert cases["case_id"].is_unique().all()
    assert cases["reported_at"].is_sorted()
    wall = cases.with_columns(pl.col("reported_at").dt.replace_time_zone(None))
    joined = wall.join(reported, on=["id_number", "reported_at"], how="full")
    assert len(joined) == len(cases) == len(reported)
    assert joined.filter(pl.col("loss_amount").cast(float) != pl.col("loss")).is_empty()
    assert (
        0.9 < (joined["scam_type"] == joined["scam_type_right"]).mean() < 1
    )  # a few are filed wrongly
    assert reported.filter(pl.col("reported_at") <= pl.col("contact_at")).is_empty()


def test_about_a_third_of_the_losses_are_never_reported(lively: District) -> None:
    losses = lively.register("truth").filter(outcome="loss")
    assert 0.58 < losses["reported"].mean() < 0.80
    assert (
        0.2
        < losses.filter(pl.col("loss") < 3000)["reported"].mean()
        < losses.filter(pl.col("loss") >= 3000)["reported"].mean()
    )
    assert lively.register("truth").filter(outcome="attempt")["reported"].mean() < 0.35
