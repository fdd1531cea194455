"""The forms by the name that a contract gives them."""

from collections.abc import Mapping
from types import MappingProxyType

from data_contracts.forms.account_numbers import account_number, account_numbers
from data_contracts.forms.amounts import money, whole_number
from data_contracts.forms.identity_numbers import id_number
from data_contracts.forms.moments import day, moment
from data_contracts.forms.phone_numbers import phone_number, phone_numbers
from data_contracts.forms.text import Form, code, text

__all__ = ["FORMS"]

FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "text": text,
        "code": code,
        "phone_number": phone_number,
        "phone_numbers": phone_numbers,
        "account_number": account_number,
        "account_numbers": account_numbers,
        "id_number": id_number,
        "moment": moment,
        "day": day,
        "money": money,
        "whole_number": whole_number,
    }
)
