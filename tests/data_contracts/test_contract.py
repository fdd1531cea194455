import json
from importlib.resources import files

import jsonschema
import polars as pl
import pytest
import yaml

from data_contracts.contract import dataset_names, load_all_contracts, load_contract, parse_contract
from data_contracts.errors import SettingsError

NAMES = (*dataset_names(), "watchlist")


def yaml_of(name: str) -> str:
    return files("data_contracts").joinpath(f"{name}.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_contract_is_valid_under_the_standards_own_schema(name):
    schema = json.loads(
        files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8")
    )

    jsonschema.validate(yaml.safe_load(yaml_of(name)), schema)


def test_there_is_a_contract_for_every_delivered_dataset_and_the_published_list():
    assert [contract.dataset for contract in load_all_contracts()] == [
        *("residents", "subscribers", "accounts", "number_tags", "cases", "calls", "transfers"),
        "watchlist",
    ]


def test_calls_have_these_columns_and_types():
    calls = load_contract("calls")

    assert calls.schema == pl.Schema(
        {
            "record_id": pl.String(),
            "msisdn": pl.String(),
            "peer_number": pl.String(),
            "direction": pl.String(),
            "service": pl.String(),
            "started_at": pl.Datetime("us", "Asia/Shanghai"),
            "duration_s": pl.Int32(),
        }
    )
    assert (calls.key, calls.event_column, calls.version) == (("record_id",), "started_at", "1.0.0")
    assert calls.column("duration_s").unit == "s"
    assert dict(calls.column("direction").values) == {"in": "被叫", "out": "主叫"}


def test_rules_follow_from_the_yaml_and_have_stable_codes():
    codes = [rule.code for rule in load_contract("transfers").rules]

    assert codes == [
        *("record_id.missing", "record_id.lost_digits"),
        *("account_id.missing", "account_id.malformed"),
        *(
            "account_id.placeholder",
            "peer_account.malformed",
            "peer_account.own_account",
            "direction.missing",
            "direction.unknown_value",
        ),
        *("amount.missing", "amount.too_large", "amount.not_positive"),
        *("occurred_at.missing", "occurred_at.too_old"),
        *(
            "occurred_at.in_future",
            "occurred_at.after_file_day",
            "occurred_at.long_before_file_day",
        ),
        *("channel.missing", "channel.unknown_value", "currency.not_cny"),
        *("status.unknown_value", "kind.unknown_value"),
    ]


def test_new_scam_types_are_let_through():
    assert load_contract("cases").column("scam_type").open_values
    assert "scam_type.unknown_value" not in [rule.code for rule in load_contract("cases").rules]


def test_all_that_identifies_is_marked_as_identifier():
    identifiers = {
        (c.dataset, column.name)
        for c in load_all_contracts()
        for column in c.columns
        if column.privacy == "identifier"
    }

    assert identifiers == {
        *(
            ("calls", "msisdn"),
            ("calls", "peer_number"),
            ("transfers", "account_id"),
            ("transfers", "peer_account"),
        ),
        *(("residents", "id_number"), ("residents", "name"), ("residents", "address")),
        *(
            ("subscribers", "msisdn"),
            ("subscribers", "id_number"),
            ("accounts", "account_id"),
            ("accounts", "id_number"),
        ),
        *(
            ("cases", "id_number"),
            ("cases", "suspect_numbers"),
            ("cases", "suspect_accounts"),
            ("number_tags", "number"),
        ),
    }


def test_an_unknown_dataset_names_the_known_ones():
    with pytest.raises(SettingsError, match="no contract for 'visits'") as raised:
        load_contract("visits")
    assert "residents, subscribers, accounts" in raised.value.remedy


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "classification: internal",
            "classification: secret",
            "classification of record_id must be one of public",
        ),
        (
            "physicalType: Int32",
            "physicalType: Int128",
            "physicalType of duration_s must be one of String",
        ),
        ("businessName: 本机号码", "businessName: ''", "businessName of msisdn is missing"),
        ("engine: greatExpectations", "engine: soda", "must be implemented in greatExpectations"),
        (
            "kind: DataContract",
            "kind: DataContract\nflavour: sweet",
            "flavour: Extra inputs are not permitted",
        ),
        ("schema:", "schema: [", "is not YAML"),
    ],
)
def test_a_broken_contract_says_where(old, new, message):
    with pytest.raises(SettingsError, match=message):
        parse_contract(yaml_of("calls").replace(old, new, 1), name="calls.yaml")
