"""What was once found by people who broke in and broke things, and the tests that hold it now."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

__all__ = ["ONCE_FOUND", "Found", "Held", "hold_what_was_found"]

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Found:
    """Something that was wrong, and the tests that fail if it ever is again."""

    number: int
    what: str
    tests: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Held:
    """What the tests of one of them said in this run."""

    found: Found
    passed: int
    failed: int
    skipped: int


LAKE = "tests/pipelines/storage/test_checked_files.py"
STORE = "tests/pipelines/storage/event_store"
INSTALLATION = "tests/pipelines/storage/installation"
AGREEMENT = "tests/pipelines/storage/test_ledger_agreement.py"
FAULTS = "tests/pipelines/storage/test_faults.py"
CLI = "tests/pipelines/cli"
ACCESS = "tests/serving/access"
HTTP = "tests/serving/http"
TRAIL = "tests/serving/database/test_audit_signature.py"

_FOUND: Mapping[str, tuple[str, ...]] = {
    "A flipped bit of a lake file was read without a word, and lists were wrong": (
        f"{LAKE}::test_one_flipped_bit_stops_what_would_be_read",
        f"{LAKE}::test_the_store_takes_in_no_damaged_file",
        f"{STORE}/test_whole_files.py::test_a_changed_file_opens_nothing_until_the_store_is_made_anew",
    ),
    "With a lost or older ledger a load said “accepted”, and no row arrived": (
        f"{AGREEMENT}::test_without_its_ledger_the_lake_takes_no_load",
        f"{AGREEMENT}::test_a_ledger_older_than_the_lake_stops_the_load",
        f"{AGREEMENT}::test_the_lake_refuses_a_batch_older_than_its_last",
    ),
    "A key that was gone was made anew in silence": (
        f"{INSTALLATION}/test_keys.py::test_a_key_that_is_gone_is_not_made_anew",
        f"{INSTALLATION}/test_keys.py::test_the_pages_start_with_the_vault_key_alone_and_make_no_other",
    ),
    "One row of a far day moved the list by decades and stopped the training": (
        "tests/pipelines/ingestion/withdrawals/test_withdrawal.py::"
        "test_a_file_of_a_far_day_waits_and_moves_nothing",
        "tests/pipelines/ingestion/withdrawals/test_withdrawal.py::"
        "test_a_row_of_a_far_day_that_got_in_moves_no_command_and_is_taken_out",
    ),
    "A load during a list gave the list a version of the data that it had not read": (
        f"{STORE}/test_loading.py::test_what_is_loaded_meanwhile_is_no_part_of_it",
        f"{STORE}/test_loading.py::test_a_fixed_lake_reads_one_version_alone",
    ),
    "A night and a tick at once alerted a person twice": (
        "tests/pipelines/scoring/test_one_publisher.py::"
        "test_a_tick_that_comes_while_the_night_decides_waits_for_it",
        "tests/pipelines/scoring/test_one_publisher.py::"
        "test_a_night_published_after_the_tick_knows_the_alerts_of_the_tick",
    ),
    "A deleted vault or serving database was made anew, empty, and all was called well": (
        f"{INSTALLATION}/test_databases.py::test_a_vault_that_is_gone_is_not_made_anew",
        f"{INSTALLATION}/test_databases.py::test_a_serving_database_that_is_gone_is_not_made_anew",
        f"{FAULTS}::test_readiness_tells_of_a_vault_that_is_gone_and_of_a_database_that_is",
    ),
    "There was no backup, no restore and no look whether all is whole": (
        "tests/pipelines/safekeeping/test_backup.py::test_what_comes_back_is_what_was_there",
        "tests/pipelines/safekeeping/test_backup.py::test_a_database_copied_under_writes_is_whole",
        "tests/pipelines/safekeeping/test_verification.py::"
        "test_a_key_a_ledger_and_a_database_that_are_gone_are_found",
    ),
    "Of two first starts at once one worked with a key that was nowhere on disk": (
        f"{INSTALLATION}/test_keys.py::"
        "test_first_starts_at_once_work_with_the_key_that_is_on_the_disk",
    ),
    "A full disk and damage ended in tracebacks, and a home without writes was called ready": (
        f"{FAULTS}::test_a_full_disk_ends_a_load_in_words_and_keeps_what_was_there",
        f"{FAULTS}::test_a_damaged_database_is_told",
        f"{FAULTS}::test_readiness_tells_of_a_home_that_takes_no_writes",
    ),
    "Sixty requests at once, without a login, stalled the web process": (
        f"{HTTP}/test_boundary.py::test_a_flood_without_a_login_leaves_room_for_others",
        f"{HTTP}/test_boundary.py::test_the_pool_holds_what_all_who_are_let_in_can_need",
    ),
    "A narrowed token made an unrestricted one, and a password": (
        f"{ACCESS}/test_tokens.py::test_only_a_token_that_was_issued_for_it_gives_out_others",
        f"{ACCESS}/test_tokens.py::test_no_page_gives_a_narrow_token_more_than_it_has",
        f"{ACCESS}/test_tokens.py::test_all_that_came_of_a_token_ends_with_it_whoever_holds_it",
    ),
    "The pages on which a token is revoked failed once one had been used": (
        f"{ACCESS}/test_tokens.py::test_a_token_that_was_used_is_shown_where_it_is_revoked",
    ),
    "Reveals at the terminal left no entry, their files were everybody's, the actor was made up": (
        f"{CLI}/test_main.py::"
        "test_rows_shown_as_they_were_are_audited_and_written_for_their_owner_only",
        f"{CLI}/test_users.py::test_the_actor_is_the_systems_user_whatever_the_environment_says",
    ),
    "Any method became a metric for ever, and made-up tokens filled the trail": (
        f"{HTTP}/test_boundary.py::test_every_made_up_method_is_one_series",
        f"{ACCESS}/test_auth.py::test_made_up_tokens_lock_their_address_and_fill_no_trail",
    ),
    "Nearly all files could be read by every user of the machine": (
        "tests/pipelines/storage/places/test_private_files.py::"
        "test_what_is_written_from_then_on_is_private",
        "tests/pipelines/storage/places/test_private_files.py::"
        "test_an_open_home_is_closed_once_with_all_below",
    ),
    "Weak passwords, no second factor, tokens that outlived a reset, reveals without end": (
        f"{ACCESS}/test_logins.py::test_a_bad_password_is_not_taken",
        f"{ACCESS}/test_second_factor.py::test_a_role_that_needs_one_gets_no_further_without",
        f"{ACCESS}/test_logins.py::test_a_reset_ends_every_token",
        f"{ACCESS}/test_reveals.py::test_an_hours_number_is_used_up_and_comes_back",
        f"{ACCESS}/test_reveals.py::test_a_reason_says_something",
    ),
    "The audit trail did not see forged entries, edited results or a cut tail": (
        f"{TRAIL}::test_an_entry_that_is_appended_with_the_right_digest_shows",
        f"{TRAIL}::test_a_result_that_is_changed_or_removed_shows",
        f"{TRAIL}::test_entries_that_are_cut_out_or_off_show",
    ),
    "Nobody could be erased, and nothing was ever forgotten": (
        "tests/pipelines/retention/test_person.py::"
        "test_an_erased_person_is_found_nowhere_and_others_keep_their_records",
        "tests/pipelines/retention/test_kept_until.py::"
        "test_what_is_too_old_leaves_the_disk_and_the_rest_is_whole",
    ),
    "Raw identifiers stood in record ids, case ids and names of files": (
        "tests/pipelines/ingestion/former_homes/test_raw_ids.py::"
        "test_names_and_numbers_of_a_delivery_are_masked_at_the_door",
        "tests/pipelines/ingestion/former_homes/test_raw_ids.py::"
        "test_raw_ids_and_names_leave_a_former_home_and_are_still_found",
        "tests/pipelines/ingestion/test_ingest.py::test_no_raw_identifier_is_anywhere_in_the_home",
    ),
    "Tampered cursors, link previews, open streams, proxies, kept answers, slow heads, receivers "
    "of messages, file names, links": (
        f"{HTTP}/test_cursors.py::test_a_tampered_cursor_is_a_bad_request",
        f"{ACCESS}/test_auth.py::test_who_only_looks_at_a_link_uses_nothing_up_and_leaves_no_trace",
        "tests/serving/notifications/test_live.py::test_who_is_shut_out_hears_nothing_more",
        f"{HTTP}/test_boundary.py::test_an_address_is_what_a_trusted_proxy_says",
        f"{HTTP}/test_idempotency.py::"
        "test_a_name_does_not_come_back_to_whom_it_is_not_shown_any_more",
        f"{HTTP}/test_boundary.py::test_who_sends_too_slowly_is_let_go",
        f"{HTTP}/test_boundary.py::test_browsers_are_told_to_stay_with_tls_only_behind_it",
        "tests/serving/notifications/test_webhooks.py::test_which_addresses_a_receiver_may_have",
        f"{CLI}/printing/test_terminal.py::test_a_files_name_gives_the_terminal_no_orders",
        "tests/pipelines/ingestion/landing/test_deliveries.py::"
        "test_a_link_is_refused_with_what_to_do_and_names_no_corrections",
    ),
}
ONCE_FOUND = tuple(
    Found(number=number, what=what, tests=tests)
    for number, (what, tests) in enumerate(_FOUND.items(), 1)
)


def hold_what_was_found(folder: Path) -> Sequence[Held]:
    """Run the tests of all, and say of each what came of it; a test that does not run counts as
    failed.
    """
    wanted = [test for found in ONCE_FOUND for test in found.tests]
    report = folder / "once-found.xml"
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0",
         f"--junitxml={report}", "-o", "junit_family=xunit1", *wanted],
        cwd=ROOT, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    said = _read_report(report)
    return [_count(found, said) for found in ONCE_FOUND]


def _read_report(report: Path) -> Mapping[str, list[str]]:
    """The outcomes of each test, one for each set of its parameters."""
    said: dict[str, list[str]] = {}
    for case in ET.parse(report).iter("testcase"):
        name = f"{case.get('file')}::{str(case.get('name')).partition('[')[0]}"
        kinds = {child.tag for child in case}
        said.setdefault(name, []).append(
            "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds
            else "passed"
        )  # fmt: skip
    return said


def _count(found: Found, said: Mapping[str, list[str]]) -> Held:
    outcomes = [one for test in found.tests for one in said.get(test, ["failed"])]
    return Held(
        found=found,
        passed=outcomes.count("passed"),
        failed=outcomes.count("failed"),
        skipped=outcomes.count("skipped"),
    )
