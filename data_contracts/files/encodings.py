"""Which characters the bytes of a delivered text file stand for."""

import re

import numpy as np

from data_contracts.errors import DeliveryError
from data_contracts.words.counts import count_things

__all__ = ["decode_text"]

_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_CUT = ("unexpected end of data", "incomplete multibyte sequence", "truncated data")
_HEAD = 4096
_CHINESE = re.compile("[\u3000-\u9fff\uff00-\uffef]")
# The bytes of two Chinese characters of UTF-8: one alone can come about by chance in GBK.
_TRAIL = (0x80, 0xBF)
_REDELIVER = "Ask the source to deliver the file again."
_ONE_ENCODING = "Ask the source to deliver the whole file in one encoding, best UTF-8."


def decode_text(content: bytes, *, name: str, encoding: str | None = None) -> str:
    """Decode a text file by byte order mark, else as UTF-8, else in the encoding its source's
    mapping says, else as GB18030 (which holds GBK and GB2312); line ends become LF.

    Raises ``DeliveryError`` where no encoding fits the whole file; it says which line does not.
    """
    marked = next((code for mark, code in _MARKS.items() if content.startswith(mark)), None)
    for candidate in _candidates(content, marked=marked, encoding=encoding):
        if not candidate.startswith("utf") and _has_utf8_lines(content):
            break
        try:
            decoded = content.decode(candidate)
        except UnicodeDecodeError as error:
            _refuse_cut_end(content, error=error, name=name)
            continue
        text = decoded.lstrip("\ufeff")
        if "\r" in text:
            text = text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
        return text
    raise _unfit(content, name=name)


def _candidates(content: bytes, *, marked: str | None, encoding: str | None) -> list[str]:
    """Encodings to try, in this order."""
    if marked is not None:
        return [marked]
    wide = _wide_encoding(content)
    if wide is not None:
        return [wide]
    others = [code for code in (encoding, "gb18030") if code]
    # A few words of GBK can pass for UTF-8 with odd Latin letters: the mapping knows better.
    if encoding and not content.isascii() and not _reads_chinese(content):
        return [*others, "utf-8"]
    return ["utf-8", *others]


def _wide_encoding(content: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of what is plain is zero."""
    head = content[:_HEAD]
    first, second = head[0::2], head[1::2]
    if second.count(0) > 0.3 * len(second) and first.count(0) == 0:
        return "utf-16-le"
    if first.count(0) > 0.3 * len(first) and second.count(0) == 0:
        return "utf-16-be"
    return None


def _reads_chinese(content: bytes) -> bool:
    try:
        return bool(_CHINESE.search(content.decode()))
    except UnicodeDecodeError:
        return False


def _refuse_cut_end(content: bytes, *, error: UnicodeDecodeError, name: str) -> None:
    # Only the end of ASCII text says nothing about which of the encodings was cut.
    at_end = error.end >= len(content) - 4 and b"\n" not in content[error.start :]
    if error.reason in _CUT and at_end and not content[: error.start].isascii():
        raise DeliveryError(
            f"{name} is truncated in the middle of a character.", remedy=_REDELIVER
        ) from None


def _has_utf8_lines(content: bytes) -> bool:
    """Whether some lines of a file that is not UTF-8 as a whole are Chinese in UTF-8: another
    encoding would make wrong characters of them.
    """
    found = np.frombuffer(content, dtype=np.uint8)
    leads = np.flatnonzero((found[:-5] >= 0xE4) & (found[:-5] <= 0xE9))
    for offset, (low, high) in enumerate((_TRAIL, _TRAIL, (0xE4, 0xE9), _TRAIL, _TRAIL), start=1):
        follow = found[leads + offset]
        leads = leads[(follow >= low) & (follow <= high)]
    return any(_is_utf8(_line_around(content, at=at)) for at in leads.tolist())


def _line_around(content: bytes, *, at: int) -> bytes:
    end = content.find(b"\n", at)
    return content[content.rfind(b"\n", 0, at) + 1 : end if end >= 0 else len(content)]


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _unfit(content: bytes, *, name: str) -> DeliveryError:
    """The error for a file that no encoding fits, with the first line that is unlike the others."""
    utf8: list[int] = []
    others: list[int] = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.isascii():
            continue
        (utf8 if _is_utf8(line) else others).append(number)
    if not utf8:
        return _unfit_for_gb18030(content, name=name)
    fewer, most = (utf8, "GB18030") if len(utf8) < len(others) else (others, "UTF-8")
    return DeliveryError(
        f"{name} is text in {most}, but for {count_things(len(fewer), 'line')}; the first is line "
        f"{fewer[0]}.",
        remedy=_ONE_ENCODING,
    )


def _unfit_for_gb18030(content: bytes, *, name: str) -> DeliveryError:
    lines = content.split(b"\n")
    unfit = [number for number, line in enumerate(lines, start=1) if not _is_gb18030(line)]
    if unfit and len(unfit) < sum(not line.isascii() for line in lines) / 2:
        where = f"{name} is text in GB18030, but for {count_things(len(unfit), 'line')}"
        return DeliveryError(f"{where}; the first is line {unfit[0]}.", remedy=_ONE_ENCODING)
    return DeliveryError(
        f"{name} is not text in UTF-8 or GB18030.",
        remedy="Deliver CSV in one of these encodings.",
    )


def _is_gb18030(line: bytes) -> bool:
    try:
        line.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True
