"""Fields of forms that several pages share, and the problem of a form that cannot be used."""

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, ValidationError

from serving.http.errors import ProblemError
from serving.http.notes import IDENTIFIER
from serving.vocabulary.times import SHANGHAI

__all__ = ["Blank", "LocalMoment", "form_problem", "to_local_time"]

Blank = BeforeValidator(lambda value: value if value != "" else None)


def to_local_time(value: object) -> object:
    """Give a time typed into a form its zone."""
    if isinstance(value, str) and value:
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    return (
        value.replace(tzinfo=SHANGHAI)
        if isinstance(value, datetime) and value.tzinfo is None
        else value
    )


LocalMoment = Annotated[datetime | None, Blank, BeforeValidator(to_local_time)]


def form_problem(error: ValueError) -> ProblemError:
    """Return the problem of a form that cannot be used, in words for people.

    It repeats nothing that was typed.
    """
    faults = error.errors() if isinstance(error, ValidationError) else []
    if any(IDENTIFIER in fault["msg"] for fault in faults):
        return ProblemError(
            422,
            "The text seems to hold a phone, ID or card number.",
            remedy="Leave such numbers out and record it again.",
        )
    return ProblemError(
        422,
        "Something in the form cannot be used.",
        remedy="Choose a result, say why where it is asked, "
        "write days as numbers and amounts in yuan.",
        fields=[str(fault["loc"][0]) for fault in faults if fault["loc"]],
    )
