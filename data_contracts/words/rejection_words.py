"""The words of a rejection or a warning: what each reason code means, in one look-up."""

from collections.abc import Mapping

from data_contracts.contract import Column, Rule, load_all_contracts

__all__ = ["CONFLICT_CODE", "UNMATCHED_CODE", "describe_reason"]

CONFLICT_CODE = "record_id.conflict"
UNMATCHED_CODE = "amount.reverses_nothing"

#: What only a load can find, by code: it is about the row as a whole.
_OF_A_LOAD: Mapping[str, tuple[str, str]] = {
    CONFLICT_CODE: (
        "A record with this key and other values arrived before; the first is kept.",
        "同一记录此前已到达且内容不同，保留先到的一条。",
    ),
    UNMATCHED_CODE: (
        "A reversal for which no payment was found that it undoes.",
        "冲正记录，但未找到被冲正的原交易。",
    ),
}
#: What reading finds, by the name after the column. All else is a rule, which its contract words.
_OF_READING: Mapping[str, tuple[str, str]] = {
    "unreadable": ("The value cannot be read.", "取值无法识别。"),
    "too_many_fields": (
        "The row has more fields than there are headings; a value that holds the separator (as in"
        " 1,234.00) must stand in quotation marks.",
        "该行的字段多于表头；含分隔符的取值（如 1,234.00）须加引号。",
    ),
    "too_few_fields": (
        "The row has fewer fields than there are headings.",
        "该行的字段少于表头。",
    ),
    "stray_quote": (
        "A quotation mark in the row is not closed or stands inside a value; it must be doubled.",
        "该行的引号未配对，或出现在取值之中；取值中的引号须写成两个。",
    ),
    "torn": (
        "A line beside the row is a piece of a field, so part of the row may be missing.",
        "相邻的一行只是某个字段的片段，该行可能不完整。",
    ),
    "cut_off": (
        "The last line of the file does not end, and its last value is shorter than in all other"
        " rows: it may be cut.",
        "文件末行没有结束，且最后一个取值比其他各行都短，可能已被截断。",
    ),
    "lost_digits": (
        "A number of more than 15 digits stands in a cell that is not text: its last digits are"
        " lost.",
        "超过 15 位的号码存于数字格式的单元格，末尾数字已丢失。",
    ),
    "nul_bytes": (
        "The row holds bytes of zero, which no text has; part of it may be lost.",
        "该行含有文本中不应有的零字节，部分内容可能已丢失。",
    ),
    "other_value": (
        "The word is not known; the row is taken with the value other.",
        "取值无法识别，按“其他”接收。",
    ),
    "unreadable_item": (
        "The list holds something that is no number or account; the rest of it is taken.",
        "列表中有无法识别的号码或账号；其余部分已收入。",
    ),
    "placeholder": (
        "The value only fills the place of an account and is taken as none.",
        "该值只是占位，不是账号，按未填处理。",
    ),
    "two_amounts": (
        "Both amount columns hold an amount, so nobody knows which one is meant.",
        "收入与支出两列均有金额，无法判断以哪一列为准。",
    ),
}


def describe_reason(code: str, *, dataset: str | None = None, language: str = "en") -> str:
    """Say a reason code (``duration_s.negative``) in plain words, ``en`` or ``zh``, without any
    delivered value.

    Datasets have columns of the same name that mean other things: with ``dataset`` the words are
    those of its contract.
    """
    chinese = language.startswith("zh")
    if code in _OF_A_LOAD:
        return _OF_A_LOAD[code][chinese]
    column_name, _, name = code.partition(".")
    column, rule = _find_rule(column_name, name, dataset=dataset)
    if rule is not None:
        words = rule.meaning_zh if chinese else rule.meaning
    else:
        unknown = (f"The rule {code} does not hold.", f"不符合规则 {code}。")
        words = _OF_READING.get(name, unknown)[chinese]
    if column is None:
        return words
    return f"{column.title_zh}：{words}" if chinese else f"{column.name}: {words}"


def _find_rule(
    column_name: str, name: str, *, dataset: str | None
) -> tuple[Column | None, Rule | None]:
    """The column and its rule in the contract of ``dataset``, else in the first that has them."""
    contracts = sorted(load_all_contracts(), key=lambda contract: contract.dataset != dataset)
    columns = [
        column
        for contract in contracts
        for column in contract.columns
        if column.name == column_name
    ]
    rules = (rule for column in columns for rule in column.rules if rule.name == name)
    return (columns[0] if columns else None), next(rules, None)
