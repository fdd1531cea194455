"""What the command line prints for machines."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from pipelines.cli.printing.terminal import print_json


@dataclass(frozen=True)
class Result:
    at: datetime
    out: Path
    figures: dict[str, float]
    names: tuple[str, ...]


def test_a_result_is_printed_as_json(capsys):
    at = datetime(2026, 7, 5, 8, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    one = Result(at=at, out=Path("a/b.csv"), figures={"精度": 0.5}, names=("x", "y"))
    print_json({"results": [one], "count": np.int64(3), "none": None})
    text = capsys.readouterr().out
    assert "精度" in text
    assert json.loads(text) == {
        "results": [
            {
                "at": "2026-07-05T08:30:00+08:00",
                "out": "a/b.csv",
                "figures": {"精度": 0.5},
                "names": ["x", "y"],
            }
        ],
        "count": "3",
        "none": None,
    }
