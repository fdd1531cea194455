"""The pictures of the trends, as SVG. Each stands above a table with the same numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

from serving.operations.trends.schemas import Cell, Precision, Step
from serving.presentation.drawing import LABEL_PX, render_svg
from serving.presentation.translations import Translator
from serving.presentation.wording import LEVELS, SCAM_TYPES, scam_type_name

__all__ = [
    "COMMUNITIES_SHOWN",
    "HOURS",
    "busiest_communities",
    "community_hours",
    "community_types",
    "precision_chart",
    "types_of",
    "volume_chart",
]

COMMUNITIES_SHOWN = 20
HOURS = tuple(str(hour) for hour in range(24))
# Those of the level tags
COLORS = {"red": "#b3261e", "orange": "#b45309", "yellow": "#fcd34d", "blue": "#1d4ed8"}
PALE, DARK, LINE = "#e8eef5", "#17406d", "#17406d"
INK, LIGHT_INK = "#000000", "#ffffff"
# From here on white reads better than black; between PALE and DARK either keeps a contrast of 4.4
LIGHT_FROM = 0.68
A_WORD_A_LINE = "split(datum.label, ' ')"
CELL_PX, TYPE_CELL_PX, WIDTH_PX, HEIGHT_PX = 30, 92, 720, 190


def busiest_communities(cells: Sequence[Cell]) -> list[str]:
    """Return the communities with most alerts, the busiest first, as many as a chart holds."""
    totals: dict[str, int] = {}
    for cell in cells:
        totals[cell.community_id] = totals.get(cell.community_id, 0) + cell.alerts
    return sorted(totals, key=lambda community: (-totals[community], community))[:COMMUNITIES_SHOWN]


def types_of(cells: Sequence[Cell]) -> list[str]:
    """Return the codes of the scam types that occur, those we have words for first."""
    seen = {cell.of for cell in cells}
    return [code for code in SCAM_TYPES if code in seen] + sorted(seen - SCAM_TYPES.keys())


def community_hours(cells: Sequence[Cell], say: Translator) -> str:
    """Return the heat map of communities and the hours of the day at which alerts were issued."""
    labels = {hour: hour for hour in HOURS}
    return _heat(
        cells,
        labels,
        title=say("Hour of the day"),
        label=say("Alerts by community and hour"),
        step=CELL_PX,
    )


def community_types(cells: Sequence[Cell], say: Translator) -> str:
    """Return the heat map of communities and scam types."""
    labels = {code: scam_type_name(code, say.language) for code in types_of(cells)}
    return _heat(
        cells, labels, title=None, label=say("Alerts by community and scam type"), step=TYPE_CELL_PX
    )


def _heat(
    cells: Sequence[Cell], labels: Mapping[str, str], *, title: str | None, label: str, step: int
) -> str:
    import altair as alt

    rows = busiest_communities(cells)
    shown: list[dict[str, Any]] = [
        {"community": cell.community_id, "of": labels[cell.of], "alerts": cell.alerts}
        for cell in cells
        if cell.community_id in rows
    ]
    most = max((cell["alerts"] for cell in shown), default=1)
    base = alt.Chart(alt.InlineData(values=shown)).encode(
        x=alt.X(
            "of:N",
            title=title,
            scale=alt.Scale(domain=list(labels.values())),
            axis=alt.Axis(labelAngle=0, labelLimit=0, labelExpr=A_WORD_A_LINE, domain=False),
        ),
        y=alt.Y("community:N", title=None, sort=rows, axis=alt.Axis(domain=False, ticks=False)),
    )
    scale = alt.Scale(domain=[0, most], range=[PALE, DARK], interpolate="rgb")
    ink = alt.condition(f"datum.alerts > {LIGHT_FROM * most}", alt.value(LIGHT_INK), alt.value(INK))
    numbers = base.mark_text(fontSize=LABEL_PX - 1).encode(text="alerts:Q", color=ink)
    fields = base.mark_rect(cornerRadius=2, stroke="#ffffff").encode(
        color=alt.Color("alerts:Q", scale=scale, legend=None)
    )
    chart = alt.layer(fields, numbers)
    return render_svg(
        chart.properties(width=alt.Step(step), height=alt.Step(CELL_PX), description=label)
    )


def volume_chart(steps: Sequence[Step], say: Translator) -> str:
    """Return the alerts of each stretch of days, stacked by level."""
    import altair as alt

    named = {level: say(name) for level, name in LEVELS.items()}
    counted = [
        {
            "day": say.day(step.day),
            "level": named[level],
            "alerts": step.by_level[level],
            "rank": rank,
        }
        for step in steps
        for rank, level in enumerate(LEVELS)
    ]
    chart = (
        alt.Chart(alt.InlineData(values=counted))
        .mark_bar()
        .encode(
            x=_days([say.day(step.day) for step in steps]),
            y=alt.Y("alerts:Q", title=None, axis=alt.Axis(tickMinStep=1, tickCount=5)),
            order=alt.Order("rank:Q", sort="descending"),
            color=alt.Color(
                "level:N",
                title=None,
                scale=alt.Scale(domain=list(named.values()), range=list(COLORS.values())),
            ),
        )
    )
    return render_svg(
        chart.properties(
            width=WIDTH_PX, height=HEIGHT_PX, description=say("Alerts over time, by level")
        )
    )


def precision_chart(stretches: Sequence[Precision], say: Translator) -> str:
    """Return the share of right alerts among the judged, each with both numbers.

    Where none was judged, nothing.
    """
    import altair as alt

    drawn: list[dict[str, Any]] = [
        {"day": say.day(one.day), "share": one.share, "text": f"{one.right}/{one.judged}"}
        for one in stretches
        if one.judged
    ]
    base = alt.Chart(alt.InlineData(values=drawn)).encode(
        x=_days([say.day(one.day) for one in stretches]),
        y=alt.Y(
            "share:Q",
            title=None,
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format="%", tickCount=5),
        ),
    )
    chart = alt.layer(
        base.mark_line(color=LINE),
        base.mark_point(color=LINE, filled=True, size=70, opacity=1),
        base.mark_text(dy=-13, fontSize=LABEL_PX - 1, color=INK).encode(text="text:N"),
    )
    label = say("Right among the judged alerts, over time")
    return render_svg(chart.properties(width=WIDTH_PX, height=HEIGHT_PX, description=label))


def _days(days: Sequence[str]) -> Any:
    import altair as alt

    every = max(1, len(days) // 10)
    return alt.X(
        "day:O",
        title=None,
        scale=alt.Scale(domain=list(days)),
        axis=alt.Axis(labelAngle=0, values=list(days[::every])),
    )
