"""What the contracts say of a reason, for the page that explains it."""

from data_contracts.contract import Column, load_contract
from data_contracts.words.rejection_words import describe_reason
from serving.context.ports import ReasonWords

__all__ = ["explain_reason"]


def explain_reason(code: str, /, *, dataset: str) -> ReasonWords:
    """Return the words of a reason and of its column in the contract of ``dataset``."""
    zh, en = (describe_reason(code, dataset=dataset, language=name) for name in ("zh", "en"))
    column = _find_column(dataset, code.partition(".")[0])
    if column is None:
        return ReasonWords(zh=zh, en=en)
    return ReasonWords(
        zh=zh,
        en=en,
        meaning_zh=column.meaning_zh,
        meaning_en=column.meaning,
        headings=(column.name, *column.headings),
        values=dict(column.values),
        unit=column.unit or "",
    )


def _find_column(dataset: str, name: str) -> Column | None:
    return next((one for one in load_contract(dataset).columns if one.name == name), None)
