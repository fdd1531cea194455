"""No field gives the fraud away by its form: a model that sees only the form of a row must be at a
loss.
"""

import lightgbm as lgb
import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from tests.pipelines.simulate.conftest import District, place_in_hour

CENTS = (pl.col("amount") * 100).cast(pl.Int64)


def _auc(rows: pl.DataFrame, at: str, form: list[pl.Expr]) -> float:
    """Learned on the earlier 60 % of the fraud rows, judged on the later ones.

    The split by time keeps the model from recognising numbers and accounts it has met: they burn
    out in days.
    """
    y = rows["fraud"].to_numpy()
    order = rows[at].dt.epoch("s").to_numpy()
    cut = np.quantile(order[y], 0.6)
    rng = np.random.default_rng(0)

    def sample(part: np.ndarray) -> np.ndarray:
        fraud = np.flatnonzero(part & y)
        return np.concatenate([fraud, rng.choice(np.flatnonzero(part & ~y), 20 * len(fraud))])

    train, test = sample(order < cut), sample(order >= cut)
    settings = {"objective": "binary", "verbose": -1, "num_leaves": 15, "num_threads": 2, "seed": 0}
    x_train, x_test = (
        rows[chosen].select(form).cast(pl.Float64).to_numpy() for chosen in (train, test)
    )
    model = lgb.train(settings, lgb.Dataset(x_train, y[train].astype(int)), 60)
    return float(roc_auc_score(y[test], model.predict(x_test)))


def test_calls(lively: District) -> None:
    form = [
        pl.col("place"),
        pl.col("record_id").str.tail(2).cast(pl.Int64).alias("record_tail"),
        pl.col("record_id").str.len_chars().alias("record_length"),
        pl.col("started_at").dt.second().alias("second"),
        pl.col("started_at").dt.microsecond().alias("microsecond"),
        (pl.col("duration_s") % 10).alias("duration_tail"),
        pl.col("peer_number").str.tail(1).cast(pl.Int64).alias("peer_tail"),
        pl.col("msisdn").str.tail(1).cast(pl.Int64).alias("own_tail"),
    ]
    assert _auc(lively.calls(place=place_in_hour("started_at")), "started_at", form) < 0.6


@pytest.mark.parametrize(
    "accounts_only", [False, True], ids=["all payees", "payees that are accounts"]
)
def test_transfers(lively: District, *, accounts_only: bool) -> None:
    form = [
        pl.col("place"),
        pl.col("record_id").str.tail(2).cast(pl.Int64).alias("record_tail"),
        pl.col("occurred_at").dt.second().alias("second"),
        pl.col("occurred_at").dt.microsecond().alias("microsecond"),
        (CENTS % 100).alias("cents"),
        (CENTS // 100 % 10).alias("last_yuan"),
        pl.col("peer_account").str.tail(1).cast(pl.Int64).alias("peer_tail"),
        pl.col("account_id").str.tail(1).cast(pl.Int64).alias("own_tail"),
    ]
    rows = lively.transfers(place=place_in_hour("occurred_at"))
    if accounts_only:
        rows = rows.filter(~pl.col("peer_account").str.starts_with("M"))
        form.append(pl.col("peer_account").str.head(6).cast(pl.Int64).alias("peer_prefix"))
    assert _auc(rows, "occurred_at", form) < 0.6


def test_fraud_comes_in_every_form_that_honest_rows_have(lively: District) -> None:
    transfers = lively.transfers().filter(direction="debit")
    fraud = transfers.filter("fraud")
    assert fraud["peer_account"].str.starts_with("M").any()  # a merchant code can be a mule
    assert set(fraud["peer_bank"]) == {
        "icbc",
        "abc",
        "boc",
        "ccb",
        "psbc",
        "ruralcb",
        "cmb",
        "other",
    }
    assert {"mobile", "online", "third_party"} <= set(fraud["channel"])
    assert set(lively.calls().filter("fraud")["direction"]) == {"in", "out"}
