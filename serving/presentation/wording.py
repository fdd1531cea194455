"""The words of the trade: levels, results, what is missing, what a suspect did.

A table maps codes to texts that ``Translator.label`` says. The names of scam types are none of
them: they are declared in both languages with the types.
"""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from data_contracts.scam_types import load_scam_types
from serving.presentation.translations import N_, NP_, Translator
from serving.vocabulary.dispositions import OPEN
from serving.vocabulary.languages import Bilingual, Language, read_in

__all__ = [
    "CHANNELS",
    "FACTS",
    "FINDINGS",
    "HELP_TO_FREEZE",
    "LEVELS",
    "MISSING",
    "PEER_KINDS",
    "RESULTS",
    "ROLES",
    "SCAM_TYPES",
    "SOURCES",
    "WRITTEN",
    "describe_fact",
    "describe_missing",
    "format_number",
    "scam_type_name",
]


def format_number(value: float) -> str:
    """Return a number as people read it: whole from 1,000 on, else four digits."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


LEVELS: Mapping[str, str] = MappingProxyType(
    {
        "red": N_("Red · urgent"),
        "orange": N_("Orange · high"),
        "yellow": N_("Yellow · middle"),
        "blue": N_("Blue · low"),
    }
)

SCAM_TYPES: Mapping[str, Bilingual] = MappingProxyType(
    {code: one.name for code, one in load_scam_types().scam_types.items()}
)

ROLES: Mapping[str, str] = MappingProxyType(
    {
        "analyst": N_("analyst"),
        "officer": N_("officer"),
        "engineer": N_("engineer"),
        "admin": N_("admin"),
    }
)

RESULTS: Mapping[str, str] = MappingProxyType(
    {
        OPEN: NP_("result", "Open"),
        "in_progress": NP_("result", "In progress"),
        "stopped": NP_("result", "Stopped"),
        "contact_no_payment": NP_("result", "Contact, no payment"),
        "already_paid": NP_("result", "Already paid"),
        "lawful": NP_("result", "Lawful"),
        "not_found_yet": NP_("result", "Not found yet"),
        "cannot_be_found": NP_("result", "Cannot be found"),
        "wrong_person": NP_("result", "Wrong person"),
        "refused": NP_("result", "Refused"),
        "duplicate": NP_("result", "Duplicate"),
        "handed_over": NP_("result", "Handed over"),
    }
)

# The label of an alert whose main payment seems to have gone out already.
HELP_TO_FREEZE = N_("Probably paid: help to freeze")

CHANNELS: Mapping[str, str] = MappingProxyType(
    {
        "visit": NP_("channel", "Visit"),
        "call": NP_("channel", "Call"),
        "family": NP_("channel", "Family"),
        "text": NP_("channel", "Text message"),
    }
)

FINDINGS: Mapping[str, str] = MappingProxyType(
    {
        "safe": NP_("finding", "All is well"),
        "in_contact": NP_("finding", "In contact again"),
        "paid": NP_("finding", "Has paid again"),
        "not_reached": NP_("finding", "Not reached"),
        "not_needed": NP_("finding", "Not needed"),
    }
)

WRITTEN: Mapping[str, str] = MappingProxyType(
    {
        "screen": NP_("result recorded", "on the screen"),
        "api": NP_("result recorded", "by another system"),
        "paper": NP_("result recorded", "from a paper list"),
    }
)

MISSING: Mapping[str, str] = MappingProxyType(
    {
        "calls": N_("No call records"),
        "transfers": N_("No transfers"),
        "subscribers": N_("No registered number"),
        "accounts": N_("No registered account"),
    }
)

SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "cmcc": N_("China Mobile"),
        "cucc": N_("China Unicom"),
        "ctcc": N_("China Telecom"),
        "cbn": N_("China Broadnet"),
        "icbc": N_("ICBC"),
        "abc": N_("Agricultural Bank"),
        "boc": N_("Bank of China"),
        "ccb": N_("Construction Bank"),
        "bocom": N_("Bank of Communications"),
        "psbc": N_("Postal Savings Bank"),
        "cmb": N_("Merchants Bank"),
        "ruralcb": N_("Rural Commercial Bank"),
    }
)

FEEDS: Mapping[str, str] = MappingProxyType(
    {
        "calls": N_("Call records of {source} are missing"),
        "transfers": N_("Transfers of {source} are missing"),
    }
)
FEEDS_SINCE: Mapping[str, str] = MappingProxyType(
    {
        "calls": N_("Call records of {source} are missing since {day}"),
        "transfers": N_("Transfers of {source} are missing since {day}"),
    }
)

PEER_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "mobile": NP_("counterparty", "Mobile"),
        "virtual": NP_("counterparty", "Virtual operator"),
        "landline": NP_("counterparty", "Landline"),
        "service_95": NP_("counterparty", "95 service"),
        "service_96": NP_("counterparty", "96 service"),
        "service_400": NP_("counterparty", "400 service"),
        "service_106": NP_("counterparty", "106 texts"),
        "service_short": NP_("counterparty", "Short number"),
        "international": NP_("counterparty", "International"),
        "own": NP_("counterparty", "Own account"),
        "merchant": NP_("counterparty", "Merchant"),
        "resident": NP_("counterparty", "Account of a resident"),
        "outside": NP_("counterparty", "Account outside the district"),
        "unknown": NP_("counterparty", "Unclear"),
        **SOURCES,
    }
)

FACTS: Mapping[str, str] = MappingProxyType(
    {
        "contacts": NP_("suspect", "Calls and texts"),
        "contacts_14d": NP_("suspect", "Calls and texts in 14 days"),
        "answer_share": NP_("suspect", "Answered"),
        "hang_up_share": NP_("suspect", "Hung up on at once"),
        "in_share": NP_("suspect", "Called by the number"),
        "sms_share": NP_("suspect", "Texts"),
        "long_n": NP_("suspect", "Long talks"),
        "talk_mean_s": NP_("suspect", "Mean talk"),
        "age_d": NP_("suspect", "Known for"),
        "payers_14d": NP_("suspect", "Residents who paid in 14 days"),
        "receivers_14d": NP_("suspect", "Residents paid back in 14 days"),
        "received_cny": NP_("suspect", "Received"),
        "received_cny_14d": NP_("suspect", "Received in 14 days"),
        "back_cny": NP_("suspect", "Paid back"),
        "back_share": NP_("suspect", "Share paid back"),
    }
)


def scam_type_name(code: str, language: Language) -> str:
    """Return what a scam type is called; one that nobody declared is called by its code."""
    return read_in(SCAM_TYPES[code], language) if code in SCAM_TYPES else code


def describe_missing(code: str, say: Translator) -> str:
    """Return what is missing in words: ``transfers``, ``transfers:icbc`` or
    ``transfers:icbc:2026-07-03`` (since then).

    A code of another form speaks for itself.
    """
    feed, _, rest = code.partition(":")
    if not rest or feed not in FEEDS:
        return say.label(MISSING, code)
    code_of_source, _, since = rest.partition(":")
    source = say.label(SOURCES, code_of_source)
    if not since:
        return say(FEEDS[feed], source=source)
    try:
        day = date.fromisoformat(since)
    except ValueError:
        return code
    return say(FEEDS_SINCE[feed], source=source, day=say.long_day(day))


def describe_fact(name: str, value: float, say: Translator) -> str:
    """Return a number about a suspect in words.

    The unit stands in its name (``_cny``, ``_share``, ``_s``, ``_d``).
    """
    number = _with_unit(set(name.split("_")), value, say)
    return say("{label}: {value}", label=say.label(FACTS, name), value=number)


def _with_unit(parts: set[str], value: float, say: Translator) -> str:
    if "cny" in parts:
        return f"¥{value:,.0f}"
    if "share" in parts:
        return f"{value:.0%}"
    if "s" in parts:
        return say("{minutes} min", minutes=format_number(value / 60))
    if "d" in parts:
        count = 1 if value == 1 else 2  # of which there may be a part
        return say.plural("{days} day", "{days} days", count, days=format_number(value))
    return format_number(value)
