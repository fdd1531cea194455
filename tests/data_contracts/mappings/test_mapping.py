from datetime import timedelta

import pytest

from data_contracts.contract import load_contract
from data_contracts.errors import SettingsError
from data_contracts.mappings.mapping import SourceMapping, load_mapping


def test_a_source_without_a_file_of_its_own_reads_the_contracts_and_the_chinese_headings():
    headings = load_mapping("cmcc").columns_by_heading(load_contract("calls"))

    assert headings["started_at"] == headings["开始时间"] == "started_at"
    assert load_mapping("cmcc").delay("calls") == timedelta(0)


def test_a_folder_of_mappings_wins_for_its_sources(tmp_path):
    (tmp_path / "cmcc.yaml").write_text(
        "delay_s: {calls: 900}\nheadings: {calls: {CDR: record_id}}\n"
        "values: {calls: {service: {'1': voice}}}\n"
    )
    mapping = load_mapping("cmcc", folder=tmp_path)

    assert mapping.delay("calls") == timedelta(minutes=15)
    assert mapping.columns_by_heading(load_contract("calls"))["CDR"] == "record_id"
    assert mapping.of("calls").values == {"service": {"1": "voice"}}
    assert load_mapping("cucc", folder=tmp_path) == SourceMapping()


def test_a_folders_default_holds_for_every_other_source(tmp_path):
    (tmp_path / "default.yaml").write_text("delay_s: {transfers: 86400}\n")
    assert load_mapping("icbc", folder=tmp_path).delay("transfers") == timedelta(days=1)


@pytest.mark.parametrize("text", ["headers: {}", "delay_s: {calls: -1}", "delimiter: ''", "a: ["])
def test_a_mapping_that_cannot_be_used_is_named(tmp_path, text):
    (tmp_path / "cmcc.yaml").write_text(text)
    with pytest.raises(SettingsError, match=r"cmcc\.yaml cannot be used"):
        load_mapping("cmcc", folder=tmp_path)
