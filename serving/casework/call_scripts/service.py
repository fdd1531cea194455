"""The call scripts of the scam types, read once."""

from functools import cache

from data_contracts.scam_types import load_scam_types
from serving.casework.call_scripts.schemas import CallScript, CallScriptBook
from serving.presentation.translations import NP_, Translator
from serving.vocabulary.languages import read_in

__all__ = ["call_script_for", "load_call_scripts", "opening_words"]

TWO_SENTENCES = NP_("two sentences", "{first} {second}")


@cache
def load_call_scripts() -> CallScriptBook:
    """Return every call script.

    Raises pydantic's ValidationError if the file is not as it should be.
    """
    declared = load_scam_types()
    scripts = {code: one.call_script for code, one in declared.scam_types.items()}
    book = {"shared": declared.shared, "already_paid": declared.already_paid, "scripts": scripts}
    return CallScriptBook.model_validate(book)


def call_script_for(scam_type: str, *, already_paid: bool = False) -> CallScript:
    """Return the script for ``scam_type``, the one of ``unknown`` where there is no other, or with
    the words for money that is ``already_paid``.
    """
    return load_call_scripts().script(scam_type, already_paid=already_paid)


def opening_words(scam_type: str, say: Translator, *, already_paid: bool = False) -> str:
    """Return the first words to a person who may be in a fraud of ``scam_type``, or may have
    ``already_paid`` to it.
    """
    greeting = read_in(load_call_scripts().shared.greeting, say.language)
    in_short = read_in(call_script_for(scam_type, already_paid=already_paid).in_short, say.language)
    return say(TWO_SENTENCES, first=greeting, second=in_short)
