"""Which files are merged with what is written behind them."""

from dataclasses import dataclass

from pipelines.storage.event_store.parts.merging import take_shorter


@dataclass(frozen=True)
class File:
    length: int


LONG, MIDDLE, SHORT = File(100), File(8), File(3)


def test_files_that_are_not_much_longer_are_merged_the_last_ones_counted():
    assert take_shorter([LONG, MIDDLE, SHORT], 1) == ([LONG], [MIDDLE, SHORT])
    assert take_shorter([LONG, MIDDLE], 2) == ([LONG, MIDDLE], [])
    assert take_shorter([LONG, MIDDLE], 18) == ([], [LONG, MIDDLE])
    assert take_shorter([], 5) == ([], [])


def test_a_file_that_is_left_alone_shields_those_before_it():
    assert take_shorter([SHORT, LONG], 1, only=lambda one: one is not LONG) == ([SHORT, LONG], [])
