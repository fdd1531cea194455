"""The two languages of the pages, and what is declared in both."""

from typing import Literal, Protocol

__all__ = ["Bilingual", "Language", "read_in"]

Language = Literal["zh", "en"]


class Bilingual(Protocol):
    """What is declared or published in both languages: a reason, a scam type's name, a sentence of
    a call script.
    """

    @property
    def zh(self) -> str:
        """The Chinese text."""

    @property
    def en(self) -> str:
        """The English text."""


def read_in(text: Bilingual, language: Language) -> str:
    """Return what ``text`` says in ``language``."""
    return text.zh if language == "zh" else text.en
