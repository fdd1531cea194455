import pytest

from data_contracts.contract import load_all_contracts
from data_contracts.words.rejection_words import describe_reason


@pytest.mark.parametrize(
    ("code", "english", "chinese"),
    [
        (
            "duration_s.negative",
            "duration_s: The duration is below zero.",
            "通话时长：时长为负数。",
        ),
        ("direction.missing", "direction: The value is missing.", "呼叫方向：缺少必填的值。"),
        ("amount.unreadable", "amount: The value cannot be read.", "金额：取值无法识别。"),
        (
            "row.too_many_fields",
            "The row has more fields than there are headings; a value that holds the separator (as"
            " in 1,234.00) must stand in quotation marks.",
            "该行的字段多于表头；含分隔符的取值（如 1,234.00）须加引号。",
        ),
        (
            "record_id.conflict",
            "A record with this key and other values arrived before; the first is kept.",
            "同一记录此前已到达且内容不同，保留先到的一条。",
        ),
        (
            "amount.two_amounts",
            "amount: Both amount columns hold an amount, so nobody knows which one is meant.",
            "金额：收入与支出两列均有金额，无法判断以哪一列为准。",
        ),
        ("moon.full", "The rule moon.full does not hold.", "不符合规则 moon.full。"),
    ],
)
def test_reasons_in_plain_words(code, english, chinese):
    assert describe_reason(code) == english
    assert describe_reason(code, language="zh") == chinese


def test_every_rule_has_words_in_both_languages():
    for contract in load_all_contracts():
        for rule in contract.rules:
            assert "does not hold" not in describe_reason(rule.code)
            assert not describe_reason(rule.code, language="zh").isascii()


def test_words_are_those_of_the_dataset():
    of_calls = describe_reason("direction.unknown_value", language="zh", dataset="calls")
    of_transfers = describe_reason("direction.unknown_value", language="zh", dataset="transfers")
    assert of_calls == "呼叫方向：取值不在 in、out 之内。"
    assert of_transfers == "借贷标志：取值不在 debit、credit 之内。"
    english = describe_reason("direction.unknown_value", dataset="transfers")
    assert english == "direction: The value is not one of debit, credit."
    # What a dataset does not know is said as another one says it.
    assert describe_reason("duration_s.negative", dataset="transfers") == describe_reason(
        "duration_s.negative"
    )
