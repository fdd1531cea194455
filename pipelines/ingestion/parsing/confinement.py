"""What the process that reads deliveries may still do once it is confined, which is nearly nothing.

It has its connection, the files that are handed to it, and its own code to read. The kernel refuses
everything else: files by Landlock, sockets, other programs, other processes by a seccomp filter.
Where a kernel or library lacks one of them, the process runs without it and ``missing_protections``
says so; memory, time and the size of files are limited everywhere.

Run as a module it is that process. It confines itself before anything that starts threads is
imported, since threads keep the rights that they are born with. So nothing heavy is imported here.
"""

import ctypes
import errno
import importlib
import os
import resource
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["confine_process", "missing_protections"]

MIB = 1 << 20
CODE = ("data_contracts", "pipelines")  # our packages that it imports from
LIBRARIES = ("/usr", "/lib", "/lib64", "/lib32")
# What libraries look at by themselves: which zone, how much memory, which processor.
LOOKED_AT = (
    "/dev/null", "/dev/urandom", "/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types",
    "/proc/cpuinfo", "/proc/meminfo", "/proc/self", "/sys/devices/system/cpu",
)  # fmt: skip

# Landlock (linux/landlock.h): three calls that no library of Python's offers in a release.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_FLAG, RULE_PATH = 1, 1
NO_NEW_PRIVILEGES = 38
EXECUTE, READ_FILE, READ_DIR = 1 << 0, 1 << 2, 1 << 3
FILE_RIGHTS = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}  # since which version
NET_RIGHTS, NET_SINCE = 0b11, 4  # bind and connect TCP

DENIED = (
    "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "io_uring_setup",
    "fork", "vfork", "execve", "execveat", "kill", "tkill", "pidfd_open", "pidfd_send_signal",
    "pidfd_getfd", "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "mount", "umount2",
    "pivot_root", "chroot", "unshare", "setns", "bpf", "perf_event_open", "userfaultfd", "keyctl",
    "add_key", "request_key", "init_module", "finit_module", "open_by_handle_at", "mq_open",
)  # fmt: skip
SAME_PROCESS = 0x00010000  # of clone(2): what is made is a thread


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64))


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def missing_protections() -> tuple[str, ...]:
    """What this machine cannot keep the process from, in words; empty where nothing is missing."""
    missing = []
    if landlock_version() < 1:
        missing.append("files (the kernel has no Landlock)")
    if not _has_seccomp():
        missing.append("the network and other programs (libseccomp is not there)")
    return tuple(missing)


def landlock_version() -> int:
    """Which version of Landlock the kernel speaks; below 1 where it has none."""
    if sys.platform != "linux":
        return 0
    return int(_libc().syscall(CREATE_RULESET, None, 0, VERSION_FLAG))


def confine_process() -> None:
    """Take from this process, and from all threads that it starts, what it does not need.

    Raises ``OSError`` where the kernel offers a protection and then refuses it: a process that
    should be confined and is not must not go on.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold raw identifiers
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    filters = _make_filter() if _has_seccomp() else None  # it may look for its library
    if landlock_version() >= 1:
        _restrict_files(landlock_version())
    if filters is not None:
        filters.load()


def _restrict_files(version: int) -> None:
    rights = sum(right for since, right in FILE_RIGHTS.items() if version >= since)
    ruleset = _Ruleset(files=rights, net=NET_RIGHTS if version >= NET_SINCE else 0)
    size = ctypes.sizeof(ruleset) if version >= NET_SINCE else ctypes.sizeof(ctypes.c_uint64)
    made = _call(CREATE_RULESET, ctypes.byref(ruleset), size, 0)
    for place in filter(Path.exists, _readable_places()):
        parent = os.open(place, os.O_PATH | os.O_CLOEXEC)
        allowed = READ_FILE | READ_DIR | EXECUTE if place.is_dir() else READ_FILE
        rule = _PathRule(allowed=allowed, parent=parent)
        _call(ADD_RULE, made, RULE_PATH, ctypes.byref(rule), 0)
        os.close(parent)
    if _libc().prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs")
    _call(RESTRICT_SELF, made, 0)
    os.close(made)


def _readable_places() -> Iterator[Path]:
    """Python, its libraries, our own code, and what libraries look at: no place of data."""
    root = Path(__file__).parents[3]
    yield from (root / package for package in CODE)
    yield from (Path(sysconfig.get_path(kind)) for kind in ("stdlib", "purelib", "platlib"))
    yield from (Path(sys.base_prefix) / "lib", *map(Path, LIBRARIES), *map(Path, LOOKED_AT))


def _has_seccomp() -> bool:
    with suppress(ImportError, RuntimeError, OSError):
        importlib.import_module("pyseccomp")
        return True
    return False


def _make_filter() -> Any:
    """A filter that lets a process go on with what it has: threads of its own, and no more."""
    import pyseccomp

    made = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    refused = pyseccomp.ERRNO(errno.EPERM)
    for call in DENIED:
        with suppress(ValueError, OSError):  # not every processor has every call
            made.add_rule(refused, call)
    # What is asked for by a pointer cannot be looked at: without this call threads are made with
    # the older one, of which those are refused that are no threads.
    made.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    made.add_rule(refused, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, SAME_PROCESS, 0))
    made.add_rule(refused, "tgkill", pyseccomp.Arg(0, pyseccomp.NE, os.getpid()))
    return made


def _call(number: int, *words: object) -> int:
    found = int(_libc().syscall(number, *words))
    if found < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return found


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Serve as the confined process.

    The first argument says within how many MiB of address space, the second is the file descriptor
    of the connection, the third the module whose ``serve_connection`` answers over it.
    """
    memory_mib, descriptor, module = sys.argv[1:]
    limit = int(memory_mib) * MIB
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    confine_process()
    importlib.import_module(module).serve_connection(int(descriptor))


if __name__ == "__main__":
    main()
