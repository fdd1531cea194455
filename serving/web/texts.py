"""The words of the pages: the English text is the key, as gettext has it, and Chinese comes from here."""

from collections.abc import Mapping
from types import MappingProxyType

from serving.wording import Language

__all__ = ["CHINESE", "translate"]


def translate(text: str, language: Language) -> str:
    """Return ``text`` in ``language``; what has no translation stays English."""
    return CHINESE.get(text, text) if language == "zh" else text


CHINESE: Mapping[str, str] = MappingProxyType(
    {
        "Early warning": "反诈预警",
        "Alerts": "预警",
        "Log in": "登录",
        "Log out": "退出",
        "Access token": "访问令牌",
        "Paste the token you were given.": "请粘贴发给您的令牌。",
        "This token is unknown, used up or expired. Ask for a new one.": "令牌无效、已使用或已过期，请重新申请。",
        "Ranked alerts": "预警排序",
        "As of": "截至",
        "alerts": "条预警",
        "residents scored": "名居民已评分",
        "Model": "模型",
        "revision": "版次",
        "nightly": "夜间",
        "intraday": "日间",
        "Nothing has been published yet.": "还没有发布任何名单。",
        "Run forestall score, then load this page again.": "请先运行 forestall score，再刷新本页。",
        "No alert in your communities today.": "您的社区今天没有预警。",
        "Level": "级别",
        "Person": "人员",
        "Scam type": "诈骗类型",
        "Risk": "风险",
        "Rule": "规则",
        "At stake": "涉及金额",
        "Why": "原因",
        "Community": "社区",
        "Issued": "发出时间",
        "Status": "状态",
        "again": "再次",
        "Outreach lists": "外呼走访名单",
        "Read": "查看",
        "What the rule of today says": "现行规则的分数",
        "Reasons": "为什么",
        "What to say": "怎么说",
        "Act by": "最迟处置",
        "What the model weighed": "模型如何得出",
        "As a table": "以表格显示",
        "Feature": "特征",
        "Value": "取值",
        "Contribution": "贡献",
        "unknown": "未知",
        "Suspect numbers": "可疑号码",
        "Suspect accounts": "可疑账户",
        "none": "无",
        "Data missing for this person": "此人缺少的数据",
        "nothing": "不缺",
        "Age": "年龄段",
        "Grid": "网格",
        "List": "名单",
        "What was found": "处置记录",
        "Nothing recorded yet.": "还没有处置记录。",
        "Record a result": "登记处置结果",
        "Result": "结果",
        "Note": "备注",
        "No names or numbers here.": "请勿填写姓名和号码。",
        "No new alert for": "暂缓预警",
        "days": "天",
        "do not put off": "不暂缓",
        "put off until": "暂缓至",
        "Record": "登记",
        "A newer revision of the list no longer names this person.": "名单的新版次已不再包含此人。",
        "This was a repeat: new money moved.": "再次预警：又有新的资金流动。",
        "Back to the alerts": "返回预警列表",
        "Something is not right": "出了点问题",
        # roles
        "analyst": "分析员",
        "officer": "社区民警",
        "engineer": "工程师",
        "admin": "管理员",
        # what a page can say when something is not right
        "There is no such alert in your communities.": "您负责的社区里没有这条预警。",
        "Somebody else has recorded a result meanwhile.": "他人已登记了新的结果。",
        "Read the alert again, then decide with its version.": "请重新打开该预警，看过后再登记。",
        "This change does not come from our own pages.": "此操作不是从本系统页面发出的。",
        "Use the form on the page itself.": "请在页面上的表单里操作。",
        "The request has fields that cannot be used.": "有些内容无法使用。",
        "Something went wrong here.": "系统内部出错。",
        "The serving database does not answer.": "数据库暂无响应。",
        "Not Found": "没有这个页面。",
        "Ask an administrator for a role that may do this.": "请向管理员申请相应的角色。",
        "Check the address; an alert outside your communities is not shown either.": "请核对网址；他区预警不显示。",
        "Read it again, then decide again.": "请重新查看后再决定。",
        "Send less in one request.": "请减少一次提交的内容。",
        "Correct the named fields and send the request again.": "请更正后重新提交。",
        "Try again; if it stays, give the administrator the time of the request.": "请重试；仍出错请把时间告诉管理员。",
        "Try again in a moment; if it stays, tell the administrator.": "请稍后再试；若仍出错，请告诉管理员。",
    }
)
