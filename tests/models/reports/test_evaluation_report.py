"""The evaluation report: every section says what was measured, and names nobody."""

from html.parser import HTMLParser

import polars as pl
import pytest

from models.evaluation.alert_metrics import judge_alerts
from models.evaluation.drift import Drift, FeatureDrift
from models.evaluation.fairness import metrics_by_group
from models.evaluation.stability import Stability
from models.reports.evaluation_report import EvaluationReport, render_evaluation_report
from tests.models.drawn import on
from tests.models.evaluation.test_alert_metrics import END, EPISODES, START, TRACES, alerts
from tests.models.evaluation.test_fairness import PEOPLE

MODEL = judge_alerts(
    alerts(("ada", on(3, 12)), ("cai", on(5)), ("zoe", on(4))),
    EPISODES,
    start=START,
    end=END,
    traces=TRACES,
)
RULE = judge_alerts(alerts(("zoe", on(4))), EPISODES, start=START, end=END)
BUDGETS = pl.DataFrame(
    {
        "budget": [4, 8],
        "alerts_per_day": [3.9, 8.0],
        "precision": [0.9, 0.75],
        "coverage": [0.4, 0.625],
        "money": [0.5, 0.7],
        "lead_h_median": [12.0, None],
    }
)


class Cells(HTMLParser):
    """The rows of all tables, and the headings."""

    def __init__(self) -> None:
        super().__init__()
        self.rows, self.titles, self._in = [], [], ""

    def handle_starttag(self, tag, attrs):
        self._in = tag if tag in ("td", "th", "h2", "small") else ""
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        self._in = ""

    def handle_data(self, data):
        if self._in in ("td", "th"):
            self.rows[-1][-1] += data
        elif self._in == "h2":
            self.titles.append(data.strip())


def whole() -> EvaluationReport:
    return EvaluationReport(
        start=START,
        end=END,
        every="15m",
        budget=8,
        model=MODEL,
        rule=RULE,
        groups=metrics_by_group(
            MODEL, PEOPLE, attributes=("residency", "sex"), min_count=1, draws=50
        ),
        budgets=BUDGETS,
        calibration=pl.DataFrame(
            {"predicted": [0.1, 0.5], "observed": [0.2, 0.4], "moments": [90.0, 10.0]}
        ),
        stability=Stability(rows=12, reasons_shared=0.82, rank_correlation=0.9),
        drift=Drift(
            rows=9,
            features=(FeatureDrift(feature="talk_s_24h", psi=0.3, missing=0, missing_before=0),),
        ),
        versions={"model_version": "3", "git_revision": "<abc>"},
    )


@pytest.fixture(scope="module")
def page():
    return render_evaluation_report(whole())


@pytest.fixture(scope="module")
def cells(page):
    found = Cells()
    found.feed(page)
    return found


def test_every_section_stands_in_order(cells):
    assert cells.titles == [
        "总体", "按诈骗类型", "按人群", "每日预算", "概率是否可信",
        "理由是否稳定", "数据是否变了",
        "口径",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "row",
    [
        ["准确率乙 precision, tier b", "67 % (0–100)", "0 % (0–0)"],
        ["准确率甲 precision, tier a", "未测 not measured", "未测 not measured"],
        ["其中有迹可循 of them traced", "2", "未测 not measured"],
        ["已报案受损 reported losses", "4", "4"],
        ["police", "2", "100 % (100–100)", "100 %", "93 %", "21.0", "100 %"],
        [
            "户籍 residency",
            "floating",
            "覆盖 coverage",
            "2",
            "0 % (0–0)",
            "-100.0 (-100.0 … -100.0)",
        ],
        ["8", "8.0", "75 %", "62 %", "70 %", "–"],
        ["前三条理由相同的比例 share of common first three reasons", "82 %"],
        ["talk_s_24h", "0.3", "0", "0", "moved far"],
    ],
)
def test_rows_say_what_was_measured(cells, row):
    assert row in cells.rows


def test_it_stands_alone_and_names_nobody(page):
    assert page.count("<svg") == 3
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    assert "&lt;abc&gt;" in page
    for person in ("ada", "cai", "zoe"):
        assert f">{person}<" not in page
    assert "2026-06-01 00:00 至 2026-06-08 00:00，每 15m 判断一次，每日最多 8 条" in page


def test_what_was_not_measured_is_left_out():
    bare = Cells()
    bare.feed(
        render_evaluation_report(EvaluationReport(start=START, end=END, budget=8, model=MODEL))
    )
    assert bare.rows[0] == ["", "系统 system"]
    assert bare.titles == ["总体", "按诈骗类型", "口径"]
