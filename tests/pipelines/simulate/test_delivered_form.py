"""The landing folder has the form in which partners deliver."""

import polars as pl

from tests.pipelines.simulate.conftest import District

ZONED = pl.Datetime("us", "Asia/Shanghai")
NAIVE = pl.Datetime("us")
MONEY = pl.Decimal(18, 2)
ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
SCHEMAS = {
    "residents": {
        **dict.fromkeys(("id_number", "name", "sex"), pl.String),
        "birth_date": pl.Date,
        **dict.fromkeys(("residency", "community_id", "grid_id", "address"), pl.String),
    },
    "subscribers": {
        **dict.fromkeys(("msisdn", "id_number", "operator"), pl.String),
        "activated_on": pl.Date,
    },
    "accounts": {
        **dict.fromkeys(("account_id", "id_number", "bank"), pl.String),
        "opened_on": pl.Date,
    },
    "number_tags": {"number": pl.String, "tag": pl.String},
    "cases": {
        **dict.fromkeys(("case_id", "id_number", "scam_type", "outcome"), pl.String),
        **dict.fromkeys(("first_transfer_at", "last_transfer_at", "reported_at"), ZONED),
        "loss_amount": MONEY,
        **dict.fromkeys(("suspect_numbers", "suspect_accounts"), pl.String),
    },
    "truth": {
        "journey": pl.Int64,
        "scam_type": pl.String,
        "first_trace_at": NAIVE,
        "traces": pl.Int64,
        **dict.fromkeys(
            ("contact_at", "first_transfer_at", "main_transfer_at", "last_transfer_at"), NAIVE
        ),
        "loss": pl.Float64,
        "outcome": pl.String,
        "reported": pl.Boolean,
        "reported_at": NAIVE,
        **dict.fromkeys(
            ("suspect_accounts", "suspect_numbers", "moves", "id_number", "msisdn"), pl.String
        ),
        "floating": pl.Boolean,
        "age": pl.Int64,
    },
}
CALLS = {
    **dict.fromkeys(("record_id", "msisdn", "peer_number", "direction", "service"), pl.String),
    "started_at": ZONED,
    "duration_s": pl.Int64,
}
TRANSFERS = {
    **dict.fromkeys(("record_id", "account_id", "peer_account", "direction"), pl.String),
    "amount": MONEY,
    "occurred_at": ZONED,
    "channel": pl.String,
    "peer_bank": pl.String,
}


def test_registers_have_the_delivered_columns(small: District) -> None:
    for name, schema in SCHEMAS.items():
        assert dict(pl.read_parquet_schema(small.path / f"{name}.parquet")) == schema, name


def test_one_file_per_source_and_day(small: District) -> None:
    days = [f"2026-06-0{day}" for day in range(1, 6)]
    assert sorted(p.name for p in (small.path / "calls").iterdir()) == days
    assert sorted(p.name for p in (small.path / "transfers").iterdir()) == days
    for day in days:
        assert {p.name for p in (small.path / "calls" / day).iterdir()} == {
            "cmcc.parquet",
            "cucc.parquet",
            "ctcc.parquet",
        }
        assert {p.stem for p in (small.path / "transfers" / day).iterdir()} == {
            "icbc", "abc", "boc", "ccb", "psbc", "ruralcb",
        }  # fmt: skip
        assert dict(pl.read_parquet_schema(small.path / "calls" / day / "cmcc.parquet")) == CALLS
        assert (
            dict(pl.read_parquet_schema(small.path / "transfers" / day / "icbc.parquet"))
            == TRANSFERS
        )


def test_rows_belong_to_their_file(small: District) -> None:
    calls = small.daily("calls").join(small.register("subscribers"), on="msisdn", how="left")
    assert calls.filter(pl.col("operator").ne_missing(pl.col("source"))).is_empty()
    assert calls.filter(pl.col("started_at").dt.date().cast(pl.String) != pl.col("day")).is_empty()
    transfers = small.daily("transfers").join(
        small.register("accounts"), on="account_id", how="left"
    )
    assert transfers.filter(pl.col("bank").ne_missing(pl.col("source"))).is_empty()
    assert transfers.filter(
        pl.col("occurred_at").dt.date().cast(pl.String) != pl.col("day")
    ).is_empty()


def test_record_ids_are_unique_and_values_are_known(small: District) -> None:
    for dataset in ("calls", "transfers"):
        rows = small.daily(dataset)
        assert rows.select("day", "record_id").is_duplicated().sum() == 0
    calls, transfers = small.daily("calls"), small.daily("transfers")
    assert set(calls["direction"]) == {"in", "out"}
    assert set(calls["service"]) == {"voice", "sms"}
    assert calls.filter((pl.col("service") == "sms") & (pl.col("duration_s") > 0)).is_empty()
    assert calls["duration_s"].min() == 0
    assert calls["duration_s"].max() <= 4 * 3600
    assert set(transfers["direction"]) == {"debit", "credit"}
    assert set(transfers["channel"]) <= {"mobile", "online", "atm", "counter", "pos", "third_party"}
    assert transfers["amount"].cast(float).min() > 0


def test_a_call_between_residents_is_delivered_from_both_sides(small: District) -> None:
    calls = small.daily("calls")
    served = small.register("subscribers")["msisdn"]
    inner = calls.filter(pl.col("peer_number").is_in(served.implode()))
    outgoing = inner.filter(direction="out").select(
        "started_at", "duration_s", "service", caller="msisdn", callee="peer_number"
    )
    incoming = inner.filter(direction="in").select(
        "started_at", "duration_s", "service", caller="peer_number", callee="msisdn"
    )
    order = ["started_at", "caller", "callee", "duration_s", "service"]
    assert len(outgoing) > 500
    assert outgoing.select(order).sort(order).equals(incoming.select(order).sort(order))


def test_a_payment_between_residents_is_delivered_by_both_banks(small: District) -> None:
    transfers = small.daily("transfers")
    inner = transfers.filter(
        pl.col("peer_account").is_in(small.register("accounts")["account_id"].implode())
    )
    order = ["occurred_at", "payer", "payee", "amount", "channel"]
    paid = (
        inner.filter(direction="debit")
        .rename({"account_id": "payer", "peer_account": "payee"})
        .select(order)
    )
    received = (
        inner.filter(direction="credit")
        .rename({"account_id": "payee", "peer_account": "payer"})
        .select(order)
    )
    assert len(paid) > 30
    assert paid.sort(order).equals(received.sort(order))


def test_identity_numbers_have_their_check_digit_and_fit_the_register(small: District) -> None:
    residents = small.register("residents")
    assert residents["id_number"].n_unique() == 300
    for number, sex, birth in residents.select("id_number", "sex", "birth_date").iter_rows():
        total = sum(w * int(d) for w, d in zip(ID_WEIGHTS, number[:17], strict=True))
        assert number[17] == "10X98765432"[total % 11]
        assert number[6:14] == f"{birth:%Y%m%d}"
        assert (int(number[16]) % 2 == 1) == (sex == "M")


def test_registers_point_at_residents(small: District) -> None:
    people = set(small.register("residents")["id_number"])
    for name in ("subscribers", "accounts", "cases", "truth"):
        assert set(small.register(name)["id_number"]) <= people
    assert len(small.register("subscribers")) > 300  # second numbers
    assert small.register("subscribers")["msisdn"].is_unique().all()
    assert small.register("accounts")["account_id"].is_unique().all()
