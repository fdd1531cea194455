"""Whose file it is: names that mean a known source, and names that do not."""

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingestion.landing.sources import (
    PUBLIC,
    KnownSources,
    list_known_sources,
    read_file_name,
)
from tests.examples import examples
from tests.pipelines.landing import accounts, put

MARKS = ["", "_20260615", "-2026-06-15", "20260615", " (1)", "（2）", ".1", "-2", " - Copy", "副本"]
MARKS += [
    " - 副本",
    "_final",
    "_v2",
    "最终版",
    "_新版",
    " copy 2",
    "_2026年6月15日",
    "_part1",
    "~1",
]


@pytest.mark.parametrize(
    "name",
    [
        *("icbc", "ICBC", "ＩＣＢＣ", "icbc_20260615", "icbc.1", "icbc副本", "icbc (1)", "icbc-2"),
        *("icbc - Copy", "icbc_final", "复件 icbc", "Copy of icbc", "icbc - 副本 (2)", "icbc2"),
        *("2026-06-15 icbc", "20260615_icbc", "icbc20260615", "icbc-2026-0615", "icbc_v2"),
        *("工商银行", "中国工商银行20260615", "icbc_20260615103000", "icbc_final_v2_20260615 (3)"),
    ],
)
def test_a_name_with_case_date_number_or_copy_mark_is_the_source(name):
    found = read_file_name(name)
    assert (found.source, found.minute, found.is_new, found.corrects) == (
        "icbc",
        None,
        False,
        False,
    )


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("newbank", "newbank"),
        ("NewBank_20260615", "newbank"),
        ("newbank (1)", "newbank"),
        ("fixbank", "fixbank"),
        ("bank1", "bank1"),
        ("icbc_beijing", "icbc_beijing"),
        ("final", "final"),
    ],
)
def test_another_name_is_a_new_source(name, source):
    found = read_file_name(name)
    assert (found.source, found.is_new) == (source, True)


@pytest.mark.parametrize(
    ("name", "minute"),
    [
        ("icbc-1510", time(15, 10)),
        ("ICBC-1510 (1)", time(15, 10)),
        ("icbc_20260615-0005", time(0, 5)),
        ("icbc-9999", None),
        ("icbc-120", None),
    ],
)
def test_the_time_at_the_end_is_kept(name, minute):
    found = read_file_name(name)
    assert (found.source, found.minute) == ("icbc", minute)


@pytest.mark.parametrize("name", ["icbc-correction", "icbc_更正", "icbc（更正）", "icbc_fixed_2"])
def test_a_correction_says_so(name):
    found = read_file_name(name)
    assert (found.source, found.corrects, found.is_new) == ("icbc", True, False)


def test_a_declared_name_is_taken_as_it_is():
    known = KnownSources(names={**PUBLIC.names, "icbc-2": "ICBC-2"})
    assert read_file_name("icbc-2", known=known).source == "ICBC-2"
    assert read_file_name("icbc-3", known=known).source == "icbc"


@given(source=st.sampled_from(["cmcc", "icbc", "ruralcb"]), marks=st.lists(st.sampled_from(MARKS)))
@examples(200)
def test_marks_never_make_another_source(source, marks):
    assert read_file_name(source + "".join(marks[:3])).source == source


def test_a_declared_source_is_familiar_once_registers_are_there(home) -> None:
    """Before anything was loaded every source is as new as the others."""
    home.settings.sources_folder.mkdir(parents=True)
    (home.settings.sources_folder / "wallet.yaml").write_text("transfers: {}\n")
    assert "wallet" not in list_known_sources(home.settings).familiar
    put(home.landing, "accounts.parquet", accounts())
    home.only()
    assert {"wallet", "icbc"} <= list_known_sources(home.settings).familiar
