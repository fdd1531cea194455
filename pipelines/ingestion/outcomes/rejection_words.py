"""The words of reason codes: the contract's, and those of what only a load can find."""

from collections.abc import Mapping

from data_contracts.quarantine import reason_text

__all__ = ["CONFLICT_CODE", "UNMATCHED_CODE", "describe_reason"]

CONFLICT_CODE = "record_id.conflict"
UNMATCHED_CODE = "amount.reverses_nothing"
LOADING_TEXTS: Mapping[str, Mapping[str, str]] = {
    UNMATCHED_CODE: {
        "en": "A reversal for which no payment was found that it undoes.",
        "zh": "冲正记录，但未找到被冲正的原交易。",
    },
    CONFLICT_CODE: {
        "en": "A record with this key and other values arrived before; the first is kept.",
        "zh": "同一记录此前已到达且内容不同，保留先到的一条。",
    },
}


def describe_reason(code: str, *, dataset: str | None, language: str = "en") -> str:
    """What a reason code means in the contract of ``dataset``, in ``en`` or ``zh``."""
    own = LOADING_TEXTS.get(code)
    return own[language] if own else reason_text(code, language, dataset=dataset)
