"""Markdown as the generated pages, reports and cards hold it."""

from collections.abc import Iterable, Sequence

__all__ = ["markdown_table"]


def markdown_table(
    headings: Sequence[str], rows: Iterable[Iterable[str]], *, figures: bool = False
) -> str:
    """Return a table; with ``figures`` all columns but the first stand to the right."""
    rule = f"|---|{('---:|' if figures else '---|') * (len(headings) - 1)}"
    return "\n".join([_line(headings), rule, *(_line(row) for row in rows)])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
