"""The examples of the page for partners are mappings that can be used."""

import re
from pathlib import Path

import pytest

from data_contracts.mappings.language import DatasetMapping
from data_contracts.mappings.mapping import SourceMapping, parse_mapping
from data_contracts.mappings.shipped_formats import load_formats

PAGE = (Path(__file__).parents[3] / "docs" / "mappings.md").read_text(encoding="utf-8")


def examples() -> list[str]:
    """The indented blocks that are no commands."""
    blocks = re.findall(r"(?:^ {4}.*\n(?:\n(?= {4}))?)+", PAGE, flags=re.MULTILINE)
    plain = [re.sub(r"^ {4}", "", block, flags=re.MULTILINE) for block in blocks]
    return [block for block in plain if not block.startswith("forestall")]


@pytest.mark.parametrize("example", examples())
def test_every_example_can_be_used_and_says_something(example):
    assert parse_mapping(example, name="example.yaml") != SourceMapping()


def test_the_page_shows_every_key_of_a_section():
    said = {word for example in examples() for word in re.findall(r"\w+", example)}
    assert set(DatasetMapping.model_fields) <= said
    assert len(examples()) >= 15
    assert "police_bank_34" in load_formats()
