"""The exception tree of forestall: one root, a few branches, no raw identifiers in any message."""

__all__ = [
    "ConflictError",
    "DeliveryError",
    "ForestallError",
    "LakeError",
    "ModelError",
    "NotReadyError",
    "SettingsError",
]


class ForestallError(Exception):
    """Root of everything forestall raises on purpose.

    ``remedy`` says in a sentence what the reader can do about it; the command line prints both.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class SettingsError(ForestallError):
    """A setting or a command-line value that cannot be used."""


class DeliveryError(ForestallError):
    """A delivered file or folder that cannot be read."""


class LakeError(ForestallError):
    """The lake is missing, or does not hold what is asked of it."""


class NotReadyError(ForestallError):
    """Something has to be done first: ingest before train, train before score."""


class ModelError(ForestallError):
    """A model that cannot be trained, loaded or trusted."""


class ConflictError(ForestallError):
    """The same thing was changed by somebody else in the meantime, or a gate refused."""
