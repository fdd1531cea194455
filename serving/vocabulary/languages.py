"""The two languages of the pages, and a phrase in both."""

from typing import Literal, NamedTuple

__all__ = ["Language", "Words"]

Language = Literal["zh", "en"]


class Words(NamedTuple):
    """One thing said in both languages."""

    zh: str
    en: str

    def in_(self, language: Language) -> str:
        """Return the words in ``language``."""
        return self.zh if language == "zh" else self.en
