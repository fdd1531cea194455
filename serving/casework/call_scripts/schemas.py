"""What a call script holds."""

from itertools import pairwise
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

__all__ = ["CallScript", "CallScriptBook", "Line", "PaidScript", "ScamTypeScript", "SharedLines"]

ANY = "unknown"


class Strict(BaseModel):
    """A part of the scripts that knows each of its fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Line(Strict):
    """One sentence in both languages."""

    zh: Annotated[str, Field(min_length=1, max_length=60, examples=["最近谁自称警察找过您？"])]
    en: Annotated[
        str, Field(min_length=1, max_length=150, examples=["Who has called lately as police?"])
    ]


Lines = Annotated[tuple[Line, ...], Field(min_length=1)]


class SharedLines(Strict):
    """What holds for every call: who calls and how to check it, what never to do, when somebody has
    to go there.
    """

    greeting: Line
    opening: Lines
    avoid: Lines
    escalate: Lines


class PaidScript(Strict):
    """What is special about the call to somebody whose money has gone already."""

    in_short: Line
    ask: Lines
    say: Lines
    avoid: Lines
    escalate: Lines


class ScamTypeScript(PaidScript):
    """What is special about the call of one scam type.

    Raises ValueError for days that do not count upwards.
    """

    follow_up_days: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _days_count_upwards(self) -> Self:
        if any(later <= earlier for earlier, later in pairwise(self.follow_up_days)):
            raise ValueError("follow_up_days must count upwards")
        return self


class CallScriptBook(Strict):
    """Every call script by its scam type.

    Raises ValueError without the script of ``unknown``, which serves every scam type that has none.
    """

    shared: SharedLines
    already_paid: PaidScript
    scripts: dict[str, ScamTypeScript]

    @model_validator(mode="after")
    def _has_fallback_script(self) -> Self:
        if ANY not in self.scripts:
            raise ValueError(f"scripts needs {ANY}")
        return self

    def script(self, scam_type: str, *, already_paid: bool = False) -> "CallScript":
        """Return the whole script for ``scam_type``, the one of ``unknown`` where there is no
        other; with the words for money that is ``already_paid`` in the place of the type's own.
        """
        known_type = scam_type if scam_type in self.scripts else ANY
        of_type, shared = self.scripts[known_type], self.shared
        script = self.already_paid if already_paid else of_type
        return CallScript(
            scam_type=known_type,
            in_short=script.in_short,
            opening=(shared.greeting, *shared.opening),
            ask=script.ask,
            say=script.say,
            avoid=(*script.avoid, *shared.avoid),
            escalate=(*script.escalate, *shared.escalate),
            follow_up_days=of_type.follow_up_days,
        )


class CallScript(Strict):
    """What the person who calls says and asks, in this order, what not, when somebody goes there,
    when to ask anew.

    ``scam_type`` is ``unknown`` where the type asked for has no script of its own.
    """

    scam_type: Annotated[str, Field(examples=["police"])]
    in_short: Line
    opening: tuple[Line, ...]
    ask: tuple[Line, ...]
    say: tuple[Line, ...]
    avoid: tuple[Line, ...]
    escalate: tuple[Line, ...]
    follow_up_days: Annotated[tuple[int, ...], Field(examples=[[1, 3, 7]])]
