"""Passwords: what makes one strong, and their argon2id hashes.

The parameters are those of RFC 9106 for machines without memory to spare (64 MiB, 3 passes). A hash
with other parameters is replaced at the next login.
"""

import secrets
import unicodedata
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from serving.http.errors import ProblemError

__all__ = [
    "MAX_LENGTH",
    "hash_password",
    "is_outdated",
    "password_matches",
    "require_strong_password",
]

MAX_LENGTH = 200
FEWEST_DIFFERENT = 5
SAFE_SCORE = 4  # of 4: 10¹⁰ guesses and more
LONGEST_GUESSED = 72
HASHER = PasswordHasher()
AT_ONCE = BoundedSemaphore(2)  # a hash takes 64 MiB: a flood of logins must not take all there is


def hash_password(password: str) -> str:
    """Return the hash of a password, as the database stores it."""
    with AT_ONCE:
        return HASHER.hash(_canonical(password))


def password_matches(password: str, stored_hash: str | None) -> bool:
    """Say whether this is the password behind the hash ``stored_hash``.

    It takes as long where there is none, so that the time does not tell who has an account.
    """
    with AT_ONCE:
        try:
            return (
                HASHER.verify(stored_hash or _dummy_hash(), _canonical(password))
                and stored_hash is not None
            )
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(stored_hash: str) -> bool:
    """Say whether the hash ``stored_hash`` was made with weaker parameters than today's."""
    return HASHER.check_needs_rehash(stored_hash)


def require_strong_password(
    password: str, *, name: str, length: int, stored_hash: str | None = None
) -> None:
    """Raise a 422 problem unless the password is long enough, varied, hard to guess, new, and does
    not hold the user's name.
    """
    canonical = _canonical(password)
    if len(canonical) < length:
        raise ProblemError(
            422,
            "This password is too short.",
            remedy="Choose a longer one; several words are easiest.",
        )
    if len(set(canonical)) < FEWEST_DIFFERENT:
        raise ProblemError(
            422, "This password repeats few characters.", remedy="Choose a more varied one."
        )
    if _is_easily_guessed(canonical, name=name):
        raise ProblemError(
            422,
            "This password is easily guessed.",
            remedy="Choose several words that do not belong together.",
        )
    if name.casefold() in canonical.casefold():
        raise ProblemError(
            422, "This password holds the user's name.", remedy="Choose one without the name."
        )
    if stored_hash is not None and password_matches(password, stored_hash):
        raise ProblemError(422, "This is the password of before.", remedy="Choose a new one.")


def _is_easily_guessed(canonical: str, *, name: str) -> bool:
    """Say whether common passwords, words, dates, keyboard rows and their usual disguises give it
    away; all lists are in the package.
    """
    from zxcvbn import zxcvbn

    found = zxcvbn(canonical[:LONGEST_GUESSED], user_inputs=[name, "forestall"])
    return bool(found["score"] < SAFE_SCORE)


def _canonical(password: str) -> str:
    """The same characters however they were typed: full-width letters and composed accents count as
    plain ones.
    """
    return unicodedata.normalize("NFKC", password)


@cache
def _dummy_hash() -> str:
    """Return a hash that no password matches."""
    return HASHER.hash(secrets.token_urlsafe())
