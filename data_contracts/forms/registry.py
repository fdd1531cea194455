"""The forms by the name that a contract gives them."""

from collections.abc import Mapping
from types import MappingProxyType

from data_contracts.forms.account_numbers import (
    account_number,
    is_placeholder_account,
    other_account,
)
from data_contracts.forms.amounts import money, whole_number
from data_contracts.forms.identity_numbers import id_number
from data_contracts.forms.lists import (
    account_numbers,
    has_unread_accounts,
    has_unread_numbers,
    phone_numbers,
)
from data_contracts.forms.moments import day, moment
from data_contracts.forms.phone_numbers import phone_number
from data_contracts.forms.text import Form, code, text

__all__ = ["FORMS", "WARNINGS"]

FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "text": text,
        "code": code,
        "phone_number": phone_number,
        "phone_numbers": phone_numbers,
        "account_number": account_number,
        "other_account": other_account,
        "account_numbers": account_numbers,
        "id_number": id_number,
        "moment": moment,
        "day": day,
        "money": money,
        "whole_number": whole_number,
    }
)

#: What a form takes note of without refusing the row: by the name of the form and of the warning, a
#: function from the delivered column to a mask.
WARNINGS: Mapping[str, Mapping[str, Form]] = MappingProxyType(
    {
        "phone_numbers": {"unreadable_item": has_unread_numbers},
        "account_numbers": {"unreadable_item": has_unread_accounts},
        "other_account": {"placeholder": is_placeholder_account},
    }
)
