"""One is one, and all others are many."""

from data_contracts.words.counts import choose_form, count_things


def test_a_count_has_the_form_that_it_asks_for() -> None:
    said = [count_things(number, "row") for number in (0, 1, 2, 12_345)]
    assert said == ["0 rows", "1 row", "2 rows", "12,345 rows"]
    assert [count_things(n, "person", "people") for n in (1, 3)] == ["1 person", "3 people"]
    assert [choose_form(number, "is", "are") for number in (0, 1, 2)] == ["are", "is", "are"]
