"""The SHAP waterfall: from the district's average to this person, one bar a feature."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from serving.presentation.drawing import LABEL_PX, LOWERS, RAISES, STANDS, render_svg
from serving.presentation.translations import N_, NP_, Translator
from serving.vocabulary.alerts import OTHER
from serving.vocabulary.languages import Bilingual, read_in

__all__ = ["draw_waterfall"]

SHOWN = 12  # features with a bar of their own; the others share one
BAR_STEP_PX = 26
CHART_WIDTH_PX = 440
TICKS = 6  # about; more would touch each other

START = N_("Start: everybody's average")
END = NP_("chart", "This person")
OTHERS = NP_("chart", "Everything else")
AXIS = N_("Log-odds; further right is riskier")
TITLE = N_("What raises and what lowers the risk")


class Contributed(Bilingual, Protocol):
    """A feature's contribution in log-odds, told with its value in both languages."""

    feature: str
    contribution: float


class Bar(NamedTuple):
    """One bar of the waterfall, from ``start`` to ``end`` in log-odds."""

    label: str
    start: float
    end: float
    text: str
    color: str


def draw_waterfall(
    *, base_value: float, contributions: Sequence[Contributed], say: Translator
) -> str:
    """Return the waterfall from ``base_value`` through the contributions (log-odds) as SVG, the
    largest first.
    """
    return render_svg(_chart(bars_of(base_value, contributions, say), say))


def bars_of(base_value: float, contributions: Sequence[Contributed], say: Translator) -> list[Bar]:
    """Return the bars from top to bottom; the last one stands at the sum of all."""
    named = [item for item in contributions if item.feature != OTHER]
    ordered = sorted(named, key=lambda item: -abs(item.contribution))
    # The number keeps two features of one name apart.
    steps = [
        (f"{number}. {read_in(item, say.language)}", item.contribution)
        for number, item in enumerate(ordered[:SHOWN], start=1)
    ]
    if rest := [*ordered[SHOWN:], *(item for item in contributions if item.feature == OTHER)]:
        steps.append((say(OTHERS), sum(item.contribution for item in rest)))
    bars = [Bar(say(START), 0.0, base_value, f"{base_value:.2f}", STANDS)]
    level = base_value
    for label, contribution in steps:
        color = RAISES if contribution > 0 else LOWERS
        bars.append(Bar(label, level, level + contribution, f"{contribution:+.2f}", color))
        level += contribution
    return [*bars, Bar(say(END), 0.0, level, f"{level:.2f}", STANDS)]


def _chart(bars: Sequence[Bar], say: Translator) -> Any:
    import altair as alt

    base = alt.Chart(alt.InlineData(values=[bar._asdict() for bar in bars])).encode(
        y=alt.Y(
            "label:N",
            sort=[bar.label for bar in bars],
            title=None,
            # The renderer may lack the reader's font: room for the labels is reckoned here, not
            # measured there.
            axis=alt.Axis(
                labelLimit=0, minExtent=_width_px(bars), domain=False, ticks=False, labelPadding=8
            ),
        )
    )
    scale = alt.Scale(zero=False, padding=44, nice=False)
    blocks = base.mark_bar(height=16, cornerRadius=2).encode(
        x=alt.X("start:Q", title=say(AXIS), scale=scale, axis=alt.Axis(tickCount=TICKS)),
        x2="end:Q",
        color=alt.Color("color:N", scale=None),
    )
    texts = base.mark_text(dx=6, align="left", fontSize=LABEL_PX - 1).encode(
        x=alt.X("right:Q", scale=scale), text="text:N"
    )
    return alt.layer(
        blocks, texts.transform_calculate(right="max(datum.start, datum.end)")
    ).properties(width=CHART_WIDTH_PX, height=alt.Step(BAR_STEP_PX), description=say(TITLE))


def _width_px(bars: Sequence[Bar]) -> int:
    return max(
        sum(LABEL_PX if ord(char) > 0x2E7F else LABEL_PX * 0.58 for char in bar.label)
        for bar in bars
    ).__ceil__()
