"""Runs a module with the limits on system calls of a systemd unit: `python -m tests.confined UNIT
MODULE WORDS...`.

systemd itself would have to be the first process of the machine for that. What its unit says is
applied to this process by libseccomp, which systemd uses as well, and by prctl.
"""

import ctypes
import errno
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_ALLOW, _ERRNO, _EQUAL = 0x7FFF0000, 0x00050000, 4
_SET_NO_NEW_PRIVS, _SET_MDWE, _REFUSE_EXEC_GAIN = 38, 65, 1
_FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}


class _Comparison(ctypes.Structure):
    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


def values(unit: Path, name: str) -> list[str]:
    """The words of all lines of a unit that set this option."""
    lines = re.findall(rf"^{name}=(.*)$", unit.read_text("utf-8"), re.MULTILINE)
    return " ".join(lines).split()


def confine(unit: Path) -> None:
    """Leave this process the system calls that the unit allows, for good."""
    libc = ctypes.CDLL(None, use_errno=True)
    _taken(libc.prctl(_SET_NO_NEW_PRIVS, *map(ctypes.c_ulong, (1, 0, 0, 0))))
    if values(unit, "MemoryDenyWriteExecute") == ["yes"]:
        _taken(libc.prctl(_SET_MDWE, *map(ctypes.c_ulong, (_REFUSE_EXEC_GAIN, 0, 0, 0))))
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    rules = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(_ERRNO | errno.EPERM)))
    for name in sorted(allowed(unit)):
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if name != "socket" and number >= 0:
            _taken(seccomp.seccomp_rule_add_array(rules, _ALLOW, number, 0, None))
    socket = seccomp.seccomp_syscall_resolve_name(b"socket")
    for family in values(unit, "RestrictAddressFamilies"):
        only = (_Comparison * 1)((0, _EQUAL, _FAMILIES[family], 0))
        _taken(seccomp.seccomp_rule_add_array(rules, _ALLOW, socket, 1, only))
    _taken(seccomp.seccomp_load(rules))


def allowed(unit: Path) -> set[str]:
    """The names of the system calls that a unit allows; systemd adds its group @default."""
    calls = set(_of("@default"))
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit.read_text("utf-8"), re.MULTILINE):
        named = {call for word in line.removeprefix("~").split() for call in _of(word)}
        calls = calls - named if line.startswith("~") else calls | named
    if values(unit, "RestrictNamespaces") == ["yes"]:
        calls -= {"unshare", "setns"}
    return calls


def _of(word: str) -> Iterator[str]:
    if not word.startswith("@"):
        yield word
        return
    for each in _members(word):
        yield from _of(each)


@cache
def _members(group: str) -> tuple[str, ...]:
    command = ["systemd-analyze", "--no-pager", "syscall-filter", group]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return tuple(re.findall(r"^    ([@a-z]\S*)$", done.stdout, re.MULTILINE))


def _taken(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno() or -result, "the limit was not taken")


if __name__ == "__main__":
    unit, module, *words = sys.argv[1:]
    confine(Path(unit))
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
