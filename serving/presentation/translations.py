"""Every text that serving shows, through gettext: the English text is the key, other languages
are catalogues in ``locale/``.

A table of labels holds marked texts, which are translated where they are shown.

Catalogues are read from their ``.po`` file; nothing is compiled beforehand, so an edited catalogue
needs no build.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.dates import format_date, format_skeleton, format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

from serving.vocabulary.languages import Language

__all__ = ["LOCALE", "NN_", "NP_", "N_", "Translator", "get_translator"]

LOCALE = Path(__file__).parent / "locale"

NOON = time(12)
CONTEXT_END = "\x04"  # so catalogues keep a context before its text


def N_(text: str) -> str:  # noqa: N802  the name that gettext knows
    """Mark ``text`` as one to be translated where it is shown, not here."""
    return text


def NP_(context: str, text: str) -> str:  # noqa: N802  the name that gettext knows
    """Mark ``text`` like ``N_`` where it needs a context: a short word, or one that is said
    otherwise elsewhere.
    """
    return context + CONTEXT_END + text


def NN_(one: str, many: str) -> tuple[str, str]:  # noqa: N802  in the manner of the others
    """Mark the two forms of a text that counts, to be chosen and translated where it is shown."""
    return one, many


KINDS = (N_("nightly"), N_("intraday"))
PHRASES = (N_("Not Found"), N_("Method Not Allowed"))


@dataclass(frozen=True)
class Translator:
    """Says things in one language: texts by their English words, numbers and times as its readers
    write them.
    """

    language: Language
    catalogue: NullTranslations

    def __call__(self, text: str, /, **values: object) -> str:
        """Return ``text`` in the language, its ``{placeholders}`` filled.

        What has no translation stays English.
        """
        context, _, key = text.rpartition(CONTEXT_END)
        if not key:  # under no text a catalogue keeps its head
            return ""
        said = self.catalogue.pgettext(context, key) if context else self.catalogue.gettext(key)
        return said.format(**values) if values else said

    def label(self, table: Mapping[str, str], code: str) -> str:
        """Return what ``table``, of marked texts, calls ``code``; a code that is not in it speaks
        for itself.
        """
        return self(table[code]) if code in table else code

    def plural(self, one: str, many: str, count: int, /, **values: object) -> str:
        """Return the form of the text that ``count`` needs; ``{count}`` in it is the number as
        people write it.
        """
        return self.catalogue.ngettext(one, many, count).format(count=self.number(count), **values)

    def number(self, value: float, digits: int = 0) -> str:
        """Return a number with its thousands apart and ``digits`` decimals."""
        return format_decimal(
            value, "#,##0" + ("." + "0" * digits if digits else ""), locale=self.language
        )

    def percent(self, share: float, digits: int = 1) -> str:
        """Return a share between 0 and 1 in per cent."""
        return format_percent(
            share, "#,##0" + ("." + "0" * digits if digits else "") + "%", locale=self.language
        )

    def money(self, amount_cny: float | None) -> str:
        """Return an amount in whole yuan, a dash for none."""
        return (
            "–"
            if amount_cny is None
            else format_decimal(amount_cny, "¥#,##0", locale=self.language)
        )

    def moment(self, at: datetime) -> str:
        """Return a day and a time, without the year."""
        return f"{self.day(at)} {at:%H:%M}"

    def span(self, length: timedelta) -> str:
        """Return how long something took, in its largest unit."""
        return format_timedelta(
            length, granularity="second", threshold=1.5, format="short", locale=self.language
        )

    def day(self, at: date) -> str:
        """Return a day without the year."""
        return format_skeleton("MMMd", datetime.combine(at, NOON, UTC), locale=self.language)

    def long_day(self, at: date) -> str:
        """Return a day without the year as it stands in a sentence, its month in full."""
        return format_date(at, self(NP_("date pattern", "MMMM d")), locale=self.language)


@cache
def get_translator(language: Language) -> Translator:
    """Return the translator into ``language``; English needs no catalogue."""
    path = LOCALE / language / "LC_MESSAGES" / "messages.po"
    return Translator(language, _read(path) if path.exists() else NullTranslations())


def _read(path: Path) -> GNUTranslations:
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=path.parts[-3]))
    compiled.seek(0)
    return GNUTranslations(compiled)
