"""What is said when an object store refuses or does not answer.

Its libraries raise errors of many types. Their words may hold parts of requests, so they are not
repeated.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from data_contracts.errors import ForestallError, LakeError

__all__ = ["comes_from_objects", "is_refusal", "plain_answers"]

MARKS = ("S3 error", "object-store error", "Object at location", "Error performing ")
REFUSALS = ("401 ", "403 ", "Unauthenticated", "PermissionDenied", "AccessDenied")
NO_BUCKET = "NoSuchBucket"
MISSING = ("NoSuchKey", "404 ")
KEPT = (
    "What was committed before is kept; a load that was under way is in the lake whole or not at "
    "all."
)


def comes_from_objects(error: BaseException) -> bool:
    """Whether an error of a library tells of an object store."""
    if isinstance(error, ForestallError):
        return False
    module = type(error).__module__
    return module.startswith("obstore") or any(mark in str(error) for mark in MARKS)


def is_refusal(error: BaseException) -> bool:
    """Whether it answered, and asking again is of no use."""
    return any(mark in str(error) for mark in (*REFUSALS, NO_BUCKET))


@contextmanager
def plain_answers(kept: str = KEPT) -> Iterator[None]:
    """What an object store does wrong inside the block is a ``LakeError``; other errors pass
    through. ``kept`` says what still stands.
    """
    try:
        yield
    except Exception as error:
        if not comes_from_objects(error):
            raise
        raise plain_error(error, kept) from None  # the words of a library stay unsaid


def plain_error(error: BaseException, kept: str) -> LakeError:
    """The error in our words."""
    words = str(error)
    if NO_BUCKET in words:
        return LakeError(
            f"the object store has no such bucket. {kept}",
            remedy="Make the bucket that storage.url names, or correct it.",
        )
    if any(mark in words for mark in MISSING):
        return LakeError(
            f"an object that should be in the object store is missing. {kept}",
            remedy="Bring it back from an earlier version of the bucket or from a backup.",
        )
    if is_refusal(error):
        return LakeError(
            f"the object store refused a request. {kept}",
            remedy="Check the credentials in the environment (AWS_ACCESS_KEY_ID, ...) or the role "
            "of this machine, and what they may do in the bucket of storage.url.",
        )
    return LakeError(
        f"the object store did not answer. {kept}",
        remedy="Run the command again; if it goes on, look whether storage.endpoint can be "
        "reached, and at storage.answer_seconds and storage.retries.",
    )
