"""The evaluation report: one self-contained page that says how good the warnings were, for whom,
and how sure that is.

Chinese first, English beside it. Only aggregates stand in it, no single person.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from models.evaluation.alert_metrics import (
    AlertMetrics,
    JudgedAlerts,
    compute_metrics,
    metric_intervals,
    metrics_by_scam_type,
)
from models.evaluation.bootstrap import Interval
from models.evaluation.drift import Drift
from models.evaluation.stability import Stability, describe_stability
from models.reports.charts import calibration_chart, daily_budget_chart, group_chart

__all__ = ["EvaluationReport", "render_evaluation_report"]

TEMPLATE = "evaluation_report.html.j2"
UNMEASURED = "未测 not measured"
NO_INTERVAL = ("alerts_per_day", "losses", "traced")
METRIC_WORDS: Mapping[str, str] = {
    "alerts_per_day": "每日预警数 alerts a day",
    "precision_a": "准确率甲 precision, tier a",
    "precision": "准确率乙 precision, tier b",
    "precision_c": "准确率丙 precision, tier c",
    "coverage": "覆盖率 coverage",
    "coverage_traced": "有迹可循的覆盖率 coverage of traced losses",
    "money": "尚未付出的资金 money still unpaid",
    "lead_h_median": "提前量中位数（小时） median lead, hours",
    "lead_1h_share": "提前一小时以上 lead of an hour or more",
    "losses": "已报案受损 reported losses",
    "traced": "其中有迹可循 of them traced",
}
ATTRIBUTE_WORDS = {
    "residency": "户籍 residency",
    "sex": "性别 sex",
    "age_band": "年龄 age",
    "data_seen": "数据 data seen",
}
GROUP_METRIC_WORDS = {
    "precision": "准确 precision",
    "coverage": "覆盖 coverage",
    "lead_h_median": "提前 lead (h)",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class EvaluationReport:
    """What a report is made of; what is None or empty was not measured, and its section is left
    out.

    ``model`` and ``rule`` were judged over the same ``start`` to ``end`` at the same ``budget``; a
    replay was asked ``every`` so often. ``groups`` is of
    ``models.evaluation.fairness.metrics_by_group``, ``budgets`` of
    ``models.evaluation.budget_curve.compute_budget_curve``, ``calibration`` of
    ``models.evaluation.diagnostics.calibration_bins``.
    """

    start: datetime
    end: datetime
    budget: int
    model: JudgedAlerts
    every: str = ""
    rule: JudgedAlerts | None = None
    groups: pl.DataFrame | None = None
    budgets: pl.DataFrame | None = None
    calibration: pl.DataFrame | None = None
    stability: Stability | None = None
    drift: Drift | None = None
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading, a few words, at most one table and one picture."""

    zh: str
    en: str
    words: tuple[str, ...] = ()  # Chinese, then English
    headings: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    svg: str = ""


def render_evaluation_report(evaluation: EvaluationReport) -> str:
    """The report as one HTML page with its pictures in it."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(
        evaluation=evaluation, sections=list(report_sections(evaluation))
    )


def report_sections(evaluation: EvaluationReport) -> Iterator[Section]:
    """The sections that something was measured for, in order."""
    yield metrics_section(evaluation)
    yield scam_types_section(evaluation.model)
    if evaluation.groups is not None and len(evaluation.groups):
        yield groups_section(evaluation.groups)
    if evaluation.budgets is not None and len(evaluation.budgets):
        yield budgets_section(evaluation.budgets)
    if evaluation.calibration is not None and len(evaluation.calibration):
        yield calibration_section(evaluation.calibration)
    if evaluation.stability is not None:
        yield stability_section(evaluation.stability)
    if evaluation.drift is not None:
        yield drift_section(evaluation.drift)


def metrics_section(evaluation: EvaluationReport) -> Section:
    """Model beside rule, with intervals."""
    judged = {"系统 system": evaluation.model, "现行规则 today's rule": evaluation.rule}
    columns = {
        name: (compute_metrics(one), metric_intervals(one))
        for name, one in judged.items()
        if one is not None
    }
    rows = [
        (words, *(_figure(name, *column) for column in columns.values()))
        for name, words in METRIC_WORDS.items()
    ]
    return Section(
        zh="总体",
        en="Overall",
        words=(
            "括号内为 90% 区间：仅凭偶然，数字也可能落在其中。",
            "In brackets the 90 % interval: so far chance alone could carry a figure.",
        ),
        headings=("", *columns),
        rows=rows,
    )


def scam_types_section(judged: JudgedAlerts) -> Section:
    """One row a scam type."""
    rows = [
        (
            row["scam_type"],
            str(row["losses"]),
            _share(row["coverage"], _span(row["low"], row["high"])),
            _share(row["coverage_traced"]),
            _share(row["money"]),
            _hours(row["lead_h_median"]),
            _share(row["lead_1h_share"]),
        )
        for row in metrics_by_scam_type(judged).iter_rows(named=True)
    ]
    headings = (
        "类型 type",
        "受损 losses",
        "覆盖 coverage",
        "有迹 traced",
        "资金 money",
        "提前 lead (h)",
        "≥1 h",
    )
    return Section(zh="按诈骗类型", en="By scam type", headings=headings, rows=rows)


def groups_section(groups: pl.DataFrame) -> Section:
    """One row a group and figure, with its gap to everybody else."""
    rows = []
    for row in groups.iter_rows(named=True):
        shown = _hours if row["figure"] == "lead_h_median" else _share
        rows.append(
            (
                ATTRIBUTE_WORDS.get(row["attribute"], row["attribute"]),
                row["group"],
                GROUP_METRIC_WORDS[row["figure"]],
                str(row["count"]),
                shown(row["value"], _span(row["low"], row["high"])),
                _gap(row["gap"], _span(row["gap_low"], row["gap_high"])),
            )
        )
    return Section(
        zh="按人群",
        en="By group",
        words=(
            "差距为本组减其余所有人，单位为百分点（提前量为小时）；区间含 0 时，偶然即可解释。"
            "户籍与性别只用于衡量，从不作为模型输入。",
            "A gap is the group minus everybody else, in points (lead: hours); where its interval "
            "holds 0, chance "
            "explains it. Residency and sex are only measured by, never an input.",
        ),
        headings=("", "组 group", "指标 figure", "数 n", "值 value", "差距 gap"),
        rows=rows,
        svg=group_chart(groups),
    )


def budgets_section(budgets: pl.DataFrame) -> Section:
    """What each daily budget buys."""
    rows = [
        (
            str(row["budget"]),
            f"{row['alerts_per_day']:.1f}",
            _share(row["precision"]),
            _share(row["coverage"]),
            _share(row["money"]),
            _hours(row["lead_h_median"]),
        )
        for row in budgets.iter_rows(named=True)
    ]
    headings = (
        "预算 budget",
        "每日 a day",
        "准确 precision",
        "覆盖 coverage",
        "资金 money",
        "提前 lead (h)",
    )
    return Section(
        zh="每日预算",
        en="Daily budgets",
        words=("每天多看几条预警，能多救多少人。", "What more alerts a day would buy."),
        headings=headings,
        rows=rows,
        svg=daily_budget_chart(budgets),
    )


def calibration_section(bins: pl.DataFrame) -> Section:
    """Promised against found."""
    return Section(
        zh="概率是否可信",
        en="Do the probabilities hold?",
        words=(
            "点在虚线上，说明给出的概率与实际相符。",
            "Where points lie on the dashed line, promises hold.",
        ),
        svg=calibration_chart(bins),
    )


def stability_section(stability: Stability) -> Section:
    """How steady reasons are between two trainings."""
    rows = [
        ("比较的预警 alerts compared", str(stability.rows)),
        (
            "前三条理由相同的比例 share of common first three reasons",
            _share(stability.reasons_shared),
        ),
        ("特征贡献的秩相关 rank correlation of contributions", _number(stability.rank_correlation)),
        ("结论 in a word", describe_stability(stability)),
    ]
    return Section(
        zh="理由是否稳定",
        en="Are reasons steady?",
        words=(
            "同一批预警，由前后两个模型分别解释。",
            "The same alerts, explained by the model before and after.",
        ),
        headings=("", ""),
        rows=rows,
    )


def drift_section(drift: Drift) -> Section:
    """What moved most since the model learned."""
    rows = [
        tuple("" if cell is None else str(cell) for cell in row.values()) for row in drift.table()
    ]
    return Section(
        zh="数据是否变了",
        en="Has the data moved?",
        words=drift.advice() or ("没有值得注意的变化。", "Nothing that deserves a look."),
        headings=("特征 feature", "PSI", "缺失 missing", "原缺失 missing then", "结论 in a word"),
        rows=rows,
    )


def _figure(name: str, found: AlertMetrics, spans: Mapping[str, Interval]) -> str:
    value = getattr(found, name)
    if value is None:
        return UNMEASURED
    if name in NO_INTERVAL:
        return f"{value:.1f}" if name == "alerts_per_day" else str(value)
    return (_hours if name == "lead_h_median" else _share)(value, spans.get(name))


def _span(low: float | None, high: float | None) -> Interval | None:
    return None if low is None or high is None else Interval(low, high)


def _share(value: float | None, span: Interval | None = None) -> str:
    if value is None:
        return UNMEASURED
    return f"{100 * value:.0f} %" + (
        f" ({100 * span.low:.0f}–{100 * span.high:.0f})" if span else ""
    )


def _hours(value: float | None, span: Interval | None = None) -> str:
    return (
        "–"
        if value is None
        else f"{value:.1f}" + (f" ({span.low:.1f}–{span.high:.1f})" if span else "")
    )


def _gap(value: float | None, span: Interval | None) -> str:
    return (
        "–"
        if value is None
        else f"{value:+.1f}" + (f" ({span.low:+.1f} … {span.high:+.1f})" if span else "")
    )


def _number(value: float | None) -> str:
    return UNMEASURED if value is None else f"{value:.2f}"
