"""A short fuzz: forty deliveries, some of them spoilt, and nothing wrong accepted in silence."""

from tests.deliveries.fuzz import fuzz_deliveries, spoil_delivery


def test_forty_deliveries_end_as_they_must() -> None:
    assert list(fuzz_deliveries(range(40), seed=1)) == []


def test_a_delivery_is_the_same_whenever_it_is_drawn() -> None:
    for number in (3, 17, 29):
        one, other = (spoil_delivery(number, seed=1) for _ in range(2))
        assert (one.path, one.content(), one.changes) == (
            other.path,
            other.content(),
            other.changes,
        )
