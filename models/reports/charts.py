"""The pictures of a trained model, as SVG: what it looks at, whether its probabilities hold, what a
budget buys.

Drawn without a browser. Only aggregates are drawn, no single person.
"""

from typing import TYPE_CHECKING

import polars as pl

from models.evaluation.diagnostics import (
    calibration_bins,
    out_of_fold_probabilities,
    sample_budget_curve,
)
from models.learning.risk import RiskModel

if TYPE_CHECKING:
    import altair as alt

__all__ = [
    "calibration_chart",
    "daily_budget_chart",
    "draw_charts",
    "group_chart",
    "importance_chart",
    "sample_budget_chart",
    "score_chart",
]

WIDTH, HEIGHT = 560, 300
MODEL, RULE, QUIET, BLUE = "#b3261e", "#5f6b7a", "#9aa5b1", "#1565a8"
TOP_FEATURES = 25
FONT = "Noto Sans CJK SC, Microsoft YaHei, sans-serif"
SHARES = [0, 0.25, 0.5, 0.75]  # the last one would touch the next panel's first
PRECISION, COVERAGE = "准确 precision", "覆盖 coverage"
EPISODE, OTHERS = "受骗 episode", "其余 others"
ATTRIBUTES = {
    "residency": "户籍 residency",
    "sex": "性别 sex",
    "age_band": "年龄 age",
    "data_seen": "数据 records",
}
GROUPS = {
    "local": "本地 local",
    "floating": "流动 floating",
    "F": "女 women",
    "M": "男 men",
    "both": "通话和转账 both",
    "calls only": "只有通话 calls only",
    "transfers only": "只有转账 transfers only",
    "none": "无 none",
    "unknown": "未知 unknown",
}


def draw_charts(
    model: RiskModel, rows: pl.DataFrame, *, groups: pl.DataFrame | None = None
) -> dict[str, str]:
    """All pictures by name, from the training rows of ``models.evaluation.diagnostics`` and, where
    given, figures by group.
    """
    scored = rows.select(
        "label", "sampling_weight", probability=out_of_fold_probabilities(model, rows)
    )
    return {
        "importance": importance_chart(model),
        "calibration": calibration_chart(calibration_bins(scored)),
        "scores": score_chart(scored),
        "budgets": sample_budget_chart(sample_budget_curve(rows)),
        **({} if groups is None else {"groups": group_chart(groups)}),
    }


def importance_chart(model: RiskModel) -> str:
    """The 25 best features by the loss that splitting on them saved, as shares of the whole."""
    import altair as alt

    gain = pl.Series(model.booster.feature_importance(importance_type="gain"), dtype=pl.Float64)
    shares = pl.DataFrame(
        {"feature": model.features, "share": gain / max(float(gain.sum()), 1e-12)}
    )
    best = shares.sort("share", "feature", descending=[True, False]).head(TOP_FEATURES)
    chart = alt.Chart(best).mark_bar(color=MODEL)
    return _svg(
        chart.encode(
            x=alt.X("share:Q", title="占比 share of the gain", axis=alt.Axis(format="%")),
            y=alt.Y("feature:N", sort=None, title=None, axis=alt.Axis(labelLimit=280)),
        ),
        title="模型看什么 What the model looks at",
        height=16 * len(best),
    )


def calibration_chart(bins: pl.DataFrame) -> str:
    """Predicted against observed shares of ``models.evaluation.diagnostics.calibration_bins``; on
    the line, promises hold.
    """
    import altair as alt

    line = alt.Chart(pl.DataFrame({"predicted": [0.0, 1.0], "observed": [0.0, 1.0]})).mark_line(
        strokeDash=[4, 4], color=QUIET
    )
    points = alt.Chart(bins).mark_line(color=MODEL, point=alt.OverlayMarkDef(color=MODEL, size=60))
    share = alt.Axis(format="%")
    return _svg(
        alt.layer(line, points).encode(
            x=alt.X("predicted:Q", title="模型给出的概率 probability promised", axis=share),
            y=alt.Y("observed:Q", title="实际受骗比例 share found in an episode", axis=share),
        ),
        title="概率是否可信 Do the probabilities hold?",
    )


def score_chart(scored: pl.DataFrame) -> str:
    """How probabilities spread over moments in an episode and over all others, each group adding up
    to one.
    """
    import altair as alt

    odds = pl.col("probability").clip(1e-6, 1 - 1e-6)
    step = (odds / (1 - odds)).log10().round(1)
    spread = (
        scored.group_by(
            odds=step,
            group=pl.when(pl.col("label") == 1).then(pl.lit(EPISODE)).otherwise(pl.lit(OTHERS)),
        )
        .agg(moments=pl.col("sampling_weight").sum())
        .with_columns(share=pl.col("moments") / pl.col("moments").sum().over("group"))
        .sort("group", "odds")
    )
    return _svg(
        alt.Chart(spread)
        .mark_area(opacity=0.55, interpolate="step")
        .encode(
            x=alt.X(
                "odds:Q",
                title="几率（10 的幂，0 为各半） odds, as a power of ten (0 is fifty-fifty)",
            ),
            y=alt.Y(
                "share:Q",
                stack=None,
                title="占该组比例 share of the group",
                axis=alt.Axis(format="%"),
            ),
            color=alt.Color(
                "group:N",
                title=None,
                scale=alt.Scale(domain=[EPISODE, OTHERS], range=[MODEL, QUIET]),
            ),
        ),
        title="分数如何分布 How scores spread",
    )


def sample_budget_chart(curves: pl.DataFrame) -> str:
    """Precision and coverage over growing budgets, for the model and for today's rule
    (``sample_budget_curve``).
    """
    import altair as alt

    words = {"precision": PRECISION, "coverage": COVERAGE}
    scorers = {"model": "模型 model", "rule": "规则 rule"}
    long = (
        curves.rename(words)
        .unpivot(list(words.values()), index=["scorer", "alerted"], variable_name="measure")
        .with_columns(pl.col("scorer").replace(scorers))
    )
    return _svg(
        alt.Chart(long)
        .mark_line()
        .encode(
            x=alt.X(
                "alerted:Q",
                title="每百万时刻的预警数 moments alerted, in a million",
                scale=alt.Scale(type="log"),
            ),
            y=alt.Y(
                "value:Q", title=None, axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])
            ),
            color=alt.Color(
                "scorer:N",
                title=None,
                scale=alt.Scale(domain=list(scorers.values()), range=[MODEL, RULE]),
            ),
            strokeDash=alt.StrokeDash("measure:N", title=None),
        ),
        title="预警名额换来什么 What a budget buys",
    )


def daily_budget_chart(curves: pl.DataFrame) -> str:
    """Precision, coverage and money over daily budgets
    (``models.evaluation.budget_curve.compute_budget_curve``).
    """
    import altair as alt

    measures = {"precision": PRECISION, "coverage": COVERAGE, "money": "资金 money"}
    long = curves.rename(measures).unpivot(
        list(measures.values()), index="budget", variable_name="measure"
    )
    return _svg(
        alt.Chart(long)
        .mark_line(point=True)
        .encode(
            x=alt.X(
                "budget:Q",
                title="每日预警数 alerts a day at most",
                axis=alt.Axis(values=curves["budget"].to_list()),
            ),
            y=alt.Y(
                "value:Q", title=None, axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])
            ),
            color=alt.Color("measure:N", title=None, scale=alt.Scale(range=[MODEL, BLUE, RULE])),
        ),
        title="每日预算换来什么 What a daily budget buys",
    )


def group_chart(groups: pl.DataFrame) -> str:
    """Precision and coverage of every group with their 90 % intervals
    (``models.evaluation.fairness.metrics_by_group``).
    """
    import altair as alt

    words = {"precision": PRECISION, "coverage": COVERAGE}
    place = pl.concat_str(
        pl.col("attribute").replace(ATTRIBUTES), pl.col("group").replace(GROUPS), separator=" · "
    )
    rows = groups.filter(pl.col("figure").is_in(list(words))).with_columns(
        place=place, measure=pl.col("figure").replace(words)
    )
    places = rows["place"].unique(maintain_order=True).to_list()
    base = alt.Chart(rows).encode(
        y=alt.Y("place:N", sort=places, title=None, axis=alt.Axis(labelLimit=280))
    )
    share = alt.X(
        "value:Q",
        title=None,
        axis=alt.Axis(format="%", values=SHARES),
        scale=alt.Scale(domain=[0, 1], nice=False),
    )
    drawn = alt.layer(
        base.mark_rule(color=QUIET, strokeWidth=3).encode(x=alt.X("low:Q"), x2="high:Q"),
        base.mark_circle(color=MODEL, size=70, opacity=1).encode(x=share),
    )
    columns = drawn.properties(width=WIDTH // 2 - 60, height=20 * len(places)).facet(
        column=alt.Column("measure:N", title=None)
    )
    return _drawn(columns.properties(title="各人群的准确与覆盖 Precision and coverage by group"))


def _svg(chart: "alt.Chart | alt.LayerChart", *, title: str, height: int = HEIGHT) -> str:
    return _drawn(chart.properties(title=title, width=WIDTH, height=height))


def _drawn(chart: "alt.Chart | alt.LayerChart | alt.FacetChart") -> str:
    import vl_convert

    whole = chart.configure(font=FONT).configure_view(stroke=None)
    return str(vl_convert.vegalite_to_svg(whole.to_dict()))
