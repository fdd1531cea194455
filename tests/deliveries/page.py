"""The page of bad inputs, written from the kinds: ``python -m tests.deliveries.page``."""

from collections.abc import Iterator
from pathlib import Path

from tests.deliveries.kind import FileEnd, Kind, Words, load_kinds

__all__ = ["PAGE", "bad_inputs_page"]

PAGE = Path(__file__).parents[2] / "docs" / "bad-inputs.md"
GROUPS = {
    "containers": Words(en="Files and their names", zh="文件与名称"),
    "lines": Words(en="Lines, separators and encodings", zh="行、分隔符与编码"),
    "numbers": Words(en="Phone numbers", zh="电话号码"),
    "lists": Words(en="Lists in a cell", zh="单元格内的列表"),
    "times": Words(en="Days and moments", zh="日期与时间"),
    "amounts": Words(en="Amounts", zh="金额"),
    "calls": Words(en="Calls and texts", zh="通话与短信"),
    "plausibility": Words(en="What cannot be so", zh="不合情理的数据"),
    "sources": Words(en="Who sent it", zh="数据来源"),
    "registers": Words(en="Registers", zh="登记表"),
    "records": Words(en="Records told apart, taken back, corrected", zh="记录的识别、冲正与更正"),
    "mappings": Words(en="Layouts that a mapping explains", zh="由映射说明的版式"),
}
TOP = """# What partners really send

Every kind of delivery that is tried in the tests, and how it ends. Nothing wrong is accepted in
silence, nothing lawful is refused. For every file rows in = accepted + quarantined + duplicates +
left out + held. The figures are those of the small deliveries in `tests/deliveries/kinds/`, which
the tests load one by one; this page is written from them by `python -m tests.deliveries.page`.
Codes are explained where the rejected rows are shown, by `forestall quarantine`.

A row has the number that a spreadsheet shows beside it: the headings, and what stands before
them, are counted, so below headings in the first line the first row is row 2. Parquet has no line
of headings, and its first row is row 1. Of several sheets or files in one, the numbers go on.
"""
COUNTS = {
    "accepted": "accepted",
    "quarantined": "quarantined",
    "duplicates": "duplicate",
    "held": "held",
}


def bad_inputs_page() -> str:
    """The page as Markdown; kinds that do not end right yet are left out."""
    kinds = [kind for kind in load_kinds() if not kind.wrong_today]
    parts = [TOP]
    for group, words in GROUPS.items():
        parts += _group_section(words, [kind for kind in kinds if kind.group == group])
    return "\n".join(parts)


def _group_section(words: Words, kinds: list[Kind]) -> Iterator[str]:
    if not kinds:
        return
    yield f"## {words.en} ({words.zh})\n"
    yield "| kind | what is sent | how it ends | figures |\n|---|---|---|---|"
    for kind in kinds:
        cells = (
            _bilingual(kind.title),
            _bilingual(kind.sent),
            _bilingual(kind.outcome),
            "<br>".join(_figures(kind)),
        )
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
    yield ""


def _bilingual(words: Words) -> str:
    return f"{words.en}<br>{words.zh}"


def _figures(kind: Kind) -> Iterator[str]:
    """A line a file; where there are several deliveries they are numbered."""
    for number, step in enumerate(kind.steps, start=1):
        for path, end in step.ends.items():
            delivery = f"delivery {number}, " if len(kind.steps) > 1 else ""
            yield f"{delivery}`{Path(path).name}`: {_figures_of(end)}"


def _figures_of(end: FileEnd) -> str:
    counts = [f"{getattr(end, name)} {word}" for name, word in COUNTS.items() if getattr(end, name)]
    left_out = [f"{rows} left out ({reason})" for reason, rows in end.skipped.items()]
    codes = [f"`{code}` {rows}" for code, rows in end.reasons.items()]
    figures = ", ".join([*counts, *left_out]) or end.status
    return f"{figures}: {', '.join(codes)}" if codes else figures


if __name__ == "__main__":
    PAGE.write_text(bad_inputs_page(), encoding="utf-8")
