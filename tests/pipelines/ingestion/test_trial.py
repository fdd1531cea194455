"""A file is tried: what is understood and what not, with nothing written."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data_contracts.errors import DeliveryError, SettingsError
from pipelines.ingestion.trial import try_file
from pipelines.settings import Settings
from tests.pipelines.conftest import PARSER

EXPORTS = Path(__file__).parents[2] / "data_contracts" / "mappings" / "exports"
RECEIVED_AT = datetime(2026, 6, 16, tzinfo=UTC)


def try_it(tmp_path, file, **options):
    settings = Settings(home=tmp_path / "home")
    trial = try_file(file, settings=settings, received_at=RECEIVED_AT, parser=PARSER, **options)
    assert not settings.home.exists()  # nothing is written
    return trial


def test_a_shipped_format_is_understood_with_identifiers_masked(tmp_path):
    trial = try_it(tmp_path, EXPORTS / "ccb_statement.csv", source="ccb")

    assert (trial.dataset, trial.format, trial.source) == ("transfers", "ccb_statement", "ccb")
    assert trial.layout == {"encoding": "utf-8", "delimiter": ",", "heading_row": 3}
    assert trial.rows == trial.accepted + trial.rejected + sum(trial.skipped.values()) == 3
    first = trial.shown[0]
    assert (first["account_id"], first["peer_account"]) == ("622****00", "621****00")
    assert (first["amount"], first["occurred_at"]) == ("100.00", "2026-06-15 08:00:00")
    assert trial.filled_by["account_id"] == "the lines before the headings"
    assert trial.filled_by["occurred_at"] == "交易日期 + 交易时间, else 交易日期"

    revealed = try_it(tmp_path, EXPORTS / "ccb_statement.csv", reveal=True)
    assert revealed.shown[0]["account_id"] == "6222020200010000000"


def test_what_is_rejected_is_counted_by_reason_with_its_rows(tmp_path):
    trial = try_it(tmp_path, EXPORTS / "police_bank_34.csv")

    (finding,) = (one for one in trial.reasons if one.code == "currency.not_cny")
    assert (finding.rows, finding.first_rows) == (1, (6,))
    assert "not in CNY" in finding.words
    assert trial.skipped == {"status is failed": 1}
    assert trial.rows == 6


def test_a_file_that_cannot_be_read_gets_a_mapping_to_start_from(tmp_path):
    file = tmp_path / "some-bank.csv"
    file.write_text(
        "卡号,对手账号,支取金额,存入金额,交易日期,渠道,对方银行,余额\n"
        "6222020200010000000,6217000000000000001,5.00,,2026-06-15 09:00:00,网银,建行,1\n"
        "6222020200010000000,6217000000000000002,,7.00,2026-06-15 10:00:00,网银,建行,2\n",
        encoding="gb18030",
    )
    trial = try_it(tmp_path, file)
    assert trial.layout["encoding"] == "gb18030"
    assert "lacks the columns" in trial.problem
    assert trial.accepted == 0

    again = try_it(tmp_path, file, mapping=trial.guess)
    assert (again.problem, again.accepted) == ("", 2)
    assert [row["direction"] for row in again.shown] == ["debit", "credit"]


def test_the_dataset_follows_from_the_place_or_is_given(tmp_path):
    folder = tmp_path / "landing" / "calls" / "2026-06-15"
    folder.mkdir(parents=True)
    shutil.copy(EXPORTS / "cmcc_calls.csv", folder / "cmcc-1510.csv")
    trial = try_it(tmp_path, folder / "cmcc-1510.csv")
    assert (trial.dataset, trial.source, trial.accepted) == ("calls", "cmcc", 3)

    wrong = try_it(tmp_path, EXPORTS / "cmcc_calls.csv", dataset="transfers")
    assert "lacks the columns" in wrong.problem


def test_the_sources_own_mapping_is_used_and_another_can_be_tried(tmp_path):
    home = tmp_path / "home"
    (home / "sources").mkdir(parents=True)
    (home / "sources" / "cmcc_calls.yaml").write_text("calls: {constants: {service: sms}}")
    settings = Settings(home=home)
    file = EXPORTS / "cmcc_calls.csv"

    own = try_file(file, settings=settings, received_at=RECEIVED_AT)
    other = try_file(
        file, settings=settings, received_at=RECEIVED_AT, mapping="calls: {format: cmcc_calls}"
    )
    assert {row["service"] for row in own.shown} == {"sms"}
    assert {row["service"] for row in other.shown} == {"voice"}


def test_what_is_no_file_and_no_table_is_said(tmp_path):
    with pytest.raises(SettingsError, match="no file"):
        try_it(tmp_path, tmp_path / "none.csv")
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    with pytest.raises(DeliveryError, match=r"empty\.csv is empty"):
        try_it(tmp_path, empty)
    with pytest.raises(DeliveryError, match="line 1: headers is no key"):
        try_it(tmp_path, EXPORTS / "cmcc_calls.csv", mapping="headers: {}")
