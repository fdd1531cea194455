"""The study on a small district: the same replay, other models and policies, and the tables."""

from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl
import pytest
from typer.testing import CliRunner

from data_contracts.errors import SettingsError
from models.evaluation.alert_metrics import compute_metrics
from models.learning.ablations import features_of
from pipelines.backtesting.experiments import result_rows, run_experiments
from pipelines.backtesting.experiments_page import (
    experiment_tables,
    format_figure,
    write_experiments,
)
from pipelines.backtesting.levers import LEVERS, AgreeingModel
from pipelines.backtesting.replay import replay
from pipelines.backtesting.variants import MODEL, RULE
from pipelines.cli import main as cli
from tests.pipelines.district import SHANGHAI

FROM = datetime(2026, 6, 20, tzinfo=SHANGHAI)
TO = FROM + timedelta(days=4)
ASKED = {"start": FROM, "end": TO, "budget": 5, "seed": 3}


@pytest.fixture(scope="module")
def truth_file(district):
    return district.home.parent / "landing" / "truth.parquet"


@pytest.fixture(scope="module")
def studied(district, truth_file):
    return run_experiments(
        district,
        **ASKED,
        every="12h",
        clocks=("1d", "12h"),
        ablations=("calls", "hand_written", "nightly"),
        levers=tuple(LEVERS),
        truth=truth_file,
    )


def variant(studied, table, name, *, column=MODEL):
    (found,) = [
        one
        for one in studied.of(table)
        if one.variant.name == name and one.variant.column == column
    ]
    return found


def lines(table):
    """The cells of a Markdown table that stands alone, headings first."""
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_full_model_does_what_a_plain_replay_does(district, studied):
    plain = replay(district, **ASKED, every="12h", model=studied.models[MODEL])
    for table, name in (("clocks", "12h"), ("ablations", "full"), ("policies", "as_set")):
        assert compute_metrics(variant(studied, table, name).by_cases) == plain.figures
    assert (
        compute_metrics(variant(studied, "clocks", "12h", column=RULE).by_cases) == plain.baseline
    )
    assert (
        compute_metrics(variant(studied, "ablations", "rule", column=RULE).by_cases)
        == plain.baseline
    )
    issued = variant(studied, "clocks", "12h").by_cases.alerts.select(
        "person", "issued_at", "score"
    )
    assert len(issued) > 5
    kept = plain.alerts.filter(~pl.col("repeat")).select(issued.columns)
    # A replay lists the alerts of a tick by score, the walker by rank.
    order = ("issued_at", "person")
    assert kept.sort(order).equals(issued.sort(order))


def test_an_ablated_model_lacks_the_features_and_decides_otherwise(studied):
    full, ablated = studied.models[MODEL], studied.models["score_calls"]
    assert set(full.features) - set(ablated.features) == features_of("calls") & set(full.features)
    assert set(ablated.booster.feature_name()) == set(ablated.features)
    assert ablated.reputations is full.reputations
    assert set(full.reputations.boosters) == {"number", "account"}
    assert studied.models["score_hand_written"].reputations.boosters == {}
    assert studied.models["score_nightly"].features == full.features
    assert studied.models["score_nightly"].reputations is full.reputations
    assert (
        studied.models["score_nightly"].facts["positive_samples"] < full.facts["positive_samples"]
    )
    issued = [variant(studied, "ablations", name, column=column).by_cases.alerts["person"].to_list()
              for name, column in (("full", MODEL), ("calls", "score_calls"))]  # fmt: skip
    assert issued[0] != issued[1]


def test_policies_change_who_is_told_but_not_the_scores(studied):
    budgets = [
        len(variant(studied, "policies", f"budget_{n}").by_truth.alerts) for n in (4, 8, 12, 20, 40)
    ]
    assert budgets == sorted(budgets)
    assert budgets[0] < budgets[-1]
    first_come = variant(studied, "policies", "first_come").by_cases
    assert (
        compute_metrics(first_come).alerts_per_day == 5.0
    )  # without a threshold the whole budget goes, every day
    assert set(first_come.alerts["issued_at"].dt.hour()) == {
        0
    }  # and at midnight, when everybody is asked
    assert compute_metrics(
        variant(studied, "policies", "cool_down_72h").by_cases
    ) == compute_metrics(variant(studied, "policies", "as_set").by_cases)


def test_a_lever_changes_what_it_says_and_nothing_else(studied):
    full = studied.models[MODEL]
    mined, drawn, exposed, reseeded, agreeing, tail = (
        studied.models[f"score_{name}"]
        for name in (
            "two_stages",
            "random_negatives",
            "exposed",
            "another_seed",
            "agreement",
            "tail",
        )
    )
    assert {one.reputations for one in (mined, drawn, exposed, reseeded, agreeing, tail)} == {
        full.reputations
    }
    assert tail.booster is full.booster
    assert tail.calibration != full.calibration
    assert drawn.facts["positive_samples"] == full.facts["positive_samples"]
    assert exposed.facts["negative_samples"] < full.facts["negative_samples"]
    assert reseeded.facts == full.facts
    assert reseeded.booster.model_to_string() != full.booster.model_to_string()
    assert isinstance(agreeing, AgreeingModel)
    calls, payments = (set(part.features) for part in agreeing.parts)
    assert calls | features_of("transfers") >= set(full.features)
    assert not calls & features_of("transfers")
    assert not payments & features_of("calls")


def test_levers_are_held_against_the_model_as_it_is(studied):
    found = studied.levers_at_true_rate
    assert found["name"].unique(maintain_order=True).to_list() == ["full", *LEVERS]
    assert found["budget"].unique().sort().to_list() == [23, 85]
    full = found.filter(name="full")
    assert full["coverage_change"].to_list() == full["money_change_high"].to_list() == [0, 0]
    composed = studied.at_true_rate.filter(pl.col("budget").is_in([23, 85]))
    assert full["coverage"].to_list() == composed["coverage"].to_list()
    # Calibration orders nobody anew: as many alerts on the same people.
    assert found.filter(name="tail")["coverage_change"].to_list() == [0, 0]
    # Twenty texts for each alert reach people whom no alert reaches.
    alerts = [
        len(variant(studied, "policies", name).by_truth.alerts) for name in ("as_set", "with_texts")
    ]
    assert alerts[1] > 4 * alerts[0]


def test_the_truth_knows_more_losses_than_the_cases(studied):
    one = variant(studied, "clocks", "12h")
    assert len(one.by_truth.losses) > len(one.by_cases.losses) > 5
    assert (
        compute_metrics(one.by_truth).precision_a
        >= compute_metrics(one.by_truth).precision
        >= compute_metrics(one.by_truth).precision_c
    )
    assert compute_metrics(one.by_cases).precision_a is None  # a replay has no dispositions


def test_the_tables_have_a_line_an_arm(studied):
    tables = experiment_tables(studied)
    assert list(tables) == [
        *("clocks", "types", "ablations", "levers", "policies"), "levers_true_rate", "true_rate",
    ]  # fmt: skip
    cases, truth = tables["clocks"].split("By the truth")
    assert [line[0] for line in lines(cases)] == [
        "", "1d", "1d: today's rule 现行规则", "12h", "12h: today's rule 现行规则"
    ]  # fmt: skip
    assert lines(truth)[0][1:5] == ["alerts a day", "precision a", "precision b", "precision c"]
    assert [line[0] for line in lines(tables["ablations"].split("By the truth")[0])] == [
        "",
        "everything 全部输入",
        "without calls and messages 不用通话和短信",
        "reputations by formula, not learned 信誉按公式计算而非学习",
        "trained and scored at midnight only 只在零点训练和判断",
        "today's rule 现行规则",
    ]
    assert len(lines(tables["policies"].split("By the truth")[0])) == 1 + 2 * 14
    kinds = lines(tables["types"].split("By the truth")[0])
    assert kinds[0] == ["", "losses", "1d", "12h"]
    assert sum(int(line[1]) for line in kinds[1:] if line[1]) == len(
        variant(studied, "clocks", "12h").by_cases.losses
    )
    true_rate = lines(tables["true_rate"])
    assert [line[0] for line in true_rate] == ["budget", "12", "23", "40", "85"]
    assert all(float(line[1]) <= float(line[0]) for line in true_rate[1:])
    for table in tables.values():
        assert all(
            len(line) == len(lines(side)[0])
            for side in table.split("By the truth")[1:]
            for line in lines(side)
        )


def test_a_page_of_its_own_names_nobody(studied, tmp_path):
    page = write_experiments(studied, tmp_path / "new" / "own.md").read_text(encoding="utf-8")
    people = variant(studied, "policies", "budget_40").by_cases.alerts["person"]
    assert page.count("alerts a day, every 12h") == 6
    assert not any(person in page for person in people)


def test_only_places_of_what_was_studied_are_filled(studied, tmp_path):
    clocks = replace(studied, results=studied.of("clocks")[:2])
    book = tmp_path / "book.md"
    other = "words\n<!-- study: policies -->\nkept\n<!-- end -->\n"
    book.write_text(f"# Ours\n<!-- study: clocks -->\nold\n<!-- end -->\n{other}", encoding="utf-8")
    once = write_experiments(clocks, book).read_text(encoding="utf-8")
    assert (
        once == f"# Ours\n<!-- study: clocks -->\n{experiment_tables(clocks)['clocks']}\n"
        f"<!-- end -->\n{other}"
    )
    assert write_experiments(clocks, book).read_text(encoding="utf-8") == once


def test_machines_get_every_result(studied):
    results = result_rows(studied)
    assert len(results) == 4 + 5 + 7 + 29
    assert results[0] | {"cases": 0, "truth": 0} == {
        "table": "clocks", "name": "1d", "every": "1d", "by": "model", "cases": 0, "truth": 0,
    }  # fmt: skip
    assert results[1]["by"] == "rule"


def test_the_command_compares_what_it_is_asked_for(district, tmp_path, monkeypatch):
    monkeypatch.setenv("FORESTALL_TRAINING__ROUNDS", "5")
    monkeypatch.setenv("FORESTALL_TRAINING__NEGATIVE_SAMPLES", "1000")
    arguments = [
        "study",
        "--home",
        str(district.home),
        "--from",
        "2026-06-24",
        "--to",
        "2026-06-26",
        "--clocks",
        "1d",
    ]
    out = tmp_path / "tables.md"
    found = CliRunner().invoke(
        cli.app, [*arguments, "--ablations", "none", "--no-policies", "--out", str(out)]
    )
    assert found.exit_code == 0, found.output
    assert out.read_text(encoding="utf-8") in found.stdout
    assert [line[0] for line in lines(out.read_text(encoding="utf-8"))][:2] == ["", "1d"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"ablations": ("tea",)}, "tea"),
        ({"levers": ("crowbar",)}, "no lever 'crowbar'"),
        ({"clocks": ("7m",)}, "7m"),
        ({"end": FROM}, "ends before"),
    ],
)
def test_what_cannot_be_studied_is_said_at_once(district, changed, message):
    with pytest.raises(SettingsError, match=message):
        run_experiments(district, **ASKED | changed)


def test_differences_carry_their_sign_and_no_negative_zero():
    assert format_figure(0.123, sign="+") == "+0.12"
    assert format_figure(-0.001) == "0.00"
    assert format_figure(None) == "–"
