"""Compare the learner for numbers with published results: read, cross-validate, tabulate.

Run it with ``python -m tests.benchmarks.prove_numbers FOLDER``.
"""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt
import polars as pl
import typer
from scipy import sparse

from data_contracts.errors import DeliveryError
from pipelines.cli.printing.terminal import print_json, print_table, progress_printer
from tests.benchmarks.subscribers import (
    OURS,
    UNTUNED,
    FoldFigures,
    Recipe,
    Subscribers,
    cross_validate,
    symmetric_graph,
    widest_gap,
)

__all__ = [
    "LIFETIME",
    "LIFETIME_AND_PROXIES",
    "PUBLISHED",
    "MeasuredRow",
    "Proof",
    "printable_rows",
    "prove_numbers",
    "read_subscribers",
]

TABLE, EDGES = "all_feat_with_label.csv", "node_adj_sparse.npz"
PERSON, LABEL = "phone_no_m", "label"
SOURCE = "The files are in the public repository shengfangstudy/GAT-COBO, folder data/Sichuan."

LIFETIME: Final = ("month_ids",)
# flow_sum / flow_month is month_ids to the digit; the others spell out, or are missing by, the
# number of monthly bills.
LIFETIME_AND_PROXIES: Final = (
    *LIFETIME,
    "flow_month",
    "arpu_sum",
    "arpu_var",
    "arpu_sem",
    "arpu_skew",
)

PUBLISHED: Final = (  # in the form of the printed rows
    ("all", "yes", "networks*", "0.945–0.951", "0.913–0.921", "–"),
    ("all", "no", "boosting*", "0.955", "0.916", "–"),
)


command = typer.Typer()


@dataclass(frozen=True)
class MeasuredRow:
    """Means over all folds; ``…_sd`` is the standard deviation from fold to fold."""

    columns: str
    graph: bool
    model: str
    auc: float
    auc_sd: float
    macro_f1: float
    macro_f1_sd: float
    macro_f1_at_half: float


@dataclass(frozen=True)
class Proof:
    """The rows measured here and, beside them, what others have measured.

    Two figures say how much of ``month_ids`` is left when it is dropped: ``lifetime_from_flow`` is
    the share of the filled rows in which flow_sum / flow_month gives it back; joined subscribers
    differ by ``lifetime_gap`` at most.
    """

    subscribers: int
    frauds: int
    folds: int
    lifetime_from_flow: float
    lifetime_gap: float
    rows: tuple[MeasuredRow, ...]
    published: tuple[tuple[str, ...], ...] = PUBLISHED


@dataclass(frozen=True)
class _Setting:
    columns: str
    dropped: tuple[str, ...]
    graph: bool


# Joined subscribers have nearly the same lifetime: the graph is a proxy too, so the last setting
# has none.
SETTINGS: Final = (
    _Setting("all", (), graph=False),
    _Setting("all", (), graph=True),
    _Setting("no month_ids", LIFETIME, graph=False),
    _Setting("no month_ids", LIFETIME, graph=True),
    _Setting("nor proxies", LIFETIME_AND_PROXIES, graph=False),
)


def prove_numbers(
    folder: Path,
    *,
    seed: int = 0,
    repeats: int = 1,
    with_graph: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> Proof:
    """Cross-validate untuned boosting and ours on the subscribers in ``folder``, ``repeats`` times
    with other folds.

    Without graph, the settings that use it are left out; they take more than half of the time.
    Raises ``DeliveryError`` if a file is missing, cannot be read, or does not hold what it must.
    """
    subscribers = read_subscribers(folder)
    rows = []
    for setting in (one for one in SETTINGS if with_graph or not one.graph):
        seen = subscribers.without(setting.dropped)
        for recipe in (UNTUNED, OURS):
            figures = [
                one
                for turn in range(repeats)
                for one in cross_validate(
                    seen, recipe=recipe, with_graph=setting.graph, seed=seed + turn
                )
            ]
            rows.append(_row(setting, recipe, figures))
            progress(_progress_line(rows[-1]))
    return Proof(
        subscribers=len(subscribers.fraud),
        frauds=int(subscribers.fraud.sum()),
        folds=len(figures),
        lifetime_from_flow=_lifetime_from_flow(subscribers),
        lifetime_gap=widest_gap(_column(subscribers, "month_ids"), subscribers.graph),
        rows=tuple(rows),
    )


def read_subscribers(folder: Path) -> Subscribers:
    """The subscribers of a folder: a table with a label, and a graph whose rows stand in the
    table's order.
    """
    table = _read_table(folder / TABLE)
    edges = _read_edges(folder / EDGES)
    if edges.shape != (len(table), len(table)):
        raise DeliveryError(
            f"{folder / EDGES} joins {edges.shape[0]} rows with {edges.shape[1]}, "
            f"but {TABLE} has {len(table)}.",
            remedy="Take both files from the same release.",
        )
    names = tuple(name for name in table.columns if name not in (PERSON, LABEL))
    return Subscribers(
        features=table.select(names).to_numpy().astype(np.float64),
        names=names,
        fraud=table[LABEL].to_numpy() == 1,
        graph=symmetric_graph(edges),
    )


def _read_table(path: Path) -> pl.DataFrame:
    _must_exist(path)
    try:
        table = pl.read_csv(path, infer_schema_length=None)
        missing = [
            name for name in (PERSON, LABEL, *LIFETIME_AND_PROXIES) if name not in table.columns
        ]
        if missing:
            raise DeliveryError(f"{path} lacks the columns {', '.join(missing)}.", remedy=SOURCE)
        table = table.with_columns(pl.exclude(PERSON).cast(pl.Float64).fill_null(float("nan")))
    except pl.exceptions.PolarsError as error:
        raise DeliveryError(
            f"{path} is not a table of numbers with a header.", remedy=SOURCE
        ) from error
    _check_labels(path, table[LABEL])
    return table


def _check_labels(path: Path, labels: pl.Series) -> None:
    strange = (~labels.is_in([0.0, 1.0])).arg_true()
    if len(strange):
        raise DeliveryError(
            f"{path}, row {strange[0] + 2}: the label is neither 0 nor 1.",
            remedy="Correct the row.",
        )
    if min((labels == 0).sum(), (labels == 1).sum()) < 25:
        raise DeliveryError(
            f"{path} has fewer than 25 subscribers of a kind.",
            remedy="Five folds within five folds need more.",
        )


def _read_edges(path: Path) -> sparse.coo_array:
    _must_exist(path)
    try:
        return sparse.coo_array(sparse.load_npz(path))
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise DeliveryError(
            f"{path} is not a sparse matrix as SciPy saves it.", remedy=SOURCE
        ) from error


def _must_exist(path: Path) -> None:
    if not path.is_file():
        raise DeliveryError(f"{path} is not there.", remedy=SOURCE)


def _column(subscribers: Subscribers, name: str) -> npt.NDArray[np.float64]:
    return subscribers.features[:, subscribers.names.index(name)]


def _lifetime_from_flow(subscribers: Subscribers) -> float:
    monthly = _column(subscribers, "flow_month")
    filled = monthly > 0
    if not filled.any():
        return 0.0
    months = _column(subscribers, "flow_sum")[filled] / monthly[filled]
    return float(np.isclose(months, _column(subscribers, "month_ids")[filled]).mean())


def _row(setting: _Setting, recipe: Recipe, figures: list[FoldFigures]) -> MeasuredRow:
    auc = np.array([one.auc for one in figures])
    macro_f1 = np.array([one.macro_f1 for one in figures])
    return MeasuredRow(
        columns=setting.columns,
        graph=setting.graph,
        model=recipe.name,
        auc=float(auc.mean()),
        auc_sd=float(auc.std(ddof=1)),
        macro_f1=float(macro_f1.mean()),
        macro_f1_sd=float(macro_f1.std(ddof=1)),
        macro_f1_at_half=float(np.mean([one.macro_f1_at_half for one in figures])),
    )


def _progress_line(row: MeasuredRow) -> str:
    graph = "with graph" if row.graph else "features alone"
    return f"{row.columns}, {graph}, {row.model}: AUC {row.auc:.4f}, macro-F1 {row.macro_f1:.4f}"


def printable_rows(proof: Proof) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Headings and rows for the terminal; ± is the standard deviation from fold to fold."""
    headings = ("columns", "graph", "model", "AUC", "macro-F1", "at 0.5")
    measured = [
        (
            row.columns,
            "yes" if row.graph else "no",
            row.model,
            f"{row.auc:.4f} ± {row.auc_sd:.3f}",
            f"{row.macro_f1:.4f} ± {row.macro_f1_sd:.3f}",
            f"{row.macro_f1_at_half:.4f}",
        )
        for row in proof.rows
    ]
    return headings, [*measured, *proof.published]


@command.command()
def main(
    folder: Path,
    seed: int = 0,
    repeats: Annotated[
        int, typer.Option(min=1, help="Cross-validate so often, each time with other folds.")
    ] = 1,
    graph: Annotated[
        bool, typer.Option(help="With the settings that use the graph: most of the time.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Compare the learner for numbers with published results on Sichuan's subscribers in FOLDER."""
    proof = prove_numbers(
        folder, seed=seed, repeats=repeats, with_graph=graph, progress=progress_printer(as_json)
    )
    if as_json:
        print_json(proof)
        return
    print_table(*printable_rows(proof))
    typer.echo(
        "* measured by others; ± from fold to fold\n"
        f"{proof.subscribers:,} subscribers, {proof.frauds:,} fraudulent, in {proof.folds} folds\n"
        f"flow_sum / flow_month is month_ids in {proof.lifetime_from_flow:.0%} of the rows "
        "that have it; "
        f"the month_ids of joined subscribers differ by at most {proof.lifetime_gap:.0f}"
    )


if __name__ == "__main__":
    command()
