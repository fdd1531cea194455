"""Whose file it is: the source behind a file name, however it was spelled, dated or copied."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import time
from pathlib import Path

from data_contracts.mappings import mapping as source_mappings
from pipelines.settings import Settings
from pipelines.settings.installation_settings import ANY_SOURCE
from pipelines.storage.lake import Lake
from pipelines.storage.ledger import Ledger

__all__ = [
    "FileName",
    "KnownSources",
    "fold_name",
    "list_known_sources",
    "read_file_name",
    "strip_marks",
]

# Sources that exist in public, with the names that people give them in Chinese.
PUBLIC_SOURCES: Mapping[str, tuple[str, ...]] = {
    "cmcc": ("中国移动", "移动"),
    "cucc": ("中国联通", "联通"),
    "ctcc": ("中国电信", "电信"),
    "cbn": ("中国广电", "广电"),
    "icbc": ("中国工商银行", "工商银行", "工行"),
    "abc": ("中国农业银行", "农业银行", "农行"),
    "boc": ("中国银行", "中行"),
    "ccb": ("中国建设银行", "建设银行", "建行"),
    "bocom": ("交通银行", "交行"),
    "psbc": ("中国邮政储蓄银行", "邮政储蓄银行", "邮储银行", "邮储"),
    "cmb": ("招商银行", "招行"),
    "citic": ("中信银行",),
    "ceb": ("中国光大银行", "光大银行"),
    "cmbc": ("中国民生银行", "民生银行"),
    "cib": ("兴业银行",),
    "spdb": ("上海浦东发展银行", "浦发银行"),
    "pab": ("平安银行",),
    "hxb": ("华夏银行",),
    "cgb": ("广发银行",),
    "czb": ("浙商银行",),
    "ruralcb": ("农村商业银行", "农商银行", "农商行", "农村信用社", "农信社"),
    "alipay": ("支付宝",),
    "wechat": ("微信", "微信支付", "财付通"),
    "unionpay": ("银联", "中国银联"),
}
# What people and programs add to the name of a file that they date, copy, number or correct.
DATE = (
    r"20\d\d[-_.年]?(?:0?[1-9]|1[0-2])[-_.月]?(?:0?[1-9]|[12]\d|3[01])日?"
    r"(?:[t_]?[0-2]\d[0-5]\d(?:[0-5]\d)?)?"
)
CHINESE_COPY = (
    r"副本|复件|拷贝|复制|备份|最终版?|终版|定稿|新版|最新|重传|重发|补传|全量|第\d+[部份批次]分?"
)
CHINESE_CORRECTION = r"更正版?|修正版?|修订版?|修改版?|订正版?|纠正|改正|补正|重报"
LATIN_COPY = (
    r"copy(?:\s+of)?|final|new|latest|backup|bak|dup(?:licate)?|resent|resend|"
    r"(?:v|ver|version|part|p)[-_.\s]?\d+|\d+\s?of\s?\d+"
)
LATIN_CORRECTION = r"correct(?:ion|ed)|corr|fix(?:ed)?|amend(?:ed|ment)?|revis(?:ed|ion)|rev\d*"
GAP = r"[-_.,~#\s–—]"
WORD_MARK = rf"{CHINESE_COPY}|{CHINESE_CORRECTION}"
LATIN_MARK = rf"(?<![a-z])(?:{LATIN_COPY}|{LATIN_CORRECTION})(?![a-z])"
TRAILING_DATE = re.compile(rf"{DATE}$")
TRAILING_MARK = re.compile(
    rf"(?:{DATE}|\(\s*(?:\d+|{WORD_MARK}|{LATIN_COPY}|{LATIN_CORRECTION})\s*\)|\[\s*\d+\s*\]"
    rf"|{WORD_MARK}|{LATIN_MARK}|(?<=[-_.,~#\s–—])\d+|{GAP}+)$"
)
LEADING_MARK = re.compile(
    rf"^(?:{DATE}|\(\s*\d+\s*\)|{WORD_MARK}|{LATIN_MARK}|\d+(?={GAP})|{GAP}+)"
)
CORRECTION = re.compile(rf"{CHINESE_CORRECTION}|(?<![a-z])(?:{LATIN_CORRECTION})(?![a-z])")
MINUTE = re.compile(r"-(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)$")
FIRST_WORD = re.compile(r"[-\s(]")


@dataclass(frozen=True, kw_only=True)
class KnownSources:
    """``names`` by their folded form, among them other names of the same source; ``familiar`` are
    those that delivered before, that a register names, or that somebody declared.
    """

    names: Mapping[str, str]
    familiar: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class FileName:
    """What the name of an event file says.

    ``minute`` is the time at its end, ``is_new`` a source that nobody knew before, ``is_plain`` a
    name without any mark, ``corrects`` that it names itself a correction.
    """

    source: str
    minute: time | None
    is_new: bool
    is_plain: bool
    corrects: bool


PUBLIC = KnownSources(
    names={name: source for source, others in PUBLIC_SOURCES.items() for name in (*others, source)}
)


def list_known_sources(settings: Settings) -> KnownSources:
    """The sources of the public list, of the registers (banks and operators), of what was loaded,
    and those declared by a mapping or a feed's settings; the later ones win.
    """
    folders = (Path(source_mappings.__file__).parent / "sources", settings.sources_folder)
    declared = {path.stem for folder in folders if folder for path in folder.glob("*.yaml")} | {
        source for feed in settings.feeds.values() for source in feed
    }
    declared -= {ANY_SOURCE}
    lake = Lake.of(settings)
    ledger = Ledger(settings.lake_folder / "ledger.db")
    registered = {
        name
        for register, column in (("subscribers", "operator"), ("accounts", "bank"))
        for name in lake.scan(register).select(column).unique().collect()[column].drop_nulls()
    }
    names = {**PUBLIC.names, **{fold_name(name): name for name in (*sorted(registered), *declared)}}
    # What was once taken for a source by itself, though it is a copy of a known one, is none.
    loaded = {fold_name(name): name for name in ledger.event_sources()}
    others = {
        folded: name
        for folded, name in loaded.items()
        if folded in names or strip_marks(folded) not in names
    }
    # Before anything was loaded every source is as new as the others.
    familiar = {*registered, *others.values(), *(declared if others or registered else ())}
    return KnownSources(names={**names, **others}, familiar=frozenset(familiar))


def read_file_name(stem: str, *, known: KnownSources = PUBLIC) -> FileName:
    """Read the name of an event file, without its endings."""
    text = fold_name(stem)
    unmarked = _strip(text, known=known.names)
    minute = MINUTE.search(unmarked)
    base = _strip(unmarked[: minute.start()], known=known.names) if minute else unmarked
    source = next((known.names[name] for name in _candidates(base) if name in known.names), None)
    return FileName(
        source=source or FIRST_WORD.split(base, maxsplit=1)[0],
        minute=time(int(minute["hour"]), int(minute["minute"])) if minute else None,
        is_new=source is None,
        is_plain=stem == (source or "") + (minute.group() if minute else ""),
        corrects=bool(CORRECTION.search(text)) and text not in known.names,
    )


def fold_name(name: str) -> str:
    """The name in one form for comparing: narrow letters, small, without space around."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


def strip_marks(name: str, *, known: Collection[str] = ()) -> str:
    """The folded name without dates, numbers and marks of copies or corrections around it."""
    return _strip(fold_name(name), known=known)


def _strip(text: str, *, known: Collection[str]) -> str:
    while text not in known:
        ends_in_minute = MINUTE.search(text) and not TRAILING_DATE.search(text)
        shorter = text if ends_in_minute else TRAILING_MARK.sub("", text)
        shorter = LEADING_MARK.sub("", shorter)
        if shorter in {text, ""}:
            break
        text = shorter
    return text


def _candidates(base: str) -> Iterable[str]:
    """What of a name may be the source: all of it, its first word, each without digits at the
    end.
    """
    first = FIRST_WORD.split(base, maxsplit=1)[0]
    yield from (base, first, base.rstrip("0123456789"), first.rstrip("0123456789"))
