"""Who works at the terminal of an installation."""

import os
import pwd

__all__ = ["terminal_user"]


def terminal_user() -> str:
    """Whoever sits at the terminal, for the audit: the system's user, whatever the environment
    says, and who became it with sudo.
    """
    user = os.getuid()
    invoker = os.environ.get("SUDO_UID", "")
    if user == 0 and invoker.isdecimal():
        return f"{_name_of(user)} (sudo: {_name_of(int(invoker))})"
    return _name_of(user)


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except (KeyError, OverflowError):  # a container's number without a name
        return f"uid {user}"
