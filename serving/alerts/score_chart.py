"""How likely somebody was in an episode, over time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from serving.presentation.drawing import LABEL_PX, RAISES, STANDS, render_svg
from serving.presentation.translations import N_, NP_, Translator

__all__ = ["score_chart"]

WIDTH_PX, HEIGHT_PX = 560, 150
ALERTS = NP_("chart", "Alert")
DESCRIPTION = N_("The risk over time")
AXIS = N_("Risk")


class Scored(Protocol):
    """A score at a moment."""

    at: datetime
    score: float


def score_chart(points: Sequence[Scored], *, alerts: Sequence[datetime], say: Translator) -> str:
    """Return the scores (0 to 1) as SVG, with a line at each of the ``alerts``."""
    import altair as alt

    y = alt.Y(
        "score:Q",
        title=say(AXIS),
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", tickCount=5, titleAngle=0, titleAlign="right"),
    )
    x = alt.X("at:T", title=None, axis=alt.Axis(format="%m-%d %H:%M", tickCount=5))
    scored: list[dict[str, Any]] = [
        {"at": _local(point.at), "score": point.score} for point in points
    ]
    base = alt.Chart(alt.InlineData(values=scored)).encode(x=x, y=y)
    issued = alt.Chart(
        alt.InlineData(values=[{"at": _local(at), "text": say(ALERTS)} for at in alerts])
    ).encode(x="at:T")
    chart = alt.layer(
        issued.mark_rule(strokeDash=[4, 3], color="#14385c"),
        issued.mark_text(align="right", dx=-4, y=8, fontSize=LABEL_PX - 2, color="#14385c").encode(
            text="text:N"
        ),
        base.mark_line(interpolate="step-after", color=STANDS),
        base.mark_point(filled=True, size=45, color=RAISES, opacity=1),
    )
    return render_svg(
        chart.properties(width=WIDTH_PX, height=HEIGHT_PX, description=say(DESCRIPTION))
    )


def _local(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S")
