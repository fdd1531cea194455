"""Rejected rows are mended and sent again: what can be taken goes into the lake, the rest stays."""

import shutil
import signal
from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest

from data_contracts.errors import SettingsError
from pipelines.ingestion.outcomes.delivery_quality import quality_report
from pipelines.ingestion.outcomes.quarantine import read_quarantine
from pipelines.ingestion.retries.retry import retry_quarantine
from pipelines.storage.installation.vault import Vault
from pipelines.storage.ledger import Ledger
from pipelines.storage.score_log import ScoreLog
from tests.pipelines.conftest import PARSER, Home, counts
from tests.pipelines.crash import started
from tests.pipelines.landing import (
    DAY,
    RECEIVED_AT,
    SHANGHAI,
    calls,
    cases,
    id_number,
    lines,
    number_tags,
    put,
    put_text,
    residents,
    subscribers,
    transfers,
)

LATER = RECEIVED_AT + timedelta(hours=1)
CMCC, ICBC = f"calls/{DAY}/cmcc.csv", f"transfers/{DAY}/icbc.parquet"


def retry(home, **options):
    report = retry_quarantine(
        home.settings,
        received_at=LATER,
        parser=PARSER,
        **options,
    )
    return report.files


def only_retry(home, **options):
    (file,) = retry(home, **options)
    return file


def became(file):
    """retried, accepted, duplicates, skipped, rejected"""
    return file.retried, file.accepted, file.duplicates, file.skipped, file.rejected


def ledger(home):
    return Ledger(home.settings.lake_folder / "ledger.db")


def booked(home):
    """By load: rows, accepted, quarantined, duplicates, skipped, status"""
    return [
        (
            *(load.rows, load.accepted, load.quarantined, load.duplicates, load.skipped),
            load.status,
        )
        for _, _, load in ledger(home).loads_since(since=date.min)
    ]


def put_mapping(home, text, *, source="cmcc"):
    home.settings.sources_folder.mkdir(parents=True, exist_ok=True)
    (home.settings.sources_folder / f"{source}.yaml").write_text(text, encoding="utf-8")


def with_limits(home, **changed):
    limits = home.settings.ingest.model_copy(update=changed)
    home.settings = home.settings.model_copy(update={"ingest": limits})


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """A home with eighty calls: the lengths of two are in words, one is negative."""
    home = Home(tmp_path_factory.mktemp("loaded"))
    rows = calls(80)
    rows[3] |= {"duration_s": "1分5秒"}
    rows[7] |= {"duration_s": "2分"}
    rows[9] |= {"duration_s": -5}
    put_text(home.landing, CMCC, lines(rows))
    assert counts(home.only()) == (80, 77, 3, 0, 0)
    return home


@pytest.fixture
def durations_in_words(home, loaded):
    """The eighty calls are in the home of the test."""
    shutil.copytree(loaded.landing, home.landing, dirs_exist_ok=True)
    shutil.copytree(loaded.settings.home, home.settings.home)


def test_a_mended_mapping_brings_in_the_rows_it_explains(home, durations_in_words):
    put_mapping(home, "calls:\n  durations: {duration_s: words}\n")
    file = only_retry(home)
    assert (file.path, file.dataset, file.source) == (CMCC, "calls", "cmcc")
    assert became(file) == (3, 2, 0, 0, 1)
    assert [(one.code, one.rows) for one in file.reasons] == [("duration_s.negative", 1)]
    table = home.table("calls")
    assert table.height == 79
    assert table.filter(pl.col("duration_s") != 60)["duration_s"].sort().to_list() == [65, 120]
    assert table["file_id"].n_unique() == 1
    kept = read_quarantine(home.settings)
    assert kept.select("path", "row", "reasons", "received_at").rows() == [
        (CMCC, 11, ["duration_s.negative"], RECEIVED_AT)
    ]


def test_counts_add_up_and_a_second_retry_changes_nothing(home, durations_in_words):
    put_mapping(home, "calls:\n  durations: {duration_s: words}\n")
    retry(home)
    assert booked(home) == [(80, 79, 1, 0, 0, "partly")]
    (source,) = quality_report(home.settings).sources
    assert (source.files, source.rows, source.accepted, source.quarantined) == (1, 80, 79, 1)
    assert [(one.code, one.rows) for one in source.reasons] == [("duration_s.negative", 1)]
    assert home.lake.arrivals()["rows"].to_list() == [77, 2]
    version = home.lake.version()
    assert became(only_retry(home)) == (1, 0, 0, 0, 1)
    assert home.lake.version() == version
    assert booked(home) == [(80, 79, 1, 0, 0, "partly")]
    # The file itself is still known.
    report = home.only()
    assert (report.status, report.duplicates) == ("duplicate", 80)


def test_nothing_mended_leaves_everything_as_it_was(home, durations_in_words):
    before = read_quarantine(home.settings, reveal=True)
    file = only_retry(home)
    assert became(file) == (3, 0, 0, 0, 3)
    assert {one.code: one.rows for one in file.reasons} == {
        "duration_s.unreadable": 2,
        "duration_s.negative": 1,
    }
    assert read_quarantine(home.settings, reveal=True).equals(before)
    assert ledger(home).committed_batches() == {1}


def test_a_changed_setting_is_enough_for_normalised_rows(home):
    """A retry checks rows that could be read against the rules of now."""
    put(home.landing, f"calls/{DAY}/cmcc.parquet", calls())
    home.only()
    rows = calls()
    rows[5] |= {"duration_s": 75}
    put(home.landing, f"calls/{DAY}/cmcc-2000.parquet", rows)
    second = home.ingest()[f"calls/{DAY}/cmcc-2000.parquet"]
    assert counts(second) == (40, 0, 1, 39, 0)
    assert became(only_retry(home)) == (1, 0, 0, 0, 1)
    with_limits(home, record_keys={"cmcc": ("duration_s",)})
    assert became(only_retry(home)) == (1, 1, 0, 0, 0)
    assert home.table("calls").height == 41
    assert read_quarantine(home.settings).is_empty()


def test_a_row_that_came_otherwise_is_a_duplicate_by_now(home, durations_in_words):
    again = [calls()[3] | {"duration_s": 65}]
    put(home.landing, f"calls/{DAY}/cmcc-0900.parquet", again)
    home.ingest()
    put_mapping(home, "calls:\n  durations: {duration_s: words}\n")
    assert became(only_retry(home)) == (3, 1, 1, 0, 1)
    assert booked(home) == [(80, 78, 1, 1, 0, "partly"), (1, 1, 0, 0, 0, "accepted")]
    assert home.table("calls").height == 79


def test_an_equal_payment_of_the_same_file_is_another_one(home):
    rows = transfers()
    rows[1] = rows[0] | {"record_id": "T000001", "direction": "支取了", "channel": "飞鸽"}
    put(home.landing, ICBC, rows)
    assert counts(home.only()) == (40, 39, 1, 0, 0)
    put_mapping(home, "transfers:\n  values: {direction: {支取了: debit}}\n", source="icbc")
    assert became(only_retry(home)) == (1, 1, 0, 0, 0)
    assert home.table("transfers").height == 40
    # It was accepted with a warning, which stands until the file is replaced.
    warned = read_quarantine(home.settings).select("path", "row", "severity", "received_at")
    assert warned.rows() == [(ICBC, 2, "warning", LATER)]
    put(home.landing, ICBC, transfers(39))
    home.only(replace=[ICBC])
    assert home.table("transfers").height == 39
    assert read_quarantine(home.settings).is_empty()


def test_a_conflict_stays(home, durations_in_words):
    put(home.landing, f"calls/{DAY}/cmcc-0900.parquet", [calls()[3] | {"duration_s": 64}])
    home.ingest()
    put_mapping(home, "calls:\n  durations: {duration_s: words}\n")
    file = only_retry(home)
    assert became(file) == (3, 1, 0, 0, 2)
    assert {one.code for one in file.reasons} == {"duration_s.negative", "record_id.conflict"}
    stored = read_quarantine(home.settings).select("row", "reasons").rows()
    assert stored == [(5, ["duration_s.unreadable"]), (11, ["duration_s.negative"])]


def test_rows_that_the_mapping_leaves_out_by_now(home, durations_in_words):
    put_mapping(home, "calls:\n  drop: {duration_s: [2分]}\n  durations: {duration_s: words}\n")
    assert became(only_retry(home)) == (3, 1, 0, 1, 1)
    assert booked(home) == [(80, 78, 1, 0, 1, "partly")]
    assert read_quarantine(home.settings).height == 1


def test_a_mapping_that_no_longer_fits_says_so_and_keeps_the_rows(home, durations_in_words):
    put_mapping(home, "calls:\n  drop: {别的: [x]}\n")
    file = only_retry(home)
    assert became(file) == (3, 0, 0, 0, 3)
    assert "no heading 别的" in file.problems[0]
    assert booked(home) == [(80, 77, 3, 0, 0, "partly")]


def test_a_line_without_its_fields_is_never_guessed(home):
    text = lines(calls()).replace(f",in,voice,{DAY} 08:30:00,60", "")
    put_text(home.landing, CMCC, text)
    assert counts(home.only()) == (40, 39, 1, 0, 0)
    file = only_retry(home)
    assert became(file) == (1, 0, 0, 0, 1)
    assert [one.code for one in file.reasons] == ["row.too_few_fields"]


def test_a_reversal_whose_payment_has_come_undoes_it(home):
    back = transfers(1)[0] | {
        "record_id": "R1",
        "amount": Decimal("-55.00"),
        "peer_account": None,
        "occurred_at": datetime(2026, 8, 1, 20, tzinfo=SHANGHAI),
    }
    put(home.landing, ICBC, [*transfers(), back])
    assert counts(home.only()) == (41, 40, 1, 0, 0)
    paid = transfers(1)[0] | {"record_id": "P1", "amount": Decimal("55.00")}
    put(home.landing, f"transfers/{DAY}/icbc-2100.parquet", [paid])
    home.ingest()
    assert home.table("transfers").height == 41
    assert became(only_retry(home)) == (1, 0, 0, 1, 0)
    assert home.table("transfers").height == 40
    ((_, decision),) = ledger(home).decisions()
    assert (decision.kind, decision.path, decision.rows) == ("undo", ICBC, 1)


def test_a_minus_means_what_it_meant_in_the_whole_file(home):
    """Alone, a debit with a minus would look like a reversal."""
    rows = [row | {"amount": -row["amount"]} for row in transfers()]
    rows[6] |= {"occurred_at": "昨天"}
    put_text(home.landing, ICBC.replace("parquet", "csv"), lines(rows))
    assert counts(home.only()) == (40, 39, 1, 0, 0)
    put_mapping(
        home, "transfers:\n  values: {occurred_at: {昨天: '2026-08-01 09:00:00'}}\n", source="icbc"
    )
    assert became(only_retry(home)) == (1, 1, 0, 0, 0)
    assert set(home.table("transfers")["amount_cny"]) == {Decimal("100.50")}


def test_held_and_replaced_files_are_left_alone(home):
    put(home.landing, f"calls/{DAY}/ctcc.parquet", [r | {"duration_s": -1} for r in calls()])
    put_durations_in_words_beside(home)
    assert [file.path for file in retry(home)] == [CMCC]
    put_text(home.landing, CMCC, lines(calls()))
    home.ingest(replace=[CMCC])
    assert retry(home) == ()


def put_durations_in_words_beside(home):
    rows = calls()
    rows[3] |= {"duration_s": "1分5秒"}
    put_text(home.landing, CMCC, lines(rows))
    home.ingest()


def test_a_retry_never_hides_a_file_that_is_held(home, durations_in_words):
    put_text(home.landing, CMCC, lines([row | {"duration_s": -1} for row in calls(30)]))
    assert home.only().status == "held"
    put_mapping(home, "calls:\n  durations: {duration_s: words}\n")
    retry(home)
    assert [file.path for file in ledger(home).held_files()] == [CMCC]


def test_one_dataset_only(home, durations_in_words):
    assert retry(home, dataset="transfers") == ()
    with pytest.raises(SettingsError, match="there is no dataset call"):
        retry(home, dataset="call")


def test_rows_kept_before_it_was_noted_how_are_told_by_their_headings(home):
    rows = calls()
    rows[3] |= {"duration_s": "1分5秒"}
    headings = ("记录号", "本机号码", "对方号码", "呼叫方向", "业务类型", "开始时间", "通话时长")
    put_text(home.landing, CMCC, lines(rows, headings=headings))
    home.only()
    (stored,) = home.settings.quarantine_folder.glob("*.parquet")
    pl.read_parquet(stored).drop("is_delivered").write_parquet(stored)
    put_mapping(home, "calls:\n  durations: {duration_s: words}\n")
    assert became(only_retry(home)) == (1, 1, 0, 0, 0)


def test_what_was_published_did_not_know_the_row(home, durations_in_words):
    put_mapping(home, "calls:\n  durations: {duration_s: words}\n")
    at = datetime(2026, 8, 2, tzinfo=SHANGHAI)
    scores = pl.DataFrame(
        {"person": ["p"], "at": [at], "score": [0.5], "preventable_loss_cny": [1.0]}
    )
    ScoreLog(home.settings.scores_folder).write(scores, at=at, kind="nightly")
    retry(home)
    mended = home.table("calls").filter(pl.col("duration_s") == 65)
    assert mended["known_at"].to_list() == [at]
    assert home.table("calls").filter(pl.col("known_at") < at).height == 77


def test_mended_rows_are_added_to_the_register_that_stands(home):
    rows = subscribers()
    rows[5] |= {"activated_on": "去年"}
    put_text(home.landing, "subscribers.csv", lines(rows))
    assert counts(home.only()) == (40, 39, 1, 0, 0)
    mapping = "subscribers:\n  values: {activated_on: {去年: '2025-01-01'}}\n"
    put_mapping(home, mapping, source="subscribers")
    assert became(only_retry(home)) == (1, 1, 0, 0, 0)
    table = home.table("subscribers")
    assert table.height == 40
    assert table.filter(activated_on=date(2025, 1, 1)).height == 1
    vault = Vault.open(home.settings)
    (person,) = table.filter(activated_on=date(2025, 1, 1))["person"]
    assert vault.reveal_people([person]) == {}  # no resident
    assert len(vault.holders_of(table["number"].to_list())) == 40
    assert booked(home) == [(40, 40, 0, 0, 0, "accepted")]
    assert (home.only().status, home.table("subscribers").height) == ("duplicate", 40)


def test_an_entry_that_stands_is_not_touched(home):
    rows = [*residents(), residents()[2] | {"sex": "女人", "address": "别处"}]
    rows[2] |= {"address": "幸福路"}
    put_text(home.landing, "residents.csv", lines(rows))
    assert counts(home.only()) == (41, 40, 1, 0, 0)
    put_mapping(home, "residents:\n  values: {sex: {女人: F}}\n", source="residents")
    assert became(only_retry(home)) == (1, 0, 1, 0, 0)
    assert home.table("residents").height == 40
    vault = Vault.open(home.settings)
    known = vault.reveal_people(home.table("residents")["person"].to_list())
    (identity,) = (one for one in known.values() if one.id_number == id_number(2))
    assert identity.address == "幸福路"


def test_of_a_register_that_was_replaced_nothing_is_shown_or_retried(home):
    put_text(home.landing, "number_tags.csv", lines([*number_tags(), {"number": "x", "tag": "y"}]))
    with_limits(home, held_min_rows=100)
    assert counts(home.only()) == (3, 2, 1, 0, 0)
    assert read_quarantine(home.settings).height == 1
    put_text(home.landing, "number_tags.csv", lines(number_tags()))
    home.only()
    assert read_quarantine(home.settings).height == 0
    assert retry(home) == ()


def test_a_mended_case_is_known_since_it_was_reported(home):
    rows = cases()
    rows[1] |= {"outcome": "没有"}
    with_limits(home, held_min_rows=100)
    put(home.landing, "cases.parquet", rows)
    assert counts(home.only()) == (3, 2, 1, 0, 0)
    put_mapping(home, "cases:\n  values: {outcome: {没有: loss}}\n", source="cases")
    assert became(only_retry(home)) == (1, 1, 0, 0, 0)
    table = home.table("cases").sort("case_id")
    assert table["suspect_numbers"].list.len().to_list() == [2, 2, 2]
    assert table["known_at"].to_list() == table["reported_at"].to_list()


@pytest.mark.parametrize(
    "moment",
    [
        ("Vault", "put_identifiers"),
        ("Ledger", "prepare"),
        ("DeltaTable", "create_write_transaction"),
        ("Ledger", "commit"),
        ("Lake", "version"),
    ],
    ids="-".join,
)
def test_killed_at_a_delicate_moment(home, durations_in_words, moment):
    put_mapping(home, "calls:\n  durations: {duration_s: words}\n")
    process = started(home.landing, home.settings, die_before=moment, die_at=1, retries=True)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    retry(home)
    assert home.table("calls").height == 79
    assert booked(home) == [(80, 79, 1, 0, 0, "partly")]
    assert home.lake.arrivals()["rows"].to_list() == [77, 2]
    assert read_quarantine(home.settings)["row"].to_list() == [11]
