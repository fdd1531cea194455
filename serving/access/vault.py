"""The vault of names and numbers, where this process has one."""

from serving.context.ports import IdentityVault
from serving.http.errors import ProblemError

__all__ = ["opened_vault"]


def opened_vault(vault: IdentityVault | None) -> IdentityVault:
    """Return the vault; raises a 503 problem in a process that was started without one."""
    if vault is None:
        raise ProblemError(
            503,
            "Names and numbers are not open to this process.",
            remedy="Start it with the vault's key.",
        )
    return vault
