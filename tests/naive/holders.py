"""Whose a number or an account is, by looking through all rows of the register; and which numbers
everybody hears from, by counting.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

Row = Mapping[str, Any]
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Held:
    """A time that one person held a number or account."""

    name: str
    person: str
    since: date | None
    until: date | None

    def on(self, day: date) -> bool:
        return (self.since is None or self.since <= day) and (
            self.until is None or day < self.until
        )


def times_held(rows: Iterable[Row], key: str, since: str) -> list[Held]:
    """In order of name and time; one person with several dates in a row holds since the first."""
    found: list[Held] = []
    ordered = sorted(rows, key=lambda row: (row[key], row[since] or date.min))
    for row in ordered:
        if found and found[-1].name == row[key]:
            last = found[-1]
            if last.person == row["person"]:
                continue
            found[-1] = Held(last.name, last.person, last.since, row[since])
        found.append(Held(row[key], row["person"], row[since], None))
    return found


def holder_on(held: Iterable[Held], name: str, day: date) -> str | None:
    return next((one.person for one in held if one.name == name and one.on(day)), None)


def present_rows(rows: Iterable[Row], key: str, since: str) -> list[Row]:
    """Of each name the row with the latest date."""
    ordered = sorted(rows, key=lambda row: row[since] or date.min)
    return list({row[key]: row for row in ordered}.values())


def whole_ms(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def mass_moments(contacts: Iterable[tuple[str, datetime]], limit: float) -> list[datetime]:
    """When more than ``limit`` persons had contact with a number within a day: ``contacts`` are all
    that it had, person and moment.
    """
    known = [(person, whole_ms(moment)) for person, moment in contacts]
    return [
        at
        for _, at in known
        if len({person for person, moment in known if at - DAY < moment <= at}) > limit
    ]


def is_set_aside(known_at: datetime, moments: Iterable[datetime], at: datetime) -> bool:
    """Whether a contact no longer counts: the number was one for everybody within 28 days before
    it, or was so since.
    """
    return any(whole_ms(known_at) - 28 * DAY <= moment < at for moment in moments)
