"""A replay of a simulated district full of fraud, and what its model gives at the true rate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from data_contracts.errors import DeliveryError, SettingsError
from data_contracts.pages.markdown import markdown_table
from models.evaluation.true_rate.composition import (
    COMPOSED_BUDGETS,
    TrueRates,
    compose_scam_types,
    compose_true_rate,
)
from models.evaluation.true_rate.dense_replay import NO_HOLD
from pipelines.backtesting.truth import check_people, read_revealed_truth, read_stories
from pipelines.backtesting.window import check_window
from pipelines.settings import Settings
from pipelines.storage.lake_schemas import MOMENT
from serving.presentation.wording import scam_type_name

__all__ = [
    "Composition",
    "change_table",
    "compose_replay",
    "composition_table",
    "scam_type_table",
]

SHARES = {
    "precision_a": "precision a",
    "precision": "precision b",
    "precision_c": "precision c",
    "coverage": "coverage",
    "money": "money",
}


@dataclass(frozen=True, eq=False)
class Composition:
    """A row a budget and, where it was asked for, a row a scam type and budget."""

    budgets: pl.DataFrame
    scam_types: pl.DataFrame | None = None


def compose_replay(
    scores: Path,
    truth: Path,
    *,
    settings: Settings,
    start: datetime,
    end: datetime,
    people: int,
    rates: TrueRates,
    budgets: Sequence[int] = COMPOSED_BUDGETS,
    hold: timedelta = NO_HOLD,
    by_type: bool = False,
    seed: int = 0,
) -> Composition:
    """What ``models.evaluation.true_rate.composition`` makes of a replay's ``scores``, or of its
    alerts, and the truth of its simulated district; the scam types only if asked for ``by_type``.

    Persons are the pseudonyms of the home, or ID numbers in a file that was written with
    ``--reveal``. Raises ``DeliveryError`` for a file that cannot be read so, and for the truth of
    another district.
    """
    check_composition(start=start, end=end, budgets=budgets)
    known = read_scores(scores).drop_nulls()
    if "id_number" in known.columns:
        episodes = read_revealed_truth(truth)
        known = known.rename({"id_number": "person"})
    else:
        episodes = read_stories(truth, settings=settings)
    check_people(episodes, known["person"], file=truth)
    rows = known.select("person", "issued_at", "score")
    composed = compose_true_rate(
        rows,
        episodes,
        start=start,
        end=end,
        people=people,
        rates=rates,
        budgets=budgets,
        hold=hold,
        seed=seed,
    )
    if not by_type:
        return Composition(composed)
    return Composition(
        composed,
        compose_scam_types(
            composed, rows, episodes, start=start, end=end, people=people, hold=hold, seed=seed
        ),
    )


def check_composition(*, start: datetime, end: datetime, budgets: Sequence[int]) -> None:
    """Raise ``SettingsError`` for what cannot be composed, at once."""
    check_window(start=start, end=end)
    if not budgets or min(budgets) < 1:
        raise SettingsError(
            "a budget is at least one alert a day", remedy="Give --budgets such as 12,23,40,85."
        )


def read_scores(file: Path) -> pl.DataFrame:
    """``person`` or ``id_number``, ``issued_at`` and ``score`` of what a replay has written."""
    try:
        rows = pl.read_csv(file) if file.suffix == ".csv" else pl.read_parquet(file)
        rows = rows.rename({"at": "issued_at"}, strict=False)
        if rows.schema["issued_at"] == pl.String():
            rows = rows.with_columns(pl.col("issued_at").str.to_datetime(time_zone="Asia/Shanghai"))
        (who,) = {"person", "id_number"} & set(rows.columns)
        return rows.select(who, pl.col("issued_at").cast(MOMENT), pl.col("score").cast(pl.Float64))
    except (OSError, KeyError, ValueError, pl.exceptions.PolarsError) as error:
        raise DeliveryError(
            f"{file.name} cannot be read as the scores or the alerts of a replay",
            remedy="Give the file of `forestall replay --scores` or --out.",
        ) from error


def composition_table(composed: pl.DataFrame) -> str:
    """A line a budget, in Markdown: shares with their 90 % intervals."""
    rows = [
        (
            f"{row['budget']}",
            f"{row['alerts_per_day']:.1f}",
            f"{row['threshold']:.3f}",
            _false_alerts(row["innocent_per_100k"], row["innocent_bound_per_100k"]),
            *(_share(row[name], row[f"{name}_low"], row[f"{name}_high"]) for name in SHARES),
            f"{row['losses']}",
        )
        for row in composed.iter_rows(named=True)
    ]
    heads = ("budget", "alerts a day", "from", "false per 100,000 and day", *SHARES.values())
    return markdown_table((*heads, "losses"), rows, figures=True)


def change_table(changes: pl.DataFrame, names: Mapping[str, str]) -> str:
    """A line a name and budget, in Markdown: its figures, and how far the deciding ones lie from
    those of the first name, with 90 % intervals.
    """
    rows = [
        (
            names[row["name"]],
            f"{row['budget']}",
            *(_share(row[figure], None, None) for figure in SHARES),
            *(_change(row, figure) for figure in ("precision_a", "coverage", "money")),
        )
        for row in changes.iter_rows(named=True)
    ]
    heads = ("", "alerts a day", *SHARES.values(), "Δ precision a", "Δ coverage", "Δ money")
    return markdown_table(heads, rows, figures=True)


def scam_type_table(composed: pl.DataFrame) -> str:
    """A line a scam type, in Markdown: its coverage at each budget with the 90 % interval."""
    budgets = composed["budget"].unique(maintain_order=True).to_list()
    rows = [
        (
            scam_type_name(str(scam_type), "en"),
            f"{of_type['losses'][0]}",
            f"{of_type['traced'][0]}",
            *(
                _share(row["coverage"], row["coverage_low"], row["coverage_high"])
                for row in of_type.iter_rows(named=True)
            ),
        )
        for (scam_type,), of_type in composed.group_by("scam_type", maintain_order=True)
    ]
    heads = ("scam type", "losses", "traced", *(f"coverage at {budget}" for budget in budgets))
    return markdown_table(heads, rows, figures=True)


def _false_alerts(rate: float, bound: float | None) -> str:
    return f"{rate:.2f}" if bound is None else f"none, under {bound:.2f}"


def _change(row: Mapping[str, float | None], figure: str) -> str:
    change, low, high = (row[f"{figure}_change{end}"] for end in ("", "_low", "_high"))
    if change is None or low is None or high is None:
        return "–"
    return f"{change:+z.2f} ({low:+z.2f} to {high:+z.2f})"


def _share(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" + ("" if low is None else f" ({low:.2f} to {high:.2f})")
