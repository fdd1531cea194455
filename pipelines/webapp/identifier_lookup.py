"""From a number or an ID as people write it to the pseudonyms it goes by."""

from collections.abc import Sequence
from functools import cached_property

from data_contracts.pseudonyms import Pseudonymiser
from pipelines.ingestion.pseudonymisation import load_pseudonymiser, pseudonymise_identifier
from pipelines.settings import Settings
from pipelines.storage.installation.vault import IdentifierKind, Vault

__all__ = ["IdentifierLookup"]

KINDS: tuple[IdentifierKind, ...] = ("person", "number", "account")


class IdentifierLookup:
    """Knows the pseudonym of any identifier, and who holds a phone number. The identifier itself is
    kept nowhere.

    The key of pseudonyms is opened when it is needed, and never made: the pages do without it.
    """

    def __init__(self, settings: Settings, *, vault: Vault) -> None:
        self._settings = settings
        self._vault = vault

    @cached_property
    def _pseudonymiser(self) -> Pseudonymiser:
        return load_pseudonymiser(self._settings, makes=False)

    def __call__(self, value: str, /) -> Sequence[str]:
        """The pseudonyms of ``value`` as an ID, a phone number and an account, and of whoever holds
        the number. Raises ``NotReadyError`` where the key of pseudonyms is not there.
        """
        keys = [
            pseudonymise_identifier(value, kind=kind, pseudonymiser=self._pseudonymiser)
            for kind in KINDS
        ]
        known = [key for key in keys if key]
        return [*known, *self._vault.holders_of([key for key in known if key.startswith("n")])]
