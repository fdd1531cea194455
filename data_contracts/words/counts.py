"""How many there are of a thing, in words."""

__all__ = ["choose_form", "count_things"]


def count_things(number: int, thing: str, many: str = "") -> str:
    """Return ``1 row`` or ``2,000 rows``; ``many`` is the plural of a ``thing`` that takes no s."""
    return f"{number:,} {choose_form(number, thing, many or f'{thing}s')}"


def choose_form(number: int, one: str, many: str) -> str:
    """Return the form of a word that a number asks for."""
    return one if number == 1 else many
