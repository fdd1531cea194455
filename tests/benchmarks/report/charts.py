"""The results as pictures (SVG), drawn with Altair."""

from collections.abc import Callable, Iterable, Mapping

import altair as alt
import polars as pl
import vl_convert

from tests.benchmarks.figures import Compared, Latency, Measured
from tests.benchmarks.report.markdown import VERB_WORDS
from tests.benchmarks.report.results import Results

__all__ = ["draw_charts"]

BLUE, RED, GREY = "#2a6f97", "#c1121f", "#8d99ae"
DAILY = ("night", "tick", "ingest_day", "simulate")
LABEL_WIDTH = 420


def draw_charts(results: Results) -> Mapping[str, str]:
    """SVG by file name."""
    days = results.plan.growth_days
    grown = [row for row in results.measured if row.days == days]
    charts = {
        "bench-ratios": draw_ratios(results.compared),
        "bench-time": draw_growth(grown, values=lambda row: row.seconds, title="seconds"),
        "bench-memory": draw_growth(
            grown,
            values=lambda row: None if row.memory_bytes is None else row.memory_bytes / 1e6,
            title="MB, all processes",
        ),
        "bench-latency": draw_latencies(results.latencies),
    }
    return {f"{name}.svg": render(chart) for name, chart in charts.items()}


def draw_ratios(rows: Iterable[Compared]) -> alt.Chart:
    """A dot for each comparison on a logarithmic scale, right of the line where we are faster."""
    frame = pl.DataFrame(
        [
            {
                "what": f"{row.name} · {row.peer}",
                "ratio": row.ratio,
                "side": "we are faster" if row.ratio >= 1 else "we are slower",
            }
            for row in rows
            if row.ratio is not None
        ],
        schema={"what": pl.String, "ratio": pl.Float64, "side": pl.String},
    )
    side = alt.Color(
        "side:N", title=None,
        scale=alt.Scale(domain=["we are faster", "we are slower"], range=[BLUE, RED]),
    )  # fmt: skip
    axis = alt.X("ratio:Q", title="time of the other divided by ours", scale=alt.Scale(type="log"))
    what = alt.Y("what:N", sort=None, title=None, axis=alt.Axis(labelLimit=LABEL_WIDTH))
    dots = alt.Chart(frame).mark_circle(size=70, opacity=1).encode(x=axis, y=what, color=side)
    line = alt.Chart(pl.DataFrame({"even": [1.0]})).mark_rule(color=GREY).encode(x="even:Q")
    return (line + dots).properties(width=420)


def draw_growth(
    rows: Iterable[Measured], *, values: Callable[[Measured], float | None], title: str
) -> alt.Chart:
    """Lines of the daily verbs over the size of the district, both scales logarithmic."""
    frame = pl.DataFrame(
        [
            {"people": row.people, "value": value, "verb": VERB_WORDS[row.name]}
            for row in rows
            if row.name in DAILY and (value := values(row)) is not None
        ],
        schema={"people": pl.Int64, "value": pl.Float64, "verb": pl.String},
    )
    sizes = frame["people"].unique().to_list()
    log = alt.Scale(type="log", nice=False, padding=10)
    return (
        alt.Chart(frame)
        .mark_line(point=True)
        .encode(
            x=alt.X("people:Q", title="people", scale=log, axis=alt.Axis(values=sizes, format=",")),
            y=alt.Y("value:Q", title=title, scale=log),
            color=alt.Color("verb:N", title=None, sort=[VERB_WORDS[name] for name in DAILY]),
        )
        .properties(width=420, height=280)
    )


def draw_latencies(rows: Iterable[Latency]) -> alt.Chart:
    """The median and the 99th percentile of what clients waited."""
    frame = pl.DataFrame(
        [
            {"request": f"{row.name}, {row.clients} at once", "of": name, "ms": value * 1000}
            for row in rows
            for name, value in (("median", row.p50_s), ("99 of 100", row.p99_s))
        ],
        schema={"request": pl.String, "of": pl.String, "ms": pl.Float64},
    )
    return (
        alt.Chart(frame)
        .mark_circle(size=70, opacity=1)
        .encode(
            x=alt.X("ms:Q", title="milliseconds", scale=alt.Scale(type="log")),
            y=alt.Y("request:N", sort=None, title=None, axis=alt.Axis(labelLimit=LABEL_WIDTH)),
            color=alt.Color(
                "of:N", title=None,
                scale=alt.Scale(domain=["median", "99 of 100"], range=[BLUE, GREY]),
            ),
        )
        .properties(width=420)
    )  # fmt: skip


def render(chart: alt.Chart) -> str:
    """The picture on white, so that it can be read on any page."""
    drawn = chart.configure(background="white", font="sans-serif")
    return str(vl_convert.vegalite_to_svg(drawn.to_json()))
