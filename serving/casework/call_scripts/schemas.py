"""What a talk script holds."""

from itertools import pairwise
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from serving.vocabulary.languages import Language

__all__ = ["Line", "Shared", "Talk", "TalkBook", "TalkScript"]

ANY = "unknown"


class Strict(BaseModel):
    """A part of the scripts that knows each of its fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Line(Strict):
    """One sentence in both languages."""

    zh: Annotated[str, Field(min_length=1, max_length=60, examples=["最近谁自称警察找过您？"])]
    en: Annotated[str, Field(min_length=1, max_length=150, examples=["Who has called lately as police?"])]

    def in_(self, language: Language) -> str:
        """Return the sentence in ``language``."""
        return self.zh if language == "zh" else self.en


Lines = Annotated[tuple[Line, ...], Field(min_length=1)]


class Shared(Strict):
    """What holds for every talk: who calls and how to check it, what never to do, when somebody has to go there."""

    greeting: Line
    opening: Lines
    avoid: Lines
    escalate: Lines


class Talk(Strict):
    """What is special about the talk of one scam type. Raises ValueError for days that do not count upwards."""

    in_short: Line
    ask: Lines
    say: Lines
    avoid: Lines
    escalate: Lines
    follow_up_days: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _days_count_upwards(self) -> Self:
        if any(later <= earlier for earlier, later in pairwise(self.follow_up_days)):
            raise ValueError("follow_up_days must count upwards")
        return self


class TalkBook(Strict):
    """Every talk by its scam type. Raises ValueError without a talk for scam types that nobody wrote one for."""

    shared: Shared
    talks: dict[str, Talk]

    @model_validator(mode="after")
    def _something_to_say_to_anybody(self) -> Self:
        if ANY not in self.talks:
            raise ValueError(f"talks needs {ANY}")
        return self

    def script(self, scam_type: str) -> "TalkScript":
        """Return the whole script for ``scam_type``, the one of ``unknown`` where there is no other."""
        told_as = scam_type if scam_type in self.talks else ANY
        talk, shared = self.talks[told_as], self.shared
        return TalkScript(
            scam_type=told_as,
            in_short=talk.in_short,
            opening=(shared.greeting, *shared.opening),
            ask=talk.ask,
            say=talk.say,
            avoid=(*talk.avoid, *shared.avoid),
            escalate=(*talk.escalate, *shared.escalate),
            follow_up_days=talk.follow_up_days,
        )


class TalkScript(Strict):
    """What the person who calls says and asks, in this order, what not, when somebody goes there, when to ask anew.

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
