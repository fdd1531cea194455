"""A second factor: the codes of an authenticator app (TOTP, RFC 6238), and recovery codes for when
the device is lost.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest

import pyotp
import segno
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from serving.access.users import passwords
from serving.context.ports import Sealer
from serving.context.settings import AccessSettings
from serving.database.audit_chain import record_action
from serving.database.tables import RecoveryCodeRow, SecondFactorRow, UserRow
from serving.http.errors import ProblemError

__all__ = [
    "Enrolment",
    "begin_enrolment",
    "confirm_enrolment",
    "has_factor",
    "is_required",
    "makes_codes",
    "new_recovery_codes",
    "recovery_codes_left",
    "remove_factor",
    "take_code",
]

ISSUER = "forestall"
STEP_S = 30
STEPS_OFF = (-1, 0, 1)  # how far a device's clock may be off
RECOVERY_CODES = 10
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # without what looks alike
CODE_LENGTH = 10  # 49 bits


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """What a device is told: the secret, and a picture of it (SVG) for its camera."""

    secret: str
    picture: str


def is_required(settings: AccessSettings, user: UserRow) -> bool:
    """Say whether a user of this role has to have one; the identity provider asks its own."""
    return user.role in settings.second_factor_roles and user.subject is None


def has_factor(session: Session, user: UserRow) -> bool:
    """Say whether a user's device is asked for codes."""
    row = session.get(SecondFactorRow, user.id)
    return row is not None and row.confirmed_at is not None


def recovery_codes_left(session: Session, user: UserRow) -> int:
    """Return how many of a user's recovery codes are not used yet."""
    unused = RecoveryCodeRow.used_at.is_(None)
    count = select(func.count()).where(RecoveryCodeRow.user_id == user.id, unused)
    return session.scalar(count) or 0


def makes_codes(sealer: Sealer | None) -> Sealer:
    """Return what keeps the secrets; raises a 503 problem in a process without."""
    if sealer is None:
        raise ProblemError(
            503, "No secret can be kept by this process.", remedy="Start it with the vault's key."
        )
    return sealer


def begin_enrolment(session: Session, user: UserRow, *, sealer: Sealer) -> Enrolment:
    """Return a fresh secret for a device; it counts once a code of it was shown.

    Raises a 409 problem while another one counts.
    """
    row = session.get(SecondFactorRow, user.id)
    if row is not None and row.confirmed_at is not None:
        raise ProblemError(409, "There is a second factor already.", remedy="Remove it first.")
    secret = pyotp.random_base32()
    sealed = sealer.seal(secret, bound_to=_binding(user))
    session.merge(SecondFactorRow(user_id=user.id, sealed=sealed, last_step=0))
    session.flush()
    return _enrolment(user, secret)


def confirm_enrolment(
    session: Session,
    user: UserRow,
    *,
    code: str,
    hashes: list[str],
    sealer: Sealer,
    at: datetime,
) -> Enrolment | None:
    """Let the device count if ``code`` is its, audited, with the ``hashes`` of recovery codes; else
    return the secret that it was told, to try again.

    Raises a 409 problem where no enrolment was begun.
    """
    row = session.get(SecondFactorRow, user.id, with_for_update=True, populate_existing=True)
    if row is None or row.confirmed_at is not None:
        raise ProblemError(409, "No second factor is being set up.", remedy="Begin again.")
    if not _takes(row, user, code, sealer=sealer, at=at):
        return _enrolment(user, sealer.unseal(row.sealed, bound_to=_binding(user)))
    row.confirmed_at = at
    session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user.id))
    session.add_all(
        RecoveryCodeRow(user_id=user.id, place=place, code_hash=hashed)
        for place, hashed in enumerate(hashes)
    )
    record_action(session, at=at, actor=user.name, action="factor-set", subject=user.name)
    return None


def take_code(session: Session, user: UserRow, *, code: str, sealer: Sealer, at: datetime) -> bool:
    """Say whether ``code`` is the device's of this half minute, or a recovery code; either is taken
    once. A recovery code that is used is audited.
    """
    row = session.get(SecondFactorRow, user.id, with_for_update=True, populate_existing=True)
    if row is None or row.confirmed_at is None:
        return False
    return _takes(row, user, code, sealer=sealer, at=at) or _takes_recovery(
        session, user, code, at=at
    )


def remove_factor(session: Session, user: UserRow, *, at: datetime, actor: str) -> None:
    """Remove a user's device and recovery codes, audited.

    Raises a 404 problem where there is none.
    """
    row = session.get(SecondFactorRow, user.id)
    if row is None:
        raise ProblemError(404, "This user has no second factor.")
    session.delete(row)
    session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user.id))
    record_action(session, at=at, actor=actor, action="factor-removed", subject=user.name)


def new_recovery_codes() -> tuple[list[str], list[str]]:
    """Return fresh recovery codes, and their hashes in the same order: the first character of a
    code is its place among them, so that one hash has to be looked at and not ten.
    """
    codes = []
    for place in range(RECOVERY_CODES):
        digits = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        codes.append(f"{place}{digits[:4]}-{digits[4:]}")
    return codes, [passwords.hash_password(_bare(code)) for code in codes]


def _takes(row: SecondFactorRow, user: UserRow, code: str, *, sealer: Sealer, at: datetime) -> bool:
    device = pyotp.TOTP(sealer.unseal(row.sealed, bound_to=_binding(user)), interval=STEP_S)
    now = int(at.timestamp()) // STEP_S
    typed = "".join(code.split())
    for step in (now + off for off in STEPS_OFF):
        if step > row.last_step and compare_digest(
            device.generate_otp(step).encode(), typed.encode()
        ):
            row.last_step = step
            return True
    return False


def _takes_recovery(session: Session, user: UserRow, code: str, *, at: datetime) -> bool:
    bare = _bare(code)
    if len(bare) != CODE_LENGTH + 1 or not bare[0].isdecimal() or not bare.isascii():
        return False
    row = session.get(
        RecoveryCodeRow, (user.id, int(bare[0])), with_for_update=True, populate_existing=True
    )
    if row is None or row.used_at is not None:
        return False
    if not passwords.password_matches(bare, row.code_hash):
        return False
    row.used_at = at
    record_action(session, at=at, actor=user.name, action="factor-recovered", subject=user.name)
    return True


def _enrolment(user: UserRow, secret: str) -> Enrolment:
    address = pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(
        name=user.name, issuer_name=ISSUER
    )
    picture = segno.make(address, error="m").svg_inline(scale=4, border=4)
    return Enrolment(secret=secret, picture=picture)


def _bare(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()


def _binding(user: UserRow) -> str:
    """Return what a secret is bound to: it opens for this user only."""
    return f"second factor:{user.id}"
