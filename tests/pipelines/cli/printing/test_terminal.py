"""What the terminal prints of a watchlist."""

import re

import pytest

from pipelines.cli.printing.terminal import print_watchlist
from tests.serving.published import an_alert

CHINESE = re.compile("[一-鿿]")


def test_a_watchlist_is_printed_in_the_language_that_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    alerts = [an_alert("p1_a", 1, already_paid_cny=36_000.0), an_alert("p1_b", 2)]
    print_watchlist(alerts, language="zh")
    chinese = capsys.readouterr().out
    print_watchlist(alerts, language="en")
    english = capsys.readouterr().out
    assert "社区 C01" in chinese
    assert alerts[0].reasons[0].zh in chinese
    assert "Community C01" in english
    assert alerts[0].reasons[0].en in english
    assert "! Probably paid: help to freeze" in english
    assert not CHINESE.search(english)
