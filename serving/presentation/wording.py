"""The words of the trade, Chinese first: levels, scam types, results, what is missing, what a
suspect did.
"""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from data_contracts.scam_types import load_scam_types
from serving.vocabulary.dispositions import OPEN
from serving.vocabulary.languages import Language, Words

__all__ = [
    "CHANNELS",
    "EVERYDAY",
    "FACTS",
    "FINDINGS",
    "LEVELS",
    "MISSING",
    "PEER_KINDS",
    "RESULTS",
    "SCAM_TYPES",
    "SOURCES",
    "WRITTEN",
    "describe_fact",
    "describe_missing",
    "format_number",
    "phrase_for",
]


def format_number(value: float) -> str:
    """Return a number as people read it: whole from 1,000 on, else four digits."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def phrase_for(table: Mapping[str, Words], code: str, language: Language) -> str:
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
    {code: Words(one.name.zh, one.name.en) for code, one in load_scam_types().scam_types.items()}
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

# What officers are told of a reason on their lists: in everyday words, without sums, numbers or
# accounts.
EVERYDAY: Mapping[str, Words] = MappingProxyType(
    {
        "strangers": Words(
            "最近和几个陌生号码来往较多", "Often in touch with unknown numbers lately"
        ),
        "number_kinds": Words(
            "接到过境外、虚拟运营商或客服类陌生来电",
            "Unknown calls from abroad or service-like numbers",
        ),
        "call_backs": Words("主动联系过陌生号码", "Has called or texted an unknown number"),
        "reputed": Words(
            "联系过形迹可疑的号码", "Was in touch with numbers that behave like fraudsters"
        ),
        "lead": Words(
            "有一个陌生号码特别可疑，也在联系其他居民",
            "One unknown number stands out and calls others too",
        ),
        "followed": Words(
            "联系过的号码，已有别的居民随后付了钱", "Others paid after contact with the same number"
        ),
        "named": Words(
            "联系过报案里提到的号码或账户", "Dealt with a number or account from a reported case"
        ),
        "call_then_pay": Words("和陌生人联系后就转了钱", "Paid soon after contact with a stranger"),
        "new_payees": Words("给从未来往过的账户转过钱", "Paid accounts never dealt with before"),
        "reputed_payees": Words(
            "给形迹可疑的账户转过钱", "Paid accounts that behave like fraudsters'"
        ),
        "escalation": Words(
            "给同一个新账户的转账越来越大", "Payments to one new account keep growing"
        ),
        "outlays": Words(
            "接连给外地的新账户转钱", "One payment after another to new accounts elsewhere"
        ),
        "lures": Words(
            "付了小钱很快收到返利，可能是诱饵",
            "A small payment came back with a profit: perhaps bait",
        ),
        "rebates": Words(
            "付给新账户的钱返回来一部分", "Part of the money paid to a new account came back"
        ),
        "payee_account": Words(
            "新的收款账户比较可疑", "The new account that was paid looks suspicious"
        ),
        "pooling": Words("把自己的钱归集到了一起", "Has gathered own money in one place"),
        "loan_credits": Words(
            "收到陌生来款，可能是借款", "Money came from an unknown source, perhaps a loan"
        ),
        "spending": Words("最近转出的钱明显增多", "Clearly more money than usual went out"),
        "calling": Words("最近通话和平时不一样", "Calling is not as usual lately"),
    }
)

FINDINGS: Mapping[str, Words] = MappingProxyType(
    {
        "safe": Words("一切正常", "All is well"),
        "in_contact": Words("又有接触", "In contact again"),
        "paid": Words("又付了款", "Has paid again"),
        "not_reached": Words("没有联系上", "Not reached"),
        "not_needed": Words("无需回访", "Not needed"),
    }
)

WRITTEN: Mapping[str, Words] = MappingProxyType(
    {
        "screen": Words("页面登记", "on the screen"),
        "api": Words("接口登记", "by another system"),
        "paper": Words("纸质名单补录", "from a paper list"),
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

SOURCES: Mapping[str, Words] = MappingProxyType(
    {
        "cmcc": Words("中国移动", "China Mobile"),
        "cucc": Words("中国联通", "China Unicom"),
        "ctcc": Words("中国电信", "China Telecom"),
        "cbn": Words("中国广电", "China Broadnet"),
        "icbc": Words("工商银行", "ICBC"),
        "abc": Words("农业银行", "Agricultural Bank"),
        "boc": Words("中国银行", "Bank of China"),
        "ccb": Words("建设银行", "Construction Bank"),
        "bocom": Words("交通银行", "Bank of Communications"),
        "psbc": Words("邮储银行", "Postal Savings Bank"),
        "cmb": Words("招商银行", "Merchants Bank"),
        "ruralcb": Words("农商银行", "Rural Commercial Bank"),
    }
)

FEEDS: Mapping[str, Words] = MappingProxyType(
    {
        "calls": Words(
            "{source}的通话记录{since}缺失", "Call records of {source} are missing{since}"
        ),
        "transfers": Words(
            "{source}的转账记录{since}缺失", "Transfers of {source} are missing{since}"
        ),
    }
)

PEER_KINDS: Mapping[str, Words] = MappingProxyType(
    {
        "mobile": Words("手机号", "Mobile"),
        "virtual": Words("虚拟运营商", "Virtual operator"),
        "landline": Words("固定电话", "Landline"),
        "service_95": Words("95 服务号", "95 service"),
        "service_96": Words("96 服务号", "96 service"),
        "service_400": Words("400 服务号", "400 service"),
        "service_106": Words("106 短信", "106 texts"),
        "service_short": Words("短号", "Short number"),
        "international": Words("境外", "International"),
        "own": Words("本人账户", "Own account"),
        "merchant": Words("商户", "Merchant"),
        "resident": Words("本区居民账户", "Account of a resident"),
        "outside": Words("区外账户", "Account outside the district"),
        "unknown": Words("不明", "Unclear"),
        **SOURCES,
    }
)

FACTS: Mapping[str, Words] = MappingProxyType(
    {
        "contacts": Words("通话和短信", "Calls and texts"),
        "contacts_14d": Words("14 天内通话和短信", "Calls and texts in 14 days"),
        "answer_share": Words("接通率", "Answered"),
        "hang_up_share": Words("很快被挂断", "Hung up on at once"),
        "in_share": Words("由对方打来", "Called by the number"),
        "sms_share": Words("短信占比", "Texts"),
        "long_n": Words("长通话次数", "Long talks"),
        "talk_mean_s": Words("平均通话", "Mean talk"),
        "age_d": Words("已出现", "Known for"),
        "payers_14d": Words("14 天内付款居民", "Residents who paid in 14 days"),
        "receivers_14d": Words("14 天内收款居民", "Residents paid back in 14 days"),
        "received_cny": Words("收到金额", "Received"),
        "received_cny_14d": Words("14 天内收到", "Received in 14 days"),
        "back_cny": Words("返还金额", "Paid back"),
        "back_share": Words("返还比例", "Share paid back"),
    }
)


def describe_missing(code: str, language: Language) -> str:
    """Return what is missing in words: ``transfers``, ``transfers:icbc`` or
    ``transfers:icbc:2026-07-03`` (since then).

    A code of another form speaks for itself.
    """
    feed, _, rest = code.partition(":")
    if not rest or feed not in FEEDS:
        return phrase_for(MISSING, code, language)
    source, _, since = rest.partition(":")
    try:
        since_words = _since(date.fromisoformat(since), language) if since else ""
    except ValueError:
        return code
    return (
        FEEDS[feed]
        .in_(language)
        .format(source=phrase_for(SOURCES, source, language), since=since_words)
    )


def _since(day: date, language: Language) -> str:
    return f"自 {day.month} 月 {day.day} 日起" if language == "zh" else f" since {day:%B} {day.day}"


def describe_fact(name: str, value: float, language: Language) -> str:
    """Return a number about a suspect in words.

    The unit stands in its name (``_cny``, ``_share``, ``_s``, ``_d``).
    """
    label = phrase_for(FACTS, name, language)
    colon = "：" if language == "zh" else ": "
    return f"{label}{colon}{_with_unit(set(name.split('_')), value, language)}"


def _with_unit(parts: set[str], value: float, language: Language) -> str:
    if "cny" in parts:
        return f"¥{value:,.0f}"
    if "share" in parts:
        return f"{value:.0%}"
    if "s" in parts:
        return f"{format_number(value / 60)} " + ("分钟" if language == "zh" else "min")
    if "d" in parts:
        return f"{format_number(value)} " + ("天" if language == "zh" else "days")
    return format_number(value)
