"""The timeline of an alert as a picture: who called when, what was paid after it."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from serving.presentation.drawing import LABEL_PX, render_svg
from serving.presentation.translations import N_, NP_, Translator
from serving.vocabulary.alerts import SUSPECT_REPUTATION, Direction, EventChannel

__all__ = ["close_up", "timeline_chart"]

WIDTH_PX, LANE_PX = 690, 44
SHORTEST, LONGEST = timedelta(hours=6), timedelta(hours=72)  # of the close-up
BEFORE = timedelta(hours=1)  # shown before the first contact
LABELS = 8  # of the largest marks
ROOM = 0.1  # of the width, for the words of one mark

LANES = {
    ("call", "in"): NP_("chart", "Called by"),
    ("call", "out"): NP_("chart", "Calls"),
    ("text", "in"): NP_("chart", "Texts"),
    ("text", "out"): NP_("chart", "Texts"),
    ("transfer", "out"): NP_("chart", "Money out"),
    ("transfer", "in"): NP_("chart", "Money in"),
}
LANE_ORDER = (
    ("call", "in"),
    ("call", "out"),
    ("text", "in"),
    ("transfer", "out"),
    ("transfer", "in"),
)
WHO = {
    "suspect": NP_("chart", "Suspect"),
    "stranger": NP_("chart", "New to the person"),
    "known": NP_("chart", "Known"),
}
COLOURS = {"suspect": "#b71c1c", "stranger": "#d9822b", "known": "#8a97a5"}
SHAPES = {"suspect": "diamond", "stranger": "triangle-up", "known": "circle"}
MARKS = {"contact": N_("First contact"), "alert": NP_("chart", "Alert")}
TITLES = {
    "near": N_("The hours that matter"),
    "all": N_("The last 14 days"),
}
DESCRIPTION = N_("When there were calls, texts and transfers")


INK = "#14385c"
Point = dict[str, Any]  # an event as the chart's engine reads it


class Span(NamedTuple):
    """What a panel shows, from ``start`` to ``end``."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start

    @property
    def form(self) -> str:
        """How moments of it are written: hours, days and hours, or days."""
        if self.length <= timedelta(hours=20):
            return "%H:%M"
        return "%m-%d %H:%M" if self.length <= LONGEST + BEFORE else "%m-%d"


class Shown(Protocol):
    """An event of the timeline."""

    at: datetime
    channel: EventChannel
    direction: Direction
    peer: str
    duration_s: int | None
    amount_cny: float | None
    is_stranger: bool
    reputation: float | None


def timeline_chart(
    events: Sequence[Shown],
    *,
    suspects: frozenset[str],
    first_contact_at: datetime | None,
    issued_at: datetime,
    say: Translator,
) -> str:
    """Return the timeline up to ``issued_at`` as SVG: the hours that matter large, the 14 days
    below.

    ``suspects`` are the pseudonyms that the alert names. Colour and shape both say who the other
    party was, the size how long the talk or how much the money was.
    """
    import altair as alt

    points = [_point(event, suspects=suspects, say=say) for event in events]
    moments = [
        (MARKS["alert"], issued_at),
        *([(MARKS["contact"], first_contact_at)] if first_contact_at else []),
    ]
    near = Span(close_up(first_contact_at, issued_at), issued_at)
    whole = Span(min((event.at for event in events), default=near.start), issued_at)
    panels = (
        _panel(points, moments, span=near, title=TITLES["near"], say=say, large=True),
        _panel(points, moments, span=whole, title=TITLES["all"], say=say, large=False),
    )
    return render_svg(alt.vconcat(*panels).properties(description=say(DESCRIPTION)))


def close_up(first_contact_at: datetime | None, issued_at: datetime) -> datetime:
    """Return where the close-up begins: a little before the first contact, between six hours and
    three days back.
    """
    begun = (first_contact_at or issued_at - timedelta(hours=24)) - BEFORE
    return min(max(begun, issued_at - LONGEST), issued_at - SHORTEST)


def _point(event: Shown, *, suspects: frozenset[str], say: Translator) -> Point:
    bad = event.reputation is not None and event.reputation > SUSPECT_REPUTATION
    who = (
        "suspect" if event.peer in suspects or bad else "stranger" if event.is_stranger else "known"
    )
    return {
        "at": _local(event.at),
        "until": _local(event.at + timedelta(seconds=event.duration_s or 0)),
        "lane": say(LANES[event.channel, event.direction]),
        "who": say(WHO[who]),
        "size": _size_px(event),
        "weight": _size_px(event) * (who != "known"),
        "text": _mark_text(event, say),
    }


def _panel(
    points: Sequence[Point],
    moments: Sequence[tuple[str, datetime]],
    *,
    span: Span,
    title: str,
    say: Translator,
    large: bool,
) -> Any:
    """Return one lane for each kind of event, with words and lengths of talks where it is
    ``large``.
    """
    import altair as alt

    shown = [point for point in points if _local(span.start) <= point["at"] <= _local(span.end)]
    scale = alt.Scale(domain=[_local(span.start), _local(span.end + span.length * 0.03)])
    x = alt.X("at:T", scale=scale, title=None, axis=alt.Axis(format=span.form, tickCount=8))
    lanes = list(dict.fromkeys(say(LANES[lane]) for lane in LANE_ORDER))
    y = alt.Y(
        "lane:N",
        sort=lanes,
        title=None,
        scale=alt.Scale(domain=lanes),
        axis=alt.Axis(domain=False, grid=True),
    )
    rules = _rules(moments, span=span, scale=scale, say=say, large=large)
    marks = _marks(shown, x=x, y=y, say=say, large=large)
    words = _words(shown, x=x, y=y, apart=span.length * ROOM) if large else []
    return alt.layer(*rules, *marks, *words).properties(
        width=WIDTH_PX,
        height=LANE_PX * len(lanes) // (1 if large else 2),
        title=alt.TitleParams(say(title), anchor="start", fontSize=LABEL_PX),
    )


def _marks(points: Sequence[Point], *, x: Any, y: Any, say: Translator, large: bool) -> list[Any]:
    import altair as alt

    names = [say(words) for words in WHO.values()]
    legend = alt.Legend(title=None, orient="top", symbolOpacity=1) if large else None
    colour = alt.Color(
        "who:N", scale=alt.Scale(domain=names, range=list(COLOURS.values())), legend=legend
    )
    shape = alt.Shape(
        "who:N", scale=alt.Scale(domain=names, range=list(SHAPES.values())), legend=legend
    )
    marks = alt.Chart(alt.InlineData(values=points)).mark_point(
        filled=True, opacity=0.75, stroke="#fff", strokeWidth=0.6
    )
    drawn = [marks.encode(x=x, y=y, size=alt.Size("size:Q", scale=None), color=colour, shape=shape)]
    if large:
        talks = [point for point in points if point["until"] > point["at"]]
        lines = alt.Chart(alt.InlineData(values=talks)).mark_rule(
            strokeWidth=7, opacity=0.35, strokeCap="round"
        )
        drawn.insert(0, lines.encode(x=x, x2="until:T", y=y, color=colour))
    return drawn


def _words(points: Sequence[Point], *, x: Any, y: Any, apart: timedelta) -> list[Any]:
    import altair as alt

    labelled = alt.Chart(alt.InlineData(values=_marks_with_text(points, apart=apart)))
    return [labelled.mark_text(dy=-15, fontSize=LABEL_PX - 2).encode(x=x, y=y, text="text:N")]


def _marks_with_text(points: Sequence[Point], *, apart: timedelta) -> list[Point]:
    """Return the largest marks of suspects and strangers, without those close to a larger one of
    their lane.
    """
    kept: list[Point] = []
    for point in sorted(
        (point for point in points if point["weight"]), key=lambda point: -point["weight"]
    ):
        at = datetime.fromisoformat(point["at"])
        near = (
            abs(datetime.fromisoformat(one["at"]) - at) < apart
            for one in kept
            if one["lane"] == point["lane"]
        )
        if not any(near):
            kept.append(point)
    return kept[:LABELS]


def _rules(
    moments: Sequence[tuple[str, datetime]],
    *,
    span: Span,
    scale: Any,
    say: Translator,
    large: bool,
) -> list[Any]:
    import altair as alt

    values = [{"at": _local(at), "text": say(words)} for words, at in moments if at >= span.start]
    lines = alt.Chart(alt.InlineData(values=values)).encode(x=alt.X("at:T", scale=scale))
    drawn = [lines.mark_rule(strokeDash=[4, 3], color=INK)]
    if large:
        words = lines.mark_text(align="right", dx=-4, fontSize=LABEL_PX - 2, color=INK)
        drawn.append(words.encode(y=alt.value(LANE_PX * len(LANE_ORDER) - 8), text="text:N"))
    return drawn


def _size_px(event: Shown) -> float:
    """Return the area of a mark, by the square root of minutes or the logarithm of money."""
    if event.channel == "text":
        return 40.0
    if event.channel == "call":
        return 40.0 + 560.0 * min(1.0, math.sqrt((event.duration_s or 0) / 5400))
    return 40.0 + 560.0 * min(1.0, math.log10(1 + (event.amount_cny or 0) / 100) / 3)


def _mark_text(event: Shown, say: Translator) -> str:
    if event.channel == "transfer":
        return f"¥{event.amount_cny:,.0f}"
    minutes = round((event.duration_s or 0) / 60)
    if event.channel == "text" or not minutes:
        return ""
    return say("{minutes} min", minutes=minutes)


def _local(at: datetime) -> str:
    """Return a moment without its zone, so that the chart shows the clock as it stood here."""
    return at.strftime("%Y-%m-%dT%H:%M:%S")
