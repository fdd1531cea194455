"""The field documentation, written from the contracts: what each column means, its unit, privacy
class and rules.
"""

from pathlib import Path

from data_contracts.contract import Column, Contract, load_all_contracts
from data_contracts.pages.markdown import markdown_table

__all__ = ["field_documentation", "write_documentation"]

COLUMN_HEADINGS = ("column", "中文", "type", "unit", "required", "privacy", "meaning", "含义")


def field_documentation(contract: Contract) -> str:
    """Return a contract's documentation as Markdown."""
    lines = [
        f"# {contract.dataset} · {contract.title_zh}",
        "",
        f"<!-- Written from data_contracts/{contract.dataset}.yaml "
        "by `python -m data_contracts.pages.docs`. -->",
        "",
        f"{contract.purpose} {contract.meaning}",
        "",
        f"- **Use** {contract.usage}",
        f"- **Mind** {contract.limitations}",
        f"- **Key** {', '.join(f'`{name}`' for name in contract.key)}",
        f"- **Version** {contract.version}",
        "",
        "## Columns",
        "",
        markdown_table(COLUMN_HEADINGS, map(_column_cells, contract.columns)),
        "",
        *_values(contract),
        *_rules(contract),
    ]
    return "\n".join(lines).rstrip() + "\n"


def write_documentation(folder: Path) -> list[Path]:
    """Write every contract's documentation and an index into ``folder`` and return the paths, the
    index first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / "README.md"
    pages = [(folder / f"{contract.dataset}.md", contract) for contract in load_all_contracts()]
    rows = [(f"[{c.dataset}]({path.name})", c.title_zh, c.purpose) for path, c in pages]
    table = markdown_table(("contract", "中文", "purpose"), rows)
    index.write_text(f"# Data contracts\n\n{table}\n", encoding="utf-8")
    for path, contract in pages:
        path.write_text(field_documentation(contract), encoding="utf-8")
    return [index, *(path for path, _ in pages)]


def _column_cells(column: Column) -> tuple[str, ...]:
    return (
        f"`{column.name}`",
        column.title_zh,
        _type_name(column),
        column.unit or "",
        "yes" if column.required else "",
        column.privacy,
        column.meaning,
        column.meaning_zh,
    )


def _type_name(column: Column) -> str:
    names = {
        "String": "text",
        "Boolean": "yes or no",
        "Int32": "whole number",
        "Float64": "number",
        "Decimal": "number (18, 2)",
        "Date": "date",
        "Datetime": "timestamp (Asia/Shanghai)",
        "List": "list of texts",
    }
    return names[column.type.base_type().__name__]


def _values(contract: Contract) -> list[str]:
    enumerated = [column for column in contract.columns if column.values]
    if not enumerated:
        return []
    lines = ["## Values", ""]
    for column in enumerated:
        known = ", ".join(f"`{value}` {label}" for value, label in column.values.items())
        lines.append(
            f"- `{column.name}`: {known}{' (others are let through)' if column.open_values else ''}"
        )
    return [*lines, ""]


def _rules(contract: Contract) -> list[str]:
    rows = [(f"`{rule.code}`", rule.meaning, rule.meaning_zh) for rule in contract.rules]
    intro = "A delivered row that breaks one goes to quarantine with the rule's code."
    return [
        "## Rules",
        "",
        intro,
        "",
        markdown_table(("code", "a row breaks it when", "含义"), rows),
    ]


if __name__ == "__main__":
    write_documentation(Path("docs/contracts"))
