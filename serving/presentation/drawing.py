"""Charts as SVG: one look for all, drawn by one engine."""

import json
from functools import lru_cache
from threading import Lock
from typing import Any

__all__ = ["FONT", "GRID", "LABEL_PX", "LOWERS", "RAISES", "STANDS", "render_svg"]

FONT = "Noto Sans CJK SC, Microsoft YaHei, PingFang SC, sans-serif"
LABEL_PX = 13
GRID = "#e5e8eb"
RAISES, LOWERS, STANDS = "#c0392b", "#2471a3", "#7f8c8d"

rendering = Lock()  # vl-convert runs one JavaScript engine


def render_svg(chart: Any) -> str:
    """Return an Altair chart as SVG, in the common look; one drawn before is not drawn again.

    The picture as a whole has its description; a reader that speaks would otherwise spell out every
    bar and tick.
    """
    styled = (
        chart.configure(font=FONT, background="transparent")
        .configure_mark(aria=False)
        .configure_axis(
            aria=False,
            labelFontSize=LABEL_PX,
            titleFontSize=LABEL_PX,
            titleFontWeight="normal",
            gridColor=GRID,
        )
        .configure_legend(
            aria=False,
            labelFontSize=LABEL_PX,
            titleFontSize=LABEL_PX,
            titleFontWeight="normal",
            labelLimit=0,
        )
        .configure_view(stroke=None)
    )
    return _drawn(json.dumps(styled.to_dict(), sort_keys=True))


@lru_cache(maxsize=256)
def _drawn(specification: str) -> str:
    import vl_convert

    with rendering:
        return str(vl_convert.vegalite_to_svg(specification))
