"""The tables of experiments in Markdown, and the page they are written to."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import polars as pl

from data_contracts.pages.markdown import markdown_table
from models.evaluation.alert_metrics import (
    RATIOS,
    JudgedAlerts,
    compute_metrics,
    metric_intervals,
    metrics_by_scam_type,
)
from models.evaluation.bootstrap import Interval, Resamples, percentile_interval
from models.learning.ablations import PARTS
from pipelines.backtesting.experiments import Experiments
from pipelines.backtesting.true_rate import change_table as true_rate_change_table
from pipelines.backtesting.true_rate import composition_table
from pipelines.backtesting.variants import FULL, Variant
from serving.presentation.wording import scam_type_name

__all__ = ["experiment_tables", "experiments_markdown", "write_experiments"]

MeasuredVariants = Sequence[tuple[Variant, JudgedAlerts]]
TABLE_PLACE = re.compile(r"<!-- study: (?P<name>\w+) -->.*?<!-- end -->", re.DOTALL)

HEADINGS: Mapping[str, str] = {
    "alerts_per_day": "alerts a day",
    "precision_a": "precision a",
    "precision": "precision b",
    "precision_c": "precision c",
    "coverage": "coverage",
    "coverage_traced": "traced",
    "money": "money",
    "lead_h_median": "lead, h",
    "lead_1h_share": "lead ≥ 1 h",
}
DECIDING_FIGURES = (
    "precision",
    "coverage",
    "money",
)  # the figures that get an interval, or a change against the full model
POLICIES: Mapping[str, str] = {
    "as_set": "as set here 现行设置",
    "by_probability": "ranked by probability 按概率排序",
    "by_saving": "ranked by expected saving 按预计挽回金额排序",
    "no_carry": "nothing saved for busy days 不留余额给忙日",
    "first_come": "whoever comes first 先到先得",
    "spend_more": "a lower threshold, so that quiet days are used 降低门槛以用足名额",
    "with_texts": "and twenty texts for each alert 每条预警另发二十条短信",
    "cool_down_24h": "one alert in 24 hours 24 小时内不重复",
    "cool_down_72h": "one alert in 72 hours 72 小时内不重复",
}
OTHER_ABLATIONS: Mapping[str, str] = {
    FULL: "everything 全部输入",
    "hand_written": "reputations by formula, not learned 信誉按公式计算而非学习",
    "outages": "trained with outages 训练时模拟数据中断",
    "nightly": "trained and scored at midnight only 只在零点训练和判断",
    "untuned": "LightGBM's own defaults LightGBM 默认参数",
    "rule": "today's rule 现行规则",
}
LEVER_LABELS: Mapping[str, str] = {
    FULL: "as it is 现状",
    "another_seed": "the same with another seed 换一个随机种子",
    "random_negatives": "negatives drawn at random 随机抽取负样本",
    "two_stages": "negatives mined from four times as many 两阶段挖掘负样本",
    "exposed": "those whom named numbers reached left out 剔除接触过涉案号码的负样本",
    "constrained": "the risk never falls while suspicious things grow 加单调约束",
    "agreement": "calls and payments have to agree 要求通话与转账证据一致",
    "tail": "calibrated on the likeliest alone 仅以高分段校准",
}


def write_experiments(experiments: Experiments, out: Path) -> Path:
    """Write the tables into ``out``, and say where.

    Where the file has places for them, each between ``<!-- study: NAME -->`` and ``<!-- end -->``,
    only these change.
    """
    text = out.read_text(encoding="utf-8") if out.is_file() else ""
    has_places = TABLE_PLACE.search(text) is not None
    tables = experiment_tables(experiments)
    page = (
        TABLE_PLACE.sub(lambda place: fill_place(place, tables), text)
        if has_places
        else experiments_markdown(experiments)
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page, encoding="utf-8")
    return out


def fill_place(place: re.Match[str], tables: Mapping[str, str]) -> str:
    """A place with its table; what was not studied stays as it was."""
    content = tables.get(place["name"])
    return (
        place[0] if content is None else f"<!-- study: {place['name']} -->\n{content}\n<!-- end -->"
    )


def experiments_markdown(experiments: Experiments) -> str:
    """All tables as one Markdown page."""
    return (
        "\n\n".join(
            ("# What clocks, parts and policies bring", *experiment_tables(experiments).values())
        )
        + "\n"
    )


def experiment_tables(experiments: Experiments) -> dict[str, str]:
    """The tables ``clocks``, ``types``, ``ablations``, ``levers`` and ``policies``, as far as they
    were studied.

    Each by the reported cases and, in a simulated district, once more by the truth. There also
    ``true_rate`` and ``levers_true_rate``: what the model gives, and each lever, where fraud is as
    frequent as it truly is.
    """
    tables: dict[str, Callable[[MeasuredVariants], str]] = {
        "clocks": level_table,
        "types": type_table,
        "ablations": change_table,
        "levers": change_table,
        "policies": level_table,
    }
    made = {}
    for name, render in tables.items():
        results = experiments.of("clocks" if name == "types" else name)
        cases = [(one.variant, one.by_cases) for one in results]
        truth = [(one.variant, one.by_truth) for one in results if one.by_truth is not None]
        sides = (("By reported cases", cases), ("By the truth of the simulated district", truth))
        parts = [
            f"{title}, {table_conditions(experiments, name, lines)}:\n\n{render(lines)}"
            for title, lines in sides
            if lines
        ]
        if parts:
            made[name] = "\n\n".join(parts)
    window = f"{experiments.start:%Y-%m-%d} to {experiments.end:%Y-%m-%d}"
    if experiments.levers_at_true_rate is not None:
        made["levers_true_rate"] = (
            f"At the true rate of fraud, 850,000 residents, composed from {window}:\n\n"
            + true_rate_change_table(experiments.levers_at_true_rate, LEVER_LABELS)
        )
    if experiments.at_true_rate is not None:
        made["true_rate"] = (
            f"The model at the true rate of fraud, 850,000 residents, composed from {window}:\n\n"
            + composition_table(experiments.at_true_rate)
        )
    return made


def table_conditions(experiments: Experiments, table: str, lines: MeasuredVariants) -> str:
    """What a table was made under."""
    found = compute_metrics(lines[0][1])
    traced = f", {found.traced} of them traced" if found.traced is not None else ""
    clock = "" if table in ("clocks", "types") else f", every {experiments.every}"
    window = f"{experiments.start:%Y-%m-%d} to {experiments.end:%Y-%m-%d}"
    return f"{window}, {experiments.budget} alerts a day{clock}, {found.losses} losses{traced}"


def level_table(lines: MeasuredVariants) -> str:
    """A line a variant: every figure that exists, the deciding ones with their interval."""
    named = [compute_metrics(judged) for _, judged in lines]
    shown = [name for name in HEADINGS if any(getattr(one, name) is not None for one in named)]
    rows = []
    for (variant, judged), found in zip(lines, named, strict=True):
        spans = metric_intervals(judged)
        cells = [
            format_figure(
                getattr(found, name), spans.get(name) if name in DECIDING_FIGURES else None
            )
            for name in shown
        ]
        rows.append((variant_label(variant), *cells))
    return markdown_table(("", *(HEADINGS[name] for name in shown)), rows, figures=True)


def change_table(lines: MeasuredVariants) -> str:
    """A line a variant: its figures, and how far the deciding ones lie from those of the full
    model.
    """
    full = next(judged for variant, judged in lines if variant.name == FULL)
    named = [compute_metrics(judged) for _, judged in lines]
    shown = [name for name in HEADINGS if any(getattr(one, name) is not None for one in named)]
    rows = []
    for (variant, judged), found in zip(lines, named, strict=True):
        cells = [format_figure(getattr(found, name)) for name in shown]
        changes = [
            "" if judged is full else figure_change(judged, full, name) for name in DECIDING_FIGURES
        ]
        rows.append((variant_label(variant), *cells, *changes))
    return markdown_table(
        (
            "",
            *(HEADINGS[name] for name in shown),
            *(f"Δ {HEADINGS[name]}" for name in DECIDING_FIGURES),
        ),
        rows,
        figures=True,
    )


def type_table(lines: MeasuredVariants) -> str:
    """A line a scam type, for the model and for today's rule; a column a clock: coverage, money,
    hours of lead.
    """
    found = {
        (variant.every, variant.is_rule): metrics_by_scam_type(judged) for variant, judged in lines
    }
    clocks = list(dict.fromkeys(variant.every for variant, _ in lines))
    rows = []
    for scam_type, losses in next(iter(found.values())).select("scam_type", "losses").iter_rows():
        for is_rule in (False, True):
            kind = f"{scam_type_name(scam_type, 'en')} {scam_type_name(scam_type, 'zh')}"
            named = "&nbsp;&nbsp;today's rule 现行规则" if is_rule else kind
            cells = (type_cell(found[clock, is_rule], scam_type) for clock in clocks)
            rows.append((named, "" if is_rule else str(losses), *cells))
    return markdown_table(("", "losses", *clocks), rows, figures=True)


def type_cell(types: pl.DataFrame, scam_type: str) -> str:
    """Coverage, money and lead of one type at one clock."""
    (found,) = (
        types.filter(pl.col("scam_type") == scam_type)
        .select("coverage", "money", "lead_h_median")
        .iter_rows()
    )
    coverage, money, lead_h = found
    lead = "–" if lead_h is None else f"{lead_h:.1f} h"
    return f"{format_figure(coverage)} · {format_figure(money)} · {lead}"


def figure_change(judged: JudgedAlerts, full: JudgedAlerts, name: str) -> str:
    """The difference of a figure, with the interval that chance leaves to it: the same people drawn
    for both.
    """
    ratio = RATIOS[name]
    here, there = ratio.value(ratio.rows(judged)), ratio.value(ratio.rows(full))
    if here is None or there is None:
        return "–"
    people = pl.concat(
        [side["person"] for one in (judged, full) for side in (one.alerts, one.losses)]
    )
    resamples = Resamples(people)
    drawn = ratio.resample(ratio.rows(judged), resamples) - ratio.resample(
        ratio.rows(full), resamples
    )
    return format_figure(here - there, percentile_interval(drawn), sign="+")


def format_figure(value: float | None, span: Interval | None = None, *, sign: str = "") -> str:
    """A figure of a table, with its interval."""
    if value is None:
        return "–"
    form = f"{sign}z.2f"  # z: no minus before what rounds to zero
    return (
        f"{value:{form}} ({span.low:{form}} to {span.high:{form}})" if span else f"{value:{form}}"
    )


def variant_label(variant: Variant) -> str:
    """What a variant is called in its table."""
    if variant.table == "ablations":
        if variant.name in PARTS:
            part = PARTS[variant.name]
            return f"without {part.en} 不用{part.zh}"
        return OTHER_ABLATIONS[variant.name]
    if variant.table == "levers":
        return LEVER_LABELS[variant.name]
    budget = f"{variant.rules.budget} alerts a day 每天 {variant.rules.budget} 条"
    name = variant.name if variant.table == "clocks" else POLICIES.get(variant.name, budget)
    return f"{name}: today's rule 现行规则" if variant.is_rule else name
