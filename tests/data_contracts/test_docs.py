from pathlib import Path

from data_contracts.contract import load_all_contracts, load_contract
from data_contracts.pages.docs import field_documentation, write_documentation

DOCS = Path(__file__).parents[2] / "docs" / "contracts"


def test_a_page_tells_columns_values_and_rules():
    page = field_documentation(load_contract("calls"))

    assert page.startswith("# calls · 通话记录\n")
    row = (
        "| `duration_s` | 通话时长 | whole number | s | yes | sensitive | "
        "Length of the talk; 0 means not answered, "
    )
    assert row in page
    assert "- `direction`: `in` 被叫, `out` 主叫\n" in page
    assert "| `duration_s.negative` | The duration is below zero. | 时长为负数。 |" in page


def test_open_values_are_said_to_be_open():
    assert "`acquaintance` 冒充领导熟人 (others are let through)" in field_documentation(
        load_contract("cases")
    )


def test_the_pages_in_docs_are_those_of_the_contracts(tmp_path):
    written = write_documentation(tmp_path)

    assert [path.name for path in written] == [
        "README.md",
        *(f"{contract.dataset}.md" for contract in load_all_contracts()),
    ]
    for path in written:
        assert path.read_text(encoding="utf-8") == (DOCS / path.name).read_text(encoding="utf-8"), (
            f"{path.name} is not up to date: write it with python -m data_contracts.pages.docs"
        )
