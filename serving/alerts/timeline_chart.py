"""The timeline of an alert as a picture: who called when, what was paid after it."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from serving.alerts.events import Channel, Direction
from serving.drawing import LABEL_PX, svg_of
from serving.store import BAD_NAME
from serving.wording import Language, Words

__all__ = ["close_up", "timeline_chart"]

WIDTH_PX, LANE_PX = 690, 44
SHORTEST, LONGEST = timedelta(hours=6), timedelta(hours=72)  # of the close-up
BEFORE = timedelta(hours=1)  # shown before the first contact
LABELS = 8  # of the largest marks

LANES = {
    ("call", "in"): Words("来电", "Called by"),
    ("call", "out"): Words("去电", "Calls"),
    ("text", "in"): Words("短信", "Texts"),
    ("text", "out"): Words("短信", "Texts"),
    ("transfer", "out"): Words("转出", "Money out"),
    ("transfer", "in"): Words("转入", "Money in"),
}
LANE_ORDER = (("call", "in"), ("call", "out"), ("text", "in"), ("transfer", "out"), ("transfer", "in"))
WHO = {
    "suspect": Words("可疑对象", "Suspect"),
    "stranger": Words("陌生对象", "New to the person"),
    "known": Words("熟悉对象", "Known"),
}
COLOURS = {"suspect": "#b71c1c", "stranger": "#d9822b", "known": "#8a97a5"}
SHAPES = {"suspect": "diamond", "stranger": "triangle-up", "known": "circle"}
MARKS = {"contact": Words("初次接触", "First contact"), "alert": Words("预警", "Alert")}
TITLES = {
    "near": Words("重点时段", "The hours that matter"),
    "all": Words("最近 14 天", "The last 14 days"),
}
DESCRIPTION = Words("通话、短信和转账的时间线", "When there were calls, texts and transfers")


class Shown(Protocol):
    """An event of the timeline."""

    at: datetime
    channel: Channel
    direction: Direction
    peer: str
    duration_s: int | None
    amount_cny: float | None
    is_stranger: bool
    suspect_score: float | None


def timeline_chart(
    events: Sequence[Shown],
    *,
    suspects: frozenset[str],
    first_contact_at: datetime | None,
    issued_at: datetime,
    language: Language,
) -> str:
    """Return the timeline up to ``issued_at`` as SVG: the hours that matter large, the 14 days below.

    ``suspects`` are the pseudonyms that the alert names. Colour and shape both say who the other party was, the size
    how long the talk or how much the money was.
    """
    import altair as alt

    points = [_point(event, suspects=suspects, language=language) for event in events]
    moments = [(MARKS["alert"], issued_at), *([(MARKS["contact"], first_contact_at)] if first_contact_at else [])]
    start = close_up(first_contact_at, issued_at)
    near = _panel(points, moments, start=start, end=issued_at, title=TITLES["near"], language=language, labelled=True)
    earliest = min((event.at for event in events), default=start)
    whole = _panel(
        points,
        moments,
        start=min(earliest, start),
        end=issued_at,
        title=TITLES["all"],
        language=language,
        labelled=False,
    )
    return svg_of(alt.vconcat(near, whole).properties(description=DESCRIPTION.in_(language)))


def close_up(first_contact_at: datetime | None, issued_at: datetime) -> datetime:
    """Return where the close-up begins: a little before the first contact, between six hours and three days back."""
    begun = (first_contact_at or issued_at - timedelta(hours=24)) - BEFORE
    return min(max(begun, issued_at - LONGEST), issued_at - SHORTEST)


def _point(event: Shown, *, suspects: frozenset[str], language: Language) -> dict[str, Any]:
    bad = event.suspect_score is not None and event.suspect_score > BAD_NAME
    who = "suspect" if event.peer in suspects or bad else "stranger" if event.is_stranger else "known"
    return {
        "at": _local(event.at),
        "until": _local(event.at + timedelta(seconds=event.duration_s or 0)),
        "lane": LANES[event.channel, event.direction].in_(language),
        "who": WHO[who].in_(language),
        "size": _size_px(event),
        "weight": _size_px(event) * (who != "known"),
        "text": _told(event, language),
    }


def _panel(
    points: Sequence[dict[str, Any]],
    moments: Sequence[tuple[Words, datetime]],
    *,
    start: datetime,
    end: datetime,
    title: Words,
    language: Language,
    labelled: bool,
) -> Any:
    import altair as alt

    low, high = _local(start), _local(end)
    shown = [point for point in points if low <= point["at"] <= high]
    span = end - start
    form = "%H:%M" if span <= timedelta(hours=20) else "%m-%d %H:%M" if span <= LONGEST + BEFORE else "%m-%d"
    scale = alt.Scale(domain=[low, _local(end + span * 0.03)])
    x = alt.X("at:T", scale=scale, title=None, axis=alt.Axis(format=form, tickCount=8))
    lanes = list(dict.fromkeys(LANES[lane].in_(language) for lane in LANE_ORDER))
    y = alt.Y("lane:N", sort=lanes, title=None, scale=alt.Scale(domain=lanes), axis=alt.Axis(domain=False, grid=True))
    names = [words.in_(language) for words in WHO.values()]
    legend = alt.Legend(title=None, orient="top", symbolOpacity=1) if labelled else None
    colour = alt.Color("who:N", scale=alt.Scale(domain=names, range=list(COLOURS.values())), legend=legend)
    shape = alt.Shape("who:N", scale=alt.Scale(domain=names, range=list(SHAPES.values())), legend=legend)
    marks = (
        alt.Chart(alt.InlineData(values=shown))
        .mark_point(filled=True, opacity=0.75, stroke="#fff", strokeWidth=0.6)
        .encode(
            x=x,
            y=y,
            size=alt.Size("size:Q", scale=None),
            color=colour,
            shape=shape,
        )
    )
    layers = [*_rules(moments, low=low, scale=scale, language=language, labelled=labelled), marks]
    if labelled:
        talks = [point for point in shown if point["until"] > point["at"]]
        lines = alt.Chart(alt.InlineData(values=talks)).mark_rule(strokeWidth=7, opacity=0.35, strokeCap="round")
        layers.insert(-1, lines.encode(x=x, x2="until:T", y=y, color=colour))
        largest = sorted((point for point in shown if point["weight"]), key=lambda point: -point["weight"])[:LABELS]
        words = alt.Chart(alt.InlineData(values=largest)).mark_text(dy=-15, fontSize=LABEL_PX - 2)
        layers.append(words.encode(x=x, y=y, text="text:N"))
    height = LANE_PX * len(lanes) if labelled else LANE_PX * len(lanes) // 2
    return alt.layer(*layers).properties(
        width=WIDTH_PX, height=height, title=alt.TitleParams(title.in_(language), anchor="start", fontSize=LABEL_PX)
    )


def _rules(
    moments: Sequence[tuple[Words, datetime]], *, low: str, scale: Any, language: Language, labelled: bool
) -> list[Any]:
    import altair as alt

    values = [{"at": _local(at), "text": words.in_(language)} for words, at in moments if _local(at) >= low]
    lines = alt.Chart(alt.InlineData(values=values)).encode(x=alt.X("at:T", scale=scale))
    drawn = [lines.mark_rule(strokeDash=[4, 3], color="#14385c")]
    if labelled:
        drawn.append(
            lines.mark_text(align="right", dx=-4, fontSize=LABEL_PX - 2, color="#14385c").encode(
                y=alt.value(LANE_PX * len(LANE_ORDER) - 8), text="text:N"
            )
        )
    return drawn


def _size_px(event: Shown) -> float:
    """Return the area of a mark: by the square root of the minutes, by the logarithm of the money."""
    if event.channel == "text":
        return 40.0
    if event.channel == "call":
        return 40.0 + 560.0 * min(1.0, math.sqrt((event.duration_s or 0) / 5400))
    return 40.0 + 560.0 * min(1.0, math.log10(1 + (event.amount_cny or 0) / 100) / 3)


def _told(event: Shown, language: Language) -> str:
    if event.channel == "transfer":
        return f"¥{event.amount_cny:,.0f}"
    minutes = round((event.duration_s or 0) / 60)
    if event.channel == "text" or not minutes:
        return ""
    return f"{minutes} 分钟" if language == "zh" else f"{minutes} min"


def _local(at: datetime) -> str:
    """Return a moment without its zone: the chart's engine then shows the clock as it stood here."""
    return at.strftime("%Y-%m-%dT%H:%M:%S")
