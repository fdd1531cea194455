"""Free text without identifiers: what people write down must not hold phone, ID or card numbers.

Dates, times, amounts and the short numbers of services (96110) pass.
"""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

__all__ = ["IDENTIFIER", "Note", "holds_identifier"]

IDENTIFIER = "holds what looks like a phone, ID or card number; leave it out"
DATE = re.compile(r"(?<!\d)(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}(?!\d)")
GAP = r"[ \-–—·.]?"
LOOKS = tuple(
    re.compile(rf"(?<!\d)(?:{form})(?!\d)")
    for form in (
        rf"(?:\+?(?:00)?86{GAP})?1[3-9]\d{GAP}\d{{4}}{GAP}\d{{4}}",  # a mobile number
        rf"0\d{{2,3}}{GAP}\d{{7,8}}",  # a landline with its area code
        rf"400{GAP}\d{{3}}{GAP}\d{{4}}",
        rf"\d{{6}}{GAP}\d{{8}}{GAP}\d{{3}}[\dXx]",  # an ID number
        rf"\d{{4}}(?:{GAP}\d{{4}}){{3}}(?:{GAP}\d{{1,3}})?",  # a card, in fours
        r"\d{10,}",  # no amount, date or time is so long
    )
)


def holds_identifier(text: str) -> bool:
    """Say whether ``text`` holds something that looks like a phone, ID or card number, in whatever
    width.
    """
    plain = DATE.sub(" ", unicodedata.normalize("NFKC", text))
    return any(form.search(plain) for form in LOOKS)


def without_identifiers(text: str) -> str:
    """Return ``text``; raises ValueError, which does not repeat it, if it holds an identifier."""
    if holds_identifier(text):
        raise ValueError(IDENTIFIER)
    return text


Note = Annotated[
    str,
    Field(max_length=2000, pattern=r"^[^\x00]*$", examples=["已当面劝阻，未转账"]),
    AfterValidator(without_identifiers),
]
