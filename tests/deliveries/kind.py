"""What a kind of delivery is: what the partner sent, and how it must end, read from YAML.

A file of `kinds/` holds the words of the page `docs/bad-inputs.md` (``title``, ``sent``,
``outcome``), the landing folder as text (``files``), how every file must end (``ends``) and what
the lake must answer afterwards (``lake``). ``then`` are further deliveries into the same home.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator

from tests.pipelines.landing import SHANGHAI, id_number

FOLDER = Path(__file__).parent / "kinds"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
BEGIN = datetime(2026, 6, 15, 8, tzinfo=SHANGHAI)

Packing = Literal["", "xlsx", "zip", "gz"]
Status = Literal["accepted", "partly", "held", "unreadable", "duplicate"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(_Strict):
    """The same in English and Chinese."""

    en: str
    zh: str


class Filler(_Strict):
    """Ordinary rows after those that matter: so many, each like a template (see ``fill``)."""

    rows: int
    like: str
    first: int = 0


class SentFile(_Strict):
    """One delivered file: its text and how the text became bytes.

    ``end`` is the line end. ``marks`` byte order marks stand before it. ``packed`` puts it into an
    archive or a workbook, whatever its name says; ``inside`` is its name there. ``sheets`` are
    the sheets of a workbook with typed cells, in place of ``text``. ``lines`` are single lines in
    another encoding, by number from 1.
    """

    text: str = ""
    more: Filler | None = None
    encoding: str = "utf-8"
    end: str = "\n"
    marks: int = 0
    packed: Packing = ""
    inside: str = "delivery.csv"
    sheets: Mapping[str, list[list[Any]]] = Field(default_factory=dict)
    lines: Mapping[int, str] = Field(default_factory=dict)

    def whole_text(self) -> str:
        """The text with its filler, lines ending in LF."""
        more = self.more
        filler = fill(more.like, rows=more.rows, first=more.first) if more else ""
        return self.text + filler


class FileEnd(_Strict):
    """How one file must end.

    ``reasons`` counts the rows by reason code, ``says`` are parts of the reason for the whole file,
    ``warnings`` a part of each warning, ``skipped`` the rows left out by plain reason.
    """

    status: Status = "accepted"
    accepted: int = 0
    quarantined: int = 0
    duplicates: int = 0
    held: int = 0
    skipped: Mapping[str, int] = Field(default_factory=dict)
    reasons: Mapping[str, int] = Field(default_factory=dict)
    says: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class LakeQuestion(_Strict):
    """SQL over the lake's tables and its answer: a value, or rows.

    ``{number:95588}``, ``{account:6222...}`` and ``{person:...}`` stand for the pseudonym of what
    the right reading gives.
    """

    sql: str
    answer: Any


class Step(_Strict):
    """One delivery into the home: files put there, then one run of ingest with its options."""

    files: Mapping[str, SentFile] = Field(default_factory=dict)
    remove: tuple[str, ...] = ()
    options: Mapping[str, Any] = Field(default_factory=dict)
    ends: Mapping[str, FileEnd] = Field(default_factory=dict)
    lake: tuple[LakeQuestion, ...] = ()

    @field_validator("files", mode="before")
    @classmethod
    def _text_alone(cls, files: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            path: {"text": file} if isinstance(file, str) else file for path, file in files.items()
        }


class Kind(Step):
    """A kind of delivery; ``wrong_today`` says what is still missing, empty once it ends right."""

    name: str
    group: str
    title: Words
    sent: Words
    outcome: Words
    settings: Mapping[str, Any] = Field(default_factory=dict)
    sources: Mapping[str, Any] = Field(default_factory=dict)
    then: tuple[Step, ...] = ()
    wrong_today: str = ""

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """All deliveries in their order, the first one included."""
        first = {name: getattr(self, name) for name in Step.model_fields}
        return (Step.model_construct(**first), *self.then)


def load_kinds() -> Iterator[Kind]:
    """Every kind, by group and name."""
    for path in sorted(FOLDER.glob("*/*.yaml")):
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)
        yield Kind.model_validate({"name": path.stem, "group": path.parent.name, **content})


def fill(like: str, *, rows: int, first: int = 0) -> str:
    """Lines like a template, one a number ``i`` from ``first``.

    Names in braces: ``i``, ``msisdn``, ``peer``, ``account``, ``payee``, ``id``, ``sex`` and
    ``birth`` (of 40 people) and ``clock`` (a minute after the line before, from 08:00 on).
    """
    lines = (
        like.format(
            i=number,
            msisdn=f"138{number % 40:08d}",
            peer=f"139{number:08d}",
            account=f"622202020001{number % 40:07d}",
            payee=f"621700000000{number:07d}",
            id=id_number(number % 40),
            sex="FM"[number % 2],
            birth=f"{1950 + number % 40}-03-07",
            clock=f"{BEGIN + timedelta(minutes=number % 900):%H:%M}",
        )
        for number in range(first, first + rows)
    )
    return "".join(f"{line}\n" for line in lines)
