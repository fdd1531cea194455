"""From a number or an ID as people write it to the pseudonyms it goes by."""

from collections.abc import Sequence

from pipelines.ingestion.pseudonymisation import load_pseudonymiser, pseudonymise_identifier
from pipelines.settings import Settings
from pipelines.storage.vault import IdentifierKind, Vault

__all__ = ["IdentifierLookup"]

KINDS: tuple[IdentifierKind, ...] = ("person", "number", "account")


class IdentifierLookup:
    """Knows the pseudonym of any identifier, and who holds a phone number. The identifier itself is
    kept nowhere.
    """

    def __init__(self, settings: Settings, *, vault: Vault) -> None:
        self._pseudonymiser = load_pseudonymiser(settings)
        self._vault = vault

    def __call__(self, value: str, /) -> Sequence[str]:
        """The pseudonyms of ``value`` as an ID, a phone number and an account, and of whoever holds
        the number.
        """
        keys = [
            pseudonymise_identifier(value, kind=kind, pseudonymiser=self._pseudonymiser)
            for kind in KINDS
        ]
        known = [key for key in keys if key]
        return [*known, *self._vault.holders_of([key for key in known if key.startswith("n")])]
