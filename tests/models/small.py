"""A risk model of three trees over two features, and the rows it learned from."""

from datetime import datetime
from zoneinfo import ZoneInfo

import lightgbm as lgb
import numpy as np
import polars as pl

from models.learning.calibration import Calibration
from models.learning.risk import RiskModel

SHANGHAI = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 7, 5, tzinfo=SHANGHAI)
PERSON = "p1_0123456789abcdef"


def small_rows() -> pl.DataFrame:
    """200 moments: whoever talked with strangers for long is live, but for every tenth."""
    talk = np.arange(200) % 40 * 60.0
    live = (talk > 1500) ^ (np.arange(200) % 10 == 0)
    return pl.DataFrame(
        {
            "person": [PERSON] * 200,
            "talk_24h_s": talk,
            "new_debit_cny_24h": np.arange(200) % 7 * 1000.0,
            "label": live.astype(np.int8),
            "sampling_weight": np.where(live, 1.0, 50.0),
        }
    )


def small_model(*, rounds: int = 3) -> RiskModel:
    """The same model every time; more ``rounds`` make another."""
    rows = small_rows()
    features = ("talk_24h_s", "new_debit_cny_24h")
    data = lgb.Dataset(
        rows.select(features).to_numpy(), rows["label"].to_numpy(), feature_name=list(features)
    )
    params = {
        "objective": "binary",
        "verbose": -1,
        "num_threads": 1,
        "min_data_in_leaf": 5,
        "deterministic": True,
    }
    return RiskModel(
        booster=lgb.train(params, data, rounds),
        features=features,
        calibration=Calibration(slope=1.0, intercept=-1.0),
        trained_at=AT,
        facts={"episodes": 40.0, "oof_auc": 0.9},
    )
