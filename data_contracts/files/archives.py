"""Archives as partners pack their files: gzip, and zip with one file or several."""

import gzip
import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath

from data_contracts.errors import DeliveryError

__all__ = ["MOST_UNPACKED_BYTES", "Member", "is_workbook", "unpack_gzip", "unpack_zip"]

#: What a file may hold unpacked; a small archive can hold a thousand times its size.
MOST_UNPACKED_BYTES = 1 << 30
_MOST_MEMBERS = 100
_LEFTOVERS = ("__MACOSX", ".", "~$", "thumbs.db", "desktop.ini")
_WORKBOOK = "[Content_Types].xml"
_IS_ENCRYPTED = 0x1
_REDELIVER = "Ask the source to deliver the file again."
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError)


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file out of an archive, with the name it has there."""

    name: str
    content: bytes


def is_workbook(content: bytes) -> bool:
    """Whether a zip archive is a workbook of a spreadsheet."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _WORKBOOK in archive.namelist()
    except _DAMAGED:
        return False


def unpack_gzip(content: bytes, *, name: str) -> bytes:
    """Unpack a gzip file; raises ``DeliveryError`` if it is damaged or too large."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            unpacked = packed.read(MOST_UNPACKED_BYTES + 1)
    except _DAMAGED:
        raise DeliveryError(f"{name} is a damaged gzip file.", remedy=_REDELIVER) from None
    if len(unpacked) > MOST_UNPACKED_BYTES:
        raise _too_large(name)
    return unpacked


def unpack_zip(content: bytes, *, name: str) -> tuple[Member, ...]:
    """Unpack a zip archive without what systems leave in it.

    Raises ``DeliveryError`` if it is damaged, encrypted, empty or too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _members(archive, name=name)
    except (NotImplementedError, RuntimeError):
        raise DeliveryError(
            f"{name} is packed in a way that is not understood.",
            remedy="Deliver it as an ordinary ZIP archive, as gzip, or unpacked.",
        ) from None
    except _DAMAGED:
        raise DeliveryError(f"{name} is a damaged ZIP or Excel file.", remedy=_REDELIVER) from None


def _members(archive: zipfile.ZipFile, *, name: str) -> tuple[Member, ...]:
    wanted = [one for one in archive.infolist() if not one.is_dir() and not _is_leftover(one)]
    if any(one.flag_bits & _IS_ENCRYPTED for one in wanted):
        raise DeliveryError(
            f"{name} is a ZIP archive with a password.",
            remedy="Ask the source to deliver it without one, or unpack it yourself.",
        )
    if not wanted:
        raise DeliveryError(f"{name} is an empty ZIP archive.", remedy=_REDELIVER)
    if len(wanted) > _MOST_MEMBERS or sum(one.file_size for one in wanted) > MOST_UNPACKED_BYTES:
        raise _too_large(name)
    return tuple(
        Member(name=PurePosixPath(one.filename).name, content=archive.read(one)) for one in wanted
    )


def _is_leftover(member: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    return path.parts[0] == "__MACOSX" or path.name.lower().startswith(_LEFTOVERS)


def _too_large(name: str) -> DeliveryError:
    return DeliveryError(
        f"{name} unpacked is over {MOST_UNPACKED_BYTES >> 30} GiB or {_MOST_MEMBERS} files.",
        remedy="Deliver it in several files.",
    )
