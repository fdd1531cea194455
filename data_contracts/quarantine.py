"""Telling good rows from bad ones after a check, and saying in plain words what was wrong."""

import polars as pl

from data_contracts.contract import Column, Rule, load_all_contracts

__all__ = ["reason_text", "split_rows"]

_ON = ("_file", "_row")
_OTHER_TEXTS = {
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
    "conflict": ("The same record came with other values.", "同一记录以不同内容重复送达。"),
}


def split_rows(frame: pl.DataFrame, failures: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split checked rows into good and bad ones; together they are all rows of ``frame``.

    ``good`` has the columns of ``frame`` without ``_problems``, ``_warnings`` and ``_raw``. ``bad``
    has ``_file``, ``_row``, ``reasons`` (List[String] of codes), ``row_json``, the row's values as
    JSON, and ``is_delivered``: they are as delivered, by the headings of the file, where one could
    not be read, else normalised. ``row_json`` holds raw identifiers: encrypt it before it is
    stored.
    """
    if "_file" not in frame.columns:
        frame = frame.with_columns(pl.lit("").alias("_file"))
    own = [name for name in ("_problems", "_warnings", "_raw") if name in frame.columns]
    good = (
        frame
        if failures.is_empty()
        else frame.join(failures, on=_ON, how="anti", maintain_order="left")
    )
    bad = frame.join(failures, on=_ON, how="inner", maintain_order="left")
    values = [name for name in frame.columns if not name.startswith("_")]
    row_json = bad.select(pl.struct(pl.col(values)).struct.json_encode().alias("row_json"))[
        "row_json"
    ]
    raw = (
        bad["_raw"]
        if "_raw" in own
        else pl.Series([None], dtype=pl.String).new_from_index(0, bad.height)
    )
    values_json = raw.zip_with(raw.is_not_null(), row_json).alias("row_json")
    is_delivered = raw.is_not_null().alias("is_delivered")
    return good.drop(own), bad.select(*_ON, "reasons").with_columns(values_json, is_delivered)


def reason_text(code: str, language: str = "en", *, dataset: str | None = None) -> str:
    """Say a reason code (``duration_s.negative``) in plain words, ``en`` or ``zh``, without any
    delivered value.

    Datasets have columns of the same name that mean other things: with ``dataset`` the words are
    those of its contract.
    """
    column_name, _, name = code.partition(".")
    chinese = language.startswith("zh")
    column, rule = _find_rule(column_name, name, dataset=dataset)
    if rule is not None:
        words = rule.meaning_zh if chinese else rule.meaning
    else:
        words = _OTHER_TEXTS.get(name, (f"The rule {code} does not hold.", f"不符合规则 {code}。"))[
            chinese
        ]
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
