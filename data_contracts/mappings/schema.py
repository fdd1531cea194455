"""The JSON schema of mappings, with which editors complete and check a partner's YAML."""

import json
from copy import deepcopy
from typing import Any

from data_contracts.contract import Contract, dataset_names, load_contract
from data_contracts.mappings.clock_words import DURATION_WORDS
from data_contracts.mappings.language import DatasetMapping
from data_contracts.mappings.mapping import SourceMapping
from data_contracts.mappings.shipped_formats import load_formats

__all__ = ["mapping_schema", "schema_text"]

_BY_COLUMN = ("join", "split", "preamble", "constants", "values", "moments", "durations")

Schema = dict[str, Any]


def mapping_schema() -> Schema:
    """Return the schema: the language's shape, with the columns, values and formats there are."""
    schema = SourceMapping.model_json_schema()
    definitions: Schema = schema["$defs"]
    general = definitions.pop(DatasetMapping.__name__)
    for dataset in dataset_names():
        contract = load_contract(dataset)
        definitions[dataset] = _section(deepcopy(general), contract=contract)
        schema["properties"][dataset] = {
            "$ref": f"#/$defs/{dataset}",
            "description": f"how files of {dataset} differ from the contract",
        }
    for key in ("headings", "values", "delay_s"):
        schema["properties"][key]["propertyNames"] = {"enum": list(dataset_names())}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "A source mapping of forestall",
        "description": "How one source's files differ from the contracts.",
    }


def schema_text() -> str:
    """Return the schema as the text of a file."""
    return json.dumps(mapping_schema(), ensure_ascii=False) + "\n"


def _section(section: Schema, *, contract: Contract) -> Schema:
    """The schema of one dataset's section."""
    columns = contract.schema.names()
    said = section["properties"]
    section["title"] = contract.dataset
    formats = [name for name, one in load_formats().items() if one.dataset == contract.dataset]
    said["format"] = {"enum": [*formats, None], "description": said["format"]["description"]}
    said["headings"]["additionalProperties"] = {"enum": columns}
    for key in _BY_COLUMN:
        said[key]["propertyNames"] = {"enum": columns}
    said["durations"]["additionalProperties"] = _one_or_more({"enum": list(DURATION_WORDS)})
    said["record_key"] |= _one_or_more({"enum": columns})
    said["values"]["properties"] = {
        column.name: {"additionalProperties": {"enum": [*column.values, *column.values_by_label]}}
        for column in contract.columns
        if column.values and not column.open_values
    }
    return section


def _one_or_more(item: Schema) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item}]}
