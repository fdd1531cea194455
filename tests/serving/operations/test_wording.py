"""What a run tells of itself, in words."""

import pytest

from pipelines.cluster.piece_report import Mishap
from serving.operations.wording import COUNTED_FACTS, HAPPENED, describe_fact
from serving.presentation.translations import get_translator

ZH, EN = get_translator("zh"), get_translator("en")


@pytest.mark.parametrize(
    ("name", "value", "zh", "en"),
    [
        ("scored", 1650.0, "1,650 人已评分", "1,650 people scored"),
        ("pieces_by_workers", 34.0, "34 个分片由计算节点完成", "34 pieces computed by workers"),
        (
            "worker_lost",
            1.0,
            "1 个计算节点失联，其分片改由他处计算",
            "1 worker lost, its piece computed elsewhere",
        ),
        (
            "scheduler_missing",
            1.0,
            "无法连接集群，全部由本机计算",
            "cluster not reached, this machine computed alone",
        ),
    ],
)
def test_a_fact_of_a_run_has_words(name: str, value: float, zh: str, en: str) -> None:
    assert (describe_fact(name, value, ZH), describe_fact(name, value, EN)) == (zh, en)


def test_whatever_goes_wrong_with_a_cluster_has_words() -> None:
    assert {mishap.value for mishap in Mishap} == {
        *HAPPENED,
        *(name for name in COUNTED_FACTS if name.startswith(("worker_", "store_"))),
    }
