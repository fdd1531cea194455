"""The page of bad inputs is the one the kinds give."""

from tests.deliveries.kind import load_kinds
from tests.deliveries.page import GROUPS, PAGE, bad_inputs_page


def test_the_page_is_the_one_the_kinds_give() -> None:
    assert PAGE.read_text(encoding="utf-8") == bad_inputs_page(), (
        "write it anew with `python -m tests.deliveries.page`"
    )


def test_every_group_has_its_words() -> None:
    assert {kind.group for kind in load_kinds()} == set(GROUPS)
