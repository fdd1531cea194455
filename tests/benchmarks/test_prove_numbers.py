"""The command that compares the learner with published results, on a small folder of that form."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import sparse
from typer.testing import CliRunner

from data_contracts.errors import DeliveryError
from tests.benchmarks.prove_numbers import (
    EDGES,
    LIFETIME_AND_PROXIES,
    TABLE,
    command,
    read_subscribers,
)
from tests.benchmarks.subscribers import OURS

PEOPLE = 160


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    fraud = rng.random(PEOPLE) < 0.35
    months = np.where(fraud, 1, rng.integers(1, 9, PEOPLE))
    flow = rng.gamma(2.0, 50.0, PEOPLE)
    columns = {
        "phone_no_m": [f"hash{row}" for row in range(PEOPLE)],
        "opposite_count": rng.poisson(np.where(fraud, 900, 300)),
        "sms_count": rng.poisson(np.where(fraud, 100, 200)),
        "flow_sum": flow,
        "month_ids": months,
        "flow_month": flow / months,
        **{
            name: rng.gamma(2.0, 30.0, PEOPLE)
            for name in ("arpu_sum", "arpu_var", "arpu_sem", "arpu_skew")
        },
        "label": fraud.astype(int),
    }
    table = pl.DataFrame(columns).with_columns(
        sms_count=pl.when(pl.col("sms_count") > 60).then("sms_count")
    )
    table.write_csv(tmp_path / TABLE)
    edges = np.tril(rng.random((PEOPLE, PEOPLE)) < np.where(fraud[:, None] == fraud, 0.1, 0.02), -1)
    sparse.save_npz(tmp_path / EDGES, sparse.csr_matrix(edges.astype(np.int32)))
    return tmp_path


def rewrite(folder: Path, *changes: pl.Expr, dropped: str = "") -> None:
    table = pl.read_csv(folder / TABLE).with_columns(*changes)
    (table.drop(dropped) if dropped else table).write_csv(folder / TABLE)


@pytest.mark.training
def test_the_command_prints_all_rows_and_the_published_ones(folder, monkeypatch):
    for parameters in OURS.boosters:
        monkeypatch.setitem(parameters, "n_estimators", 30)
    result = CliRunner().invoke(command, [str(folder), "--json"], catch_exceptions=False)
    proof = json.loads(result.stdout)
    assert (proof["subscribers"], proof["folds"]) == (PEOPLE, 5)
    assert proof["lifetime_from_flow"] == 1.0
    assert 1 <= proof["lifetime_gap"] <= 7
    assert [(row["columns"], row["graph"], row["model"]) for row in proof["rows"]] == [
        (columns, graph, model)
        for columns, graph in (
            ("all", False),
            ("all", True),
            ("no month_ids", False),
            ("no month_ids", True),
            ("nor proxies", False),
        )
        for model in ("untuned", "ours")
    ]
    assert all(row["auc"] > 0.95 and 0.8 < row["macro_f1"] <= 1 for row in proof["rows"])
    assert proof["published"][0][3] == "0.945–0.951"


@pytest.mark.training
def test_the_printed_table_fits_a_terminal_and_leaves_the_graph_out_when_told(folder, monkeypatch):
    for parameters in OURS.boosters:
        monkeypatch.setitem(parameters, "n_estimators", 30)
    result = CliRunner().invoke(command, [str(folder), "--no-graph"], catch_exceptions=False)
    lines = result.stdout.splitlines()
    assert max(map(len, lines[:12])) <= 80
    assert [" ".join(line.split()[:3]) for line in lines if " ours " in line] == [
        "all no ours",
        "no month_ids no",
        "nor proxies no",
    ]
    assert any("networks*" in line and "0.945–0.951" in line for line in lines)


def test_what_is_read(folder):
    found = read_subscribers(folder)
    assert "label" not in found.names
    assert "phone_no_m" not in found.names
    assert found.features.shape == (PEOPLE, len(found.names))
    assert (found.graph != found.graph.T).nnz == 0
    assert set(found.without(LIFETIME_AND_PROXIES).names) == {
        "opposite_count",
        "sms_count",
        "flow_sum",
    }


@pytest.mark.parametrize("name", [TABLE, EDGES])
def test_a_missing_or_broken_file_is_named(folder, name):
    (folder / name).write_bytes(b"\x00not what it should be")
    with pytest.raises(DeliveryError, match=name):
        read_subscribers(folder)
    (folder / name).unlink()
    with pytest.raises(DeliveryError, match=f"{name} is not there") as caught:
        read_subscribers(folder)
    assert "shengfangstudy/GAT-COBO" in caught.value.remedy


def test_a_missing_column_is_named(folder):
    rewrite(folder, dropped="month_ids")
    with pytest.raises(DeliveryError, match=r"lacks the columns month_ids\."):
        read_subscribers(folder)


def test_a_word_among_the_figures_is_refused(folder):
    rewrite(folder, pl.lit("many").alias("sms_count"))
    with pytest.raises(DeliveryError, match="not a table of numbers"):
        read_subscribers(folder)


def test_a_label_that_is_no_label_is_named_by_its_row(folder):
    rewrite(folder, pl.when(pl.int_range(pl.len()) == 4).then(7).otherwise("label").alias("label"))
    with pytest.raises(DeliveryError, match="row 6: the label"):
        read_subscribers(folder)


def test_too_few_frauds_are_refused(folder):
    rewrite(folder, pl.lit(0).alias("label"))
    with pytest.raises(DeliveryError, match="fewer than 25"):
        read_subscribers(folder)


def test_a_graph_of_another_size_is_refused(folder):
    sparse.save_npz(folder / EDGES, sparse.csr_matrix((PEOPLE + 1, PEOPLE + 1), dtype=np.int32))
    with pytest.raises(DeliveryError, match="161 rows with 161"):
        read_subscribers(folder)
