"""The scam types are declared once; contracts, models and pages read the same."""

from data_contracts.contract import load_contract
from data_contracts.scam_types import load_scam_types
from models.policy.expected_saving import INTERVENTION_EFFECT
from serving.casework.call_scripts.service import load_call_scripts
from serving.presentation.wording import SCAM_TYPES

CODES = [
    "brushing",
    "police",
    "customer_service",
    "investment",
    "fake_loan",
    "fake_shopping",
    "acquaintance",
]


def test_contract_models_and_pages_know_the_same_types():
    contract = load_contract("cases")
    (column,) = [column for column in contract.columns if column.name == "scam_type"]
    assert list(column.values) == CODES
    assert column.open_values
    assert list(INTERVENTION_EFFECT) == CODES
    assert list(SCAM_TYPES) == [*CODES, "unknown"]
    assert list(load_call_scripts().scripts) == [*CODES, "unknown"]


def test_a_type_says_how_it_is_called_and_delivered():
    investment = load_scam_types().scam_types["investment"]
    assert (investment.name.zh, investment.name.en) == ("虚假投资", "Fake investment")
    assert investment.contract.label == "虚假投资/杀猪盘"
    assert investment.intervention_effect == INTERVENTION_EFFECT["investment"] == 0.5
    assert load_scam_types().scam_types["unknown"].contract is None
