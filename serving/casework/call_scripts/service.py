"""The talk scripts, read once from the file that ships with the program."""

from functools import cache
from pathlib import Path

import yaml

from serving.casework.call_scripts.schemas import TalkBook, TalkScript
from serving.vocabulary.languages import Language

__all__ = ["talk_book", "talk_script", "what_to_say"]

SCRIPTS = Path(__file__).parent / "scripts.yaml"


@cache
def talk_book() -> TalkBook:
    """Return every talk script; raises pydantic's ValidationError if the file is not as it should be."""
    return TalkBook.model_validate(yaml.safe_load(SCRIPTS.read_text(encoding="utf-8")))


def talk_script(scam_type: str) -> TalkScript:
    """Return the script for ``scam_type``, the one of ``unknown`` where there is no other."""
    return talk_book().script(scam_type)


def what_to_say(scam_type: str, language: Language) -> str:
    """Return the first words to a person who may be in a fraud of ``scam_type``."""
    gap = "" if language == "zh" else " "
    return talk_book().shared.greeting.in_(language) + gap + talk_script(scam_type).in_short.in_(language)
