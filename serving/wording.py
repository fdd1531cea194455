"""The words of the trade, Chinese first: levels, scam types, results, and what to say to whom."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

__all__ = [
    "CHANNELS",
    "LEVELS",
    "MISSING",
    "OPEN",
    "OTHER",
    "RESULTS",
    "SCAM_TYPES",
    "Language",
    "Words",
    "figure",
    "what_to_say",
    "words",
]

Language = Literal["zh", "en"]
OTHER: Final = "other"  # the name under which contributions too small to list are added up
OPEN: Final = "open"  # the status of an alert nobody has answered


class Words(NamedTuple):
    """One thing said in both languages."""

    zh: str
    en: str

    def in_(self, language: Language) -> str:
        """Return the words in ``language``."""
        return self.zh if language == "zh" else self.en


def figure(value: float) -> str:
    """Return a number as people read it: whole from 1,000 on, else four digits."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def words(table: Mapping[str, Words], code: str, language: Language) -> str:
    """Return what ``table`` calls ``code``; a code that is not in it speaks for itself."""
    return table[code].in_(language) if code in table else code


LEVELS: Mapping[str, Words] = MappingProxyType(
    {
        "red": Words("红色·紧急", "Red · urgent"),
        "orange": Words("橙色·高", "Orange · high"),
        "yellow": Words("黄色·中", "Yellow · middle"),
        "blue": Words("蓝色·低", "Blue · low"),
    }
)

SCAM_TYPES: Mapping[str, Words] = MappingProxyType(
    {
        "brushing": Words("刷单返利", "Brushing tasks"),
        "police": Words("冒充公检法", "Fake police"),
        "customer_service": Words("冒充客服", "Fake customer service"),
        "investment": Words("虚假投资", "Fake investment"),
        "fake_loan": Words("虚假贷款", "Fake loan"),
        "fake_shopping": Words("虚假购物", "Fake shopping"),
        "acquaintance": Words("冒充领导熟人", "Fake acquaintance"),
        "unknown": Words("类型不明", "Type unclear"),
    }
)

RESULTS: Mapping[str, Words] = MappingProxyType(
    {
        OPEN: Words("待处理", "Open"),
        "in_progress": Words("处置中", "In progress"),
        "stopped": Words("劝阻成功", "Stopped"),
        "contact_no_payment": Words("有接触，未付款", "Contact, no payment"),
        "already_paid": Words("已付款", "Already paid"),
        "lawful": Words("正常交易", "Lawful"),
        "not_found_yet": Words("暂未联系上", "Not found yet"),
        "cannot_be_found": Words("无法找到", "Cannot be found"),
        "wrong_person": Words("非本人使用", "Wrong person"),
        "refused": Words("拒绝配合", "Refused"),
        "duplicate": Words("重复预警", "Duplicate"),
        "handed_over": Words("移交他地", "Handed over"),
    }
)

CHANNELS: Mapping[str, Words] = MappingProxyType(
    {
        "visit": Words("上门", "Visit"),
        "call": Words("电话", "Call"),
        "family": Words("联系家属", "Family"),
        "text": Words("短信", "Text message"),
    }
)

MISSING: Mapping[str, Words] = MappingProxyType(
    {
        "calls": Words("没有通话记录", "No call records"),
        "transfers": Words("没有转账记录", "No transfers"),
        "subscribers": Words("没有登记号码", "No registered number"),
        "accounts": Words("没有登记账户", "No registered account"),
    }
)

GREETING = Words(
    "您好，我是社区民警，可回拨 96110 核实我的身份。",
    "Hello, I am your community officer; call back 96110 to check that.",
)

TALK: Mapping[str, Words] = MappingProxyType(
    {
        "brushing": Words(
            "先返小钱、再要大额垫付的“任务”都是诈骗，请不要再转账，已转的马上告诉我们。",
            "A task that pays a little and then wants large advances is fraud. Send no more; tell us what was sent.",
        ),
        "police": Words(
            "公检法不会电话办案，没有“安全账户”。请挂断来电、关闭屏幕共享，不要转账。",
            "No police works by phone and there is no safe account. Hang up, stop sharing the screen, do not pay.",
        ),
        "customer_service": Words(
            "退款、注销保险都不需要转账或借款。请挂断，从官方应用里自己查。",
            "No refund and no cancellation needs a transfer or a loan. Hang up and look in the official app yourself.",
        ),
        "investment": Words(
            "能提现一次不代表平台是真的。请停止追加，先试着全部提现，并把平台名称告诉我们。",
            "One withdrawal that worked proves nothing. Add no money, try to withdraw all, and tell us the platform.",
        ),
        "fake_loan": Words(
            "放款前要交“解冻费、保证金”的都是诈骗，请不要再付任何费用。",
            "A loan that wants fees first is fraud. Pay nothing more.",
        ),
        "fake_shopping": Words(
            "请不要脱离平台付款，也不要再补“税费、运费”。",
            "Do not pay outside the platform, and pay no further tax or postage.",
        ),
        "acquaintance": Words(
            "请用您自己存的号码打给本人核实，核实前不要转账。",
            "Call the person on the number you have kept yourself, and send nothing before.",
        ),
    }
)

TALK_OF_ANY = Words(
    "近期如有陌生人要您转账，请先停下，打 96110 问一问。", "If a stranger wants money, stop and ask 96110."
)


def what_to_say(scam_type: str, language: Language) -> str:
    """Return the first words to a person who may be in a fraud of ``scam_type``."""
    gap = "" if language == "zh" else " "
    return GREETING.in_(language) + gap + TALK.get(scam_type, TALK_OF_ANY).in_(language)
