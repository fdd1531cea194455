"""A cursor that somebody made up or changed is their mistake, on every page of rows."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.http.errors import ProblemError
from serving.http.paging import decode_cursor, encode_cursor
from tests.serving.conftest import Client

PAGES = (
    "/api/v1/alerts?",
    "/api/v1/alerts?sort=score&",
    "/api/v1/alerts?sort=saving_cny&",
    "/api/v1/alerts?sort=issued_at&",
    "/api/v1/watchlists?",
    "/api/v1/suspects?kind=number&",
    "/api/v1/follow-ups?",
    "/api/v1/suppressions?",
    "/api/v1/outreach-lists?",
    "/api/v1/users?",
    "/api/v1/tokens?",
    "/api/v1/audit?",
    "/api/v1/webhooks?",
)
TAMPERED = (
    "é",
    "=",
    "W1tbW1tbW1tb",
    encode_cursor(),
    encode_cursor(None),
    encode_cursor(True),
    encode_cursor(2**31),
    encode_cursor(2**80),
    encode_cursor("\ud800"),
    encode_cursor("a\0"),
    encode_cursor(float("nan")),
    *(
        encode_cursor(sort, value, 1)
        for sort in ("rank", "score", "saving_cny", "issued_at")
        for value in ("", "x", "nan", "9" * 100, "0001-01-01", "9999-12-31T23:59:59", "\udfff")
    ),
    encode_cursor("number", 2**31, 1),
    encode_cursor("number", 999, 1),
    encode_cursor("2026-99-99", 1),
)
PLACES_ELSEWHERE = {encode_cursor(sort, "9" * 100, 1) for sort in ("score", "saving_cny")}


@pytest.mark.parametrize("page", PAGES)
def test_anonymous_is_not_told_what_is_wrong_with_a_cursor(client: Client, page: str) -> None:
    assert client.get(f"{page}cursor=W10").status_code == 401


@pytest.mark.parametrize("page", PAGES)
def test_a_tampered_cursor_is_a_bad_request(client: Client, page: str) -> None:
    path, _, query = page.partition("?")
    fixed = dict(part.split("=") for part in query.split("&") if part)
    wrong = []
    for cursor in TAMPERED:
        params = fixed | {"cursor": cursor}
        status = client.get(path, params=params, headers=client.as_("admin")).status_code
        # Where a cursor is a number, another number is another place and no mistake
        if status != 400 and not (status == 200 and cursor in PLACES_ELSEWHERE):
            wrong.append((cursor, status))
    assert wrong == []


@given(st.text(max_size=200))
def test_whatever_comes_is_a_position_or_refused(cursor: str) -> None:
    with suppress(ProblemError):
        assert [type(value) for value in decode_cursor(cursor, int)] == [int]


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    st.integers(-(2**31) + 1, 2**31 - 1),
)
def test_what_we_made_comes_back(word: str, number: int) -> None:
    assert decode_cursor(encode_cursor(word, number), str, int) == (word, number)
