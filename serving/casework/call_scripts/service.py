"""The call scripts, read once from the file that ships with the program."""

from functools import cache
from pathlib import Path

import yaml

from serving.casework.call_scripts.schemas import CallScript, CallScriptBook
from serving.vocabulary.languages import Language

__all__ = ["call_script_for", "load_call_scripts", "opening_words"]

SCRIPTS = Path(__file__).parent / "scripts.yaml"


@cache
def load_call_scripts() -> CallScriptBook:
    """Return every call script.

    Raises pydantic's ValidationError if the file is not as it should be.
    """
    return CallScriptBook.model_validate(yaml.safe_load(SCRIPTS.read_text(encoding="utf-8")))


def call_script_for(scam_type: str) -> CallScript:
    """Return the script for ``scam_type``, the one of ``unknown`` where there is no other."""
    return load_call_scripts().script(scam_type)


def opening_words(scam_type: str, language: Language) -> str:
    """Return the first words to a person who may be in a fraud of ``scam_type``."""
    gap = "" if language == "zh" else " "
    return (
        load_call_scripts().shared.greeting.in_(language)
        + gap
        + call_script_for(scam_type).in_short.in_(language)
    )
