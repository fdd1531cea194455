import pytest

from data_contracts.errors import DeliveryError
from data_contracts.files.encodings import decode_text

LINES = "姓名,性别\n王芳,女\n李强,男\n张伟,男\n"


def decode(content, **options):
    return decode_text(content, name="residents.csv", **options)


@pytest.mark.parametrize(
    "content",
    [
        LINES.encode(),
        LINES.encode("utf-8-sig"),
        b"\xef\xbb\xbf" + LINES.encode("utf-8-sig"),
        LINES.encode("gb18030"),
        LINES.encode("utf-16"),
        LINES.encode("utf-16-le"),
        LINES.encode("utf-16-be"),
        LINES.replace("\n", "\r\n").encode(),
        LINES.replace("\n", "\r\r\n").encode("gb18030"),
        LINES.replace("\n", "\r").encode(),
    ],
)
def test_every_encoding_and_line_end(content):
    assert decode(content) == LINES


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_what_the_mapping_says_does_not_spoil_another_encoding(encoding):
    assert decode(LINES.encode(), encoding=encoding) == LINES
    assert decode(LINES.encode("gb18030"), encoding=encoding) == LINES


def test_the_mapping_says_what_two_encodings_could_be():
    assert decode("a,女\n".encode("gb18030"), encoding="gb18030") == "a,女\n"
    assert decode("José\n".encode()) == "José\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            LINES.encode() + "赵敏,女\n".encode("gb18030"),
            "is text in UTF-8, but for 1 line; the first is line 5",
        ),
        (
            # Read as GB18030 every one of these lines would be characters, but the wrong ones.
            "测试00,a\n".encode() * 3 + "赵敏,b\n".encode("gb18030"),
            "is text in UTF-8, but for 1 line; the first is line 4",
        ),
        (
            LINES.encode("gb18030") + "测试00,a\n".encode(),
            "is text in GB18030, but for 1 line; the first is line 5",
        ),
        (LINES.encode("gb18030") + b"\xff,b\n", "in GB18030, but for 1 line; the first is line 5"),
        (b"a\n\xff\xff,b\n", "not text in UTF-8 or GB18030"),
        (LINES.encode()[:-6], "truncated in the middle of a character"),
        (LINES.encode("gb18030")[:-2], "truncated in the middle of a character"),
    ],
)
def test_a_file_in_no_encoding_says_which_line_is_unlike_the_others(content, message):
    with pytest.raises(DeliveryError, match=message) as raised:
        decode(content)
    assert raised.value.remedy
