"""Values worded for people, in Chinese and English."""

import math
from collections.abc import Callable, Mapping
from typing import Literal

from features.catalogue.definitions import Feature

__all__ = ["Language", "describe_value"]

Language = Literal["zh", "en"]

_KINDS: Mapping[
    int, tuple[str, str]
] = {  # of every number that a reason may name, also where its kind is none
    0: ("其他类型的", "another kind of"),
    1: ("境外", "an international"),
    2: ("虚拟运营商", "a virtual-operator"),
    3: ("95、96 服务", "a 95 or 96 service"),
    4: ("400 服务", "a 400 service"),
    5: ("106 短信", "a 106 text"),
    6: ("固定电话", "a landline"),
    7: ("手机", "a mobile"),
}
_SPANS = (
    ("天", "day", 86_400),
    ("小时", "hour", 3_600),
    ("分钟", "minute", 60),
    ("秒", "second", 1),
)


def describe_value(feature: Feature, value: float, *, language: Language) -> str:
    """The feature's words with ``value`` in them; English nouns after it follow its number."""
    zh, en = _FORMATS[feature.unit](value)
    if language == "zh":
        return feature.zh.format(value=zh)
    return feature.en.format(value=en, s="" if en == "1" else "s")


def _span(seconds: float, *, largest: int) -> tuple[str, str]:
    """A length of time in the largest unit, up to ``largest`` seconds, of which it holds at least
    two.
    """
    fitting = (span for span in _SPANS if span[2] <= largest and seconds >= 2 * span[2])
    zh, en, size = next(fitting, _SPANS[-1])
    count = f"{seconds / size:.0f}"
    return f"{count} {zh}", f"{count} {en}{'' if count == '1' else 's'}"


def _whole(value: float) -> tuple[str, str]:
    return (f"{value:,.0f}",) * 2


def _money(value: float) -> tuple[str, str]:
    return f"{value:,.0f} 元", f"CNY {value:,.0f}"


def _times(value: float) -> tuple[str, str]:
    """Rounded down, for the words say "at least"."""
    return (f"{math.floor(value):,}",) * 2


def _share(value: float) -> tuple[str, str]:
    return (f"{value:.0%}",) * 2


def _score(value: float) -> tuple[str, str]:
    return (f"{value:.2f}",) * 2


def _kind(value: float) -> tuple[str, str]:
    return _KINDS[int(value)]


_FORMATS: Mapping[str, Callable[[float], tuple[str, str]]] = {
    "count": _whole,
    "s": lambda value: _span(value, largest=60),
    "h": lambda value: _span(value * 3_600, largest=86_400),
    "d": lambda value: _span(value * 86_400, largest=86_400),
    "years": _whole,
    "CNY": _money,
    "ratio": _times,
    "share": _share,
    "score": _score,
    "flag": _whole,
    "kind": _kind,
}
