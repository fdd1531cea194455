import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from data_contracts.contract import load_all_contracts, load_contract
from data_contracts.errors import DeliveryError
from data_contracts.suites import add_warnings, check_rows, contract_expectations
from tests.data_contracts.deliveries import SHANGHAI, call_table
from tests.data_contracts.naive import broken_rules_of_a_call
from tests.examples import examples

RECEIVED_AT = datetime(2026, 8, 2, 6, tzinfo=SHANGHAI)
DAY = date(2026, 8, 1)
NOON = datetime(2026, 8, 1, 12, tzinfo=SHANGHAI)
CALL = {
    "record_id": "C1",
    "msisdn": "13812345678",
    "peer_number": "95588",
    "direction": "in",
    "service": "voice",
    "started_at": NOON,
    "duration_s": 60,
}
TRANSFER = {
    "record_id": "T1",
    "account_id": "6222020012345678",
    "peer_account": "M0000021",
    "direction": "debit",
    "amount": Decimal("1.00"),
    "occurred_at": NOON,
    "channel": "mobile",
    "peer_bank": None,
}
RESIDENT = {
    "id_number": "11010519491231002X",
    "name": "甲",
    "sex": "F",
    "birth_date": date(1949, 12, 31),
    "residency": "local",
    "community_id": "C1",
    "grid_id": None,
    "address": None,
}
CASE = {
    "case_id": "A1",
    "id_number": "11010519491231002X",
    "scam_type": "police",
    "outcome": "loss",
    "first_transfer_at": NOON,
    "last_transfer_at": NOON,
    "reported_at": NOON,
    "loss_amount": Decimal("1.00"),
    "suspect_numbers": ["95588"],
    "suspect_accounts": [],
}


def frame_of(dataset, *rows, file_day=DAY, file="cmcc.csv"):
    frame = pl.DataFrame(rows, schema=load_contract(dataset).schema, orient="row")
    return frame.select(
        pl.lit(file).alias("_file"),
        pl.lit(file_day, dtype=pl.Date).alias("_file_day"),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("_row"),
        pl.all(),
    )


def reasons(dataset, *rows, **kwargs):
    result = check_rows(
        frame_of(dataset, *rows, **kwargs), contract=load_contract(dataset), received_at=RECEIVED_AT
    )
    return dict(result.failures.select("_row", "reasons").rows())


def warnings(dataset, *rows, **kwargs):
    """The warned rows; none of them is rejected."""
    result = check_rows(
        frame_of(dataset, *rows, **kwargs), contract=load_contract(dataset), received_at=RECEIVED_AT
    )
    assert result.failures.is_empty()
    return dict(result.warnings.select("_row", "reasons").rows())


def test_clean_calls_break_no_rule():
    frame = (
        call_table().with_row_index("_row", offset=1).with_columns(pl.col("_row").cast(pl.Int64))
    )
    result = check_rows(frame, contract=load_contract("calls"), received_at=RECEIVED_AT)

    assert result.failures.height == 0
    assert result.failures.schema == {
        "_file": pl.String,
        "_row": pl.Int64,
        "reasons": pl.List(pl.String),
    }
    assert result.summary.height == 18
    assert result.summary.row(0) == (
        "record_id.missing",
        "expect_column_values_to_not_be_null",
        3,
        0,
    )


def test_every_fault_of_a_call_has_its_code():
    faults = [
        ({}, None),
        ({"msisdn": "138123"}, "msisdn.malformed"),
        ({"peer_number": "anonymous"}, "peer_number.malformed"),
        ({"peer_number": None}, "peer_number.missing"),
        ({"direction": "sideways"}, "direction.unknown_value"),
        ({"service": "fax"}, "service.unknown_value"),
        ({"duration_s": -1}, "duration_s.negative"),
        ({"record_id": "6.22202E+18"}, "record_id.lost_digits"),
        ({"record_id": "1E18"}, None),
        ({"duration_s": 86401}, "duration_s.over_a_day"),
        ({"duration_s": 86400}, None),
        ({"service": "sms", "duration_s": 0}, None),
        ({"started_at": datetime(2026, 8, 2, 0, 30, tzinfo=SHANGHAI)}, None),
        ({"started_at": datetime(2026, 8, 3, 0, 0, tzinfo=SHANGHAI)}, "started_at.after_file_day"),
        ({"started_at": datetime(2026, 7, 1, 0, 0, tzinfo=SHANGHAI)}, None),
        (
            {"started_at": datetime(2026, 6, 30, 23, 59, tzinfo=SHANGHAI)},
            "started_at.long_before_file_day",
        ),
    ]
    expected = {row: [code] for row, (_, code) in enumerate(faults, 1) if code}

    assert reasons("calls", *({**CALL, **change} for change, _ in faults)) == expected


def test_moments_in_the_future_and_in_1900():
    future, past = datetime(2030, 1, 1, tzinfo=UTC), datetime(1900, 1, 1, tzinfo=UTC)

    assert reasons(
        "calls", {**CALL, "started_at": future}, {**CALL, "started_at": past}, file_day=None
    ) == {
        1: ["started_at.in_future"],
        2: ["started_at.too_old"],
    }


def test_every_fault_of_a_transfer_has_its_code():
    faults = [
        ({"amount": Decimal("0.00")}, "amount.not_positive"),
        ({"amount": Decimal("-5.00")}, "amount.not_positive"),
        ({"amount": None}, "amount.missing"),
        ({"amount": Decimal("0.01")}, None),
        ({"channel": "barter"}, "channel.unknown_value"),
        ({"direction": "in"}, "direction.unknown_value"),
        ({"peer_account": "6222****5678"}, "peer_account.malformed"),
        ({"peer_account": "1.234E10"}, "peer_account.malformed"),
        ({"peer_account": None}, None),
        ({"account_id": "0000"}, "account_id.placeholder"),
        ({"account_id": "NONE"}, "account_id.placeholder"),
        ({"account_id": "9999999999"}, "account_id.placeholder"),
        ({"account_id": None}, "account_id.missing"),
        ({"amount": Decimal("1000000000.00")}, None),
        ({"amount": Decimal("1000000000.01")}, "amount.too_large"),
        ({"peer_bank": None}, None),
    ]
    expected = {row: [code] for row, (_, code) in enumerate(faults, 1) if code}

    assert reasons("transfers", *({**TRANSFER, **change} for change, _ in faults)) == expected


def test_every_fault_of_a_resident_and_a_case_has_its_code():
    residents = [
        ({"id_number": "110105194912310021"}, ["id_number.check_digit"]),
        ({"id_number": "110105194913310021"}, ["id_number.birth_date"]),
        ({"id_number": "11010519491231"}, ["id_number.malformed"]),
        ({"sex": "X", "residency": "visiting"}, ["residency.unknown_value", "sex.unknown_value"]),
        ({"birth_date": date(1899, 12, 31)}, ["birth_date.too_old"]),
        ({"birth_date": date(2026, 8, 4)}, ["birth_date.in_future"]),
    ]
    assert reasons(
        "residents", *({**RESIDENT, **change} for change, _ in residents), file_day=None
    ) == {row: codes for row, (_, codes) in enumerate(residents, 1)}
    cases = [
        ({}, []),
        ({"scam_type": "brand_new"}, []),
        ({"outcome": "maybe"}, ["outcome.unknown_value"]),
        ({"loss_amount": Decimal("-0.01")}, ["loss_amount.negative"]),
        ({"first_transfer_at": None, "last_transfer_at": None, "loss_amount": Decimal("0.00")}, []),
        (
            {"last_transfer_at": datetime(2026, 8, 1, 11, tzinfo=SHANGHAI)},
            ["last_transfer_at.before_first"],
        ),
        ({"reported_at": None}, ["reported_at.missing"]),
        (
            {"reported_at": datetime(2026, 8, 1, 11, tzinfo=SHANGHAI)},
            ["reported_at.before_transfer"],
        ),
        (
            {"first_transfer_at": datetime(1926, 8, 1, tzinfo=SHANGHAI)},
            ["first_transfer_at.too_old"],
        ),
        ({"loss_amount": Decimal("1000000000.01")}, ["loss_amount.too_large"]),
    ]
    assert reasons("cases", *({**CASE, **change} for change, _ in cases), file_day=None) == {
        row: codes for row, (_, codes) in enumerate(cases, 1) if codes
    }


def test_every_identity_document_is_taken():
    documents = (
        *("931840198501011235", "810000198501011240", "830000198501011252", "USA310185010112"),
        *("E12345678", "EA1234567", "C01X00T47", "P1234567A", "12AB34567", "123456789"),
        *("H12345678", "M12345678", "01234567", "A1234567", "军字第1234567号"),
    )
    rows = ({**RESIDENT, "id_number": number} for number in documents)
    assert reasons("residents", *rows, file_day=None) == {}

    no_documents = ("UNKNOWN", "1234567", "11010519491231000", "138****1234", "1.1E17", "ABCDEFGHI")
    rows = ({**RESIDENT, "id_number": number} for number in no_documents)
    assert reasons("residents", *rows, file_day=None) == {
        row: ["id_number.malformed"] for row in range(1, len(no_documents) + 1)
    }


def test_what_does_not_fit_together_is_taken_with_a_warning():
    residents = (
        {},
        {"birth_date": date(1949, 12, 30)},
        {"sex": "M"},
        {"id_kind": "passport"},
        {"id_number": "E12345678", "id_kind": "resident_id", "sex": "M"},
        {"id_number": "931840198501011235", "birth_date": date(1985, 1, 1)},
    )
    assert warnings("residents", *({**RESIDENT, **one} for one in residents), file_day=None) == {
        2: ["birth_date.not_of_id"],
        3: ["sex.not_of_id"],
        5: ["id_kind.not_of_number"],
    }
    own = {**TRANSFER, "peer_account": TRANSFER["account_id"]}
    assert warnings("transfers", TRANSFER, own) == {2: ["peer_account.own_account"]}


def test_warnings_of_the_rules_stand_beside_those_of_the_reading():
    frame = frame_of("residents", RESIDENT, {**RESIDENT, "sex": "M"}, file_day=None).with_columns(
        pl.Series("_warnings", [[], ["id_kind.other_value"]], dtype=pl.List(pl.String))
    )
    result = check_rows(frame, contract=load_contract("residents"), received_at=RECEIVED_AT)

    assert add_warnings(frame, result.warnings)["_warnings"].to_list() == [
        [],
        ["id_kind.other_value", "sex.not_of_id"],
    ]


def test_what_could_not_be_read_is_a_reason_and_is_not_called_missing_too():
    frame = frame_of(
        "calls", {**CALL, "started_at": None}, {**CALL, "duration_s": None}
    ).with_columns(pl.Series("_problems", [["started_at.unreadable"], ["row.too_many_fields"]]))
    result = check_rows(frame, contract=load_contract("calls"), received_at=RECEIVED_AT)

    assert result.failures["reasons"].to_list() == [
        ["started_at.unreadable"],
        ["row.too_many_fields"],
    ]


@pytest.mark.parametrize("bad", [1, 2, 500])
def test_one_broken_rule_written_in_sql_finds_its_rows(bad):
    rows = [{**RESIDENT, "id_number": "110105194912310021"} for _ in range(bad)]
    assert len(reasons("residents", RESIDENT, *rows, file_day=None)) == bad


def test_many_files_at_once_keep_their_rows_apart():
    frame = pl.concat(
        [
            frame_of("calls", CALL, {**CALL, "duration_s": -1}, file="cmcc.csv"),
            frame_of("calls", {**CALL, "duration_s": -2, "direction": None}, CALL, file="cucc.csv"),
        ]
    )
    result = check_rows(frame, contract=load_contract("calls"), received_at=RECEIVED_AT)

    assert result.failures.rows() == [
        ("cmcc.csv", 2, ["duration_s.negative"]),
        ("cucc.csv", 1, ["direction.missing", "duration_s.negative"]),
    ]
    counts = dict(
        result.summary.filter(pl.col("unexpected") > 0).select("rule", "unexpected").rows()
    )
    assert counts == {"direction.missing": 1, "duration_s.negative": 2}


def test_more_failures_than_an_expectation_lists_are_all_found():
    rows = [{**CALL, "duration_s": -1 if index % 2 else 1} for index in range(1000)]
    assert len(reasons("calls", *rows)) == 500


def test_a_verdict_holds_no_delivered_value():
    frame = frame_of("calls", {**CALL, "msisdn": "138666", "peer_number": "secret-peer"})
    result = check_rows(frame, contract=load_contract("calls"), received_at=RECEIVED_AT)

    shown = result.failures.write_json() + result.summary.write_json()
    assert "138666" not in shown
    assert "secret-peer" not in shown


@pytest.mark.parametrize("contract", load_all_contracts(), ids=lambda contract: contract.dataset)
def test_every_rule_is_an_expectation_that_runs(contract):
    assert [entry["meta"]["code"] for entry in contract_expectations(contract)] == [
        rule.code for rule in contract.rules
    ]

    empty = pl.DataFrame(schema=contract.schema).with_columns(
        pl.lit(1, dtype=pl.Int64).alias("_row")
    )

    assert check_rows(empty, contract=contract, received_at=RECEIVED_AT).summary[
        "evaluated"
    ].to_list() == [0] * len(contract.rules)


def test_a_rule_that_cannot_be_run_stops_the_check_and_quotes_nothing():
    calls = load_contract("calls")
    query = "SELECT _file, _row FROM {batch} WHERE CAST(peer_number AS INTEGER) > 0"
    rule = replace(
        calls.rules[0],
        name="odd",
        expectation="unexpected_rows_expectation",
        arguments={"unexpected_rows_query": query},
    )
    contract = replace(
        calls, columns=(replace(calls.columns[0], rules=(rule,)), *calls.columns[1:])
    )
    with pytest.raises(DeliveryError, match=r"The rule record_id\.\w+ could not be run") as raised:
        check_rows(
            frame_of("calls", {**CALL, "peer_number": "secret"}),
            contract=contract,
            received_at=RECEIVED_AT,
        )
    assert "secret" not in str(raised.value)


MOMENTS = st.sampled_from(
    [
        *(NOON, datetime(1900, 1, 1, tzinfo=UTC), datetime(1999, 12, 31, 15, 59, 59, tzinfo=UTC)),
        *(datetime(2000, 1, 1, tzinfo=SHANGHAI), datetime(2026, 8, 2, 15, 59, tzinfo=UTC)),
        *(datetime(2026, 8, 2, 16, tzinfo=UTC), datetime(2026, 8, 3, 6, tzinfo=SHANGHAI)),
        *(datetime(2026, 8, 3, 6, 0, 1, tzinfo=SHANGHAI), datetime(2026, 6, 30, 16, tzinfo=UTC)),
        *(datetime(2026, 6, 30, 15, 59, tzinfo=UTC), None),
    ]
)
CALLS = st.lists(
    st.fixed_dictionaries(
        {
            "record_id": st.sampled_from(["C1", None]),
            "msisdn": st.one_of(st.none(), st.from_regex(r"1[2-9][0-9]{8,10}", fullmatch=True)),
            "peer_number": st.one_of(st.none(), st.from_regex(r"[0-9a]{0,24}", fullmatch=True)),
            "direction": st.sampled_from(["in", "out", "IN", "", None]),
            "service": st.sampled_from(["voice", "sms", "fax", None]),
            "started_at": MOMENTS,
            "duration_s": st.one_of(st.none(), st.integers(-2, 2), st.integers(86399, 86401)),
        }
    ),
    min_size=50,
    max_size=50,
)


@examples(5, suppressed=tuple(HealthCheck))
@given(CALLS, st.sampled_from([DAY, None]))
def test_the_suite_finds_what_the_naive_rules_find(rows, file_day):
    naive = {
        number: broken
        for number, row in enumerate(rows, 1)
        if (broken := broken_rules_of_a_call(row, file_day=file_day, received_at=RECEIVED_AT))
    }

    assert reasons("calls", *rows, file_day=file_day) == naive


def test_checks_at_the_same_time_see_their_own_rows_alone():
    def find_bad_rows(bad):
        rows = {"number": ["95588"] * 9, "tag": [None] * bad + ["bank"] * (9 - bad)}
        frame = pl.DataFrame(rows, schema={"number": pl.String, "tag": pl.String})
        return (
            check_rows(
                frame.with_row_index("_row", 1).cast({"_row": pl.Int64}),
                contract=load_contract("number_tags"),
                received_at=RECEIVED_AT,
            )
            .failures["_row"]
            .to_list()
        )

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(find_bad_rows, range(9))) == [[*range(1, bad + 1)] for bad in range(9)]


def test_a_check_leaves_no_noise_behind_when_the_process_ends():
    program = (
        "import polars as pl, datetime as dt;"
        "from data_contracts.contract import load_contract;"
        "from data_contracts.suites import check_rows;"
        "columns = {'number': ['110'], 'tag': [None], '_row': [1]};"
        "frame = pl.DataFrame(columns, schema_overrides={'tag': pl.String});"
        "now = dt.datetime.now(dt.timezone.utc);"
        "result = check_rows(frame, contract=load_contract('number_tags'), received_at=now);"
        "print(result.failures['reasons'].to_list())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[['tag.missing']]\n"
    assert "leaked" not in done.stderr
