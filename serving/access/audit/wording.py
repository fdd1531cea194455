"""What people call the actions of the audit trail, and their details."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from serving.presentation.wording import LEVELS, RESULTS, SCAM_TYPES, phrase_for
from serving.vocabulary.languages import Language, Words

__all__ = ["ACTIONS", "describe_details"]

ACTIONS: Mapping[str, Words] = MappingProxyType(
    {
        "login": Words("登录", "logged in"),
        "login-failed": Words("登录失败", "failed to log in"),
        "logout": Words("退出", "logged out"),
        "password-changed": Words("修改密码", "changed the password"),
        "user-added": Words("新增用户", "added a user"),
        "user-changed": Words("修改用户", "changed a user"),
        "user-revoked": Words("停用用户", "shut a user out"),
        "user-restored": Words("恢复用户", "let a user in again"),
        "user-reset": Words("重置密码", "made a link for a password"),
        "user-unlocked": Words("解除锁定", "unlocked a user"),
        "token-issued": Words("签发令牌", "issued a token"),
        "token-revoked": Words("撤销令牌", "revoked a token"),
        "claim": Words("领取预警", "claimed an alert"),
        "release": Words("放回预警", "released an alert"),
        "assign": Words("指派预警", "assigned an alert"),
        "disposition": Words("处置", "recorded a result"),
        "follow-up": Words("回访", "followed up"),
        "escalate": Words("上报", "escalated"),
        "merge": Words("合并", "merged"),
        "snooze": Words("暂缓", "put off"),
        "suppress": Words("屏蔽", "suppressed"),
        "unsuppress": Words("取消屏蔽", "ended a suppression"),
        "outreach-result": Words("走访结果", "recorded an outreach result"),
        "search": Words("查询", "searched"),
        "reveal": Words("查看明文", "revealed"),
        "export": Words("导出", "exported"),
        "print": Words("打印", "printed"),
        "rescore": Words("重新评分", "scored afresh"),
        "replay": Words("重复请求", "repeated a request"),
        "promote": Words("启用模型", "promoted a model"),
        "roll-back": Words("回退模型", "rolled a model back"),
        "webhook-added": Words("新增推送", "added a webhook"),
        "webhook-changed": Words("修改推送", "changed a webhook"),
        "webhook-removed": Words("删除推送", "removed a webhook"),
    }
)

DETAILS: Mapping[str, Words] = MappingProxyType(
    {
        "address": Words("来源地址", "from"),
        "alert": Words("预警", "alert"),
        "alerts": Words("预警", "alerts"),
        "by": Words("方式", "by"),
        "communities": Words("社区", "communities"),
        "community_id": Words("社区", "community"),
        "day": Words("日期", "day"),
        "elsewhere": Words("其他设备", "on other devices"),
        "expires_at": Words("有效期至", "good until"),
        "form": Words("格式", "form"),
        "level": Words("级别", "level"),
        "list_id": Words("名单", "list"),
        "name": Words("名称", "name"),
        "owner": Words("负责人", "owner"),
        "read_only": Words("只读", "for reading only"),
        "reason": Words("理由", "reason"),
        "result": Words("结果", "result"),
        "role": Words("角色", "role"),
        "scam_type": Words("类型", "scam type"),
        "status": Words("状态", "status"),
        "token": Words("令牌", "token"),
        "until": Words("截止", "until"),
        "url": Words("地址", "address"),
    }
)

WAYS: Mapping[str, Words] = MappingProxyType(
    {
        "password": Words("密码", "password"),
        "bearer": Words("令牌", "token"),
        "token": Words("令牌", "token"),
        "login": Words("登录链接", "link"),
        "invitation": Words("设置密码的链接", "link for a password"),
        "provider": Words("单位账号", "account of the organisation"),
    }
)

ROLES: Mapping[str, Words] = MappingProxyType(
    {
        "analyst": Words("分析员", "analyst"),
        "officer": Words("社区民警", "officer"),
        "engineer": Words("工程师", "engineer"),
        "admin": Words("管理员", "admin"),
    }
)

YES = Words("是", "yes")
VALUES: Mapping[str, Mapping[str, Words]] = MappingProxyType(
    {"by": WAYS, "role": ROLES, "result": RESULTS, "level": LEVELS, "scam_type": SCAM_TYPES}
)


def describe_details(details: Mapping[str, Any], language: Language) -> Iterator[tuple[str, str]]:
    """Yield the name and the value of each detail that says something, as people read them."""
    for name, value in details.items():
        if value in (None, "", [], False):
            continue
        yield phrase_for(DETAILS, name, language), _value(name, value, language)


def _value(name: str, value: Any, language: Language) -> str:
    if value is True:
        return YES.in_(language)
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    return phrase_for(VALUES.get(name, {}), str(value), language)
