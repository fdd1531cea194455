"""What people call the actions of the audit trail."""

from collections.abc import Mapping
from types import MappingProxyType

from serving.wording import Words

__all__ = ["ACTIONS"]

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
