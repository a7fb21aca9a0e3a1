"""The confinement of a process: rights that it gives up for good, for itself and its children.

The kernel enforces each part. If it has no Landlock, or the filter does not know the machine, that
part is left out, and `confine` returns its name.
"""

import ctypes
import os
import resource
import struct
import sys
import sysconfig
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from shared.rendering import seccomp

_SET_DUMPABLE: Final = 4
_SET_NO_NEW_PRIVS: Final = 38

_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_VERSION: Final = 1
_BENEATH: Final = 1
_READ_FILE: Final = 1 << 2
_READ_DIR: Final = 1 << 3
# Landlock by version: the number of kinds of access to files, and the parts of its rule set.
_KINDS: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_NETWORK_FROM: Final = 4  # TCP connections, in and out
_SCOPES_FROM: Final = 6  # signals and abstract sockets of processes outside

_MEMORY: Final = 1024 * 1024 * 1024
_FILES: Final = 64

# Folders of Python, of its libraries and ours, and of time zones.
_SYSTEM: Final = ("/usr/lib", "/usr/local/lib", "/lib", "/lib64", "/usr/share/zoneinfo")
_OURS: Final = Path(__file__).resolve().parents[1]

_libc = ctypes.CDLL(None, use_errno=True)


def hide() -> None:
    """Hide the memory and the environment of this process from others of the same user.

    Its children are not hidden. It makes no core dumps either.
    """
    _prctl(_SET_NO_NEW_PRIVS, 1)
    _prctl(_SET_DUMPABLE, 0)


def go_first() -> None:
    """Let the kernel kill this process rather than its parent if memory runs out."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def confine(fonts: Iterable[str]) -> list[str]:
    """Leave this process only its pipes, reading of programs and `fonts`, and computing.

    It opens no other file and no socket, starts no process, and neither sees nor signals any.
    Must be called while there is one thread only. Returns the rights that this kernel cannot take
    away.
    """
    _prctl(_SET_NO_NEW_PRIVS, 1)
    _prctl(_SET_DUMPABLE, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    left = []
    if not _only_read(_readable(fonts)):
        left.append("files (no Landlock)")
    if not seccomp.install():
        left.append("system calls (no filter for this machine)")
    return left


def _readable(fonts: Iterable[str]) -> set[Path]:
    paths = sysconfig.get_paths()
    programs = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    folders = {Path(font).parent for font in fonts}
    return {*map(Path, _SYSTEM), *map(Path, programs), _OURS, *folders}


def _only_read(folders: Iterable[Path]) -> bool:
    """Allow reading in these folders and no other use of files. False: there is no Landlock."""
    version = _libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    if version < 1:
        return False
    rules = _ruleset(version)
    try:
        for folder in folders:
            _allow(rules, folder)
        _called(_libc.syscall(_RESTRICT_SELF, rules, 0))
    finally:
        os.close(rules)
    return True


def _ruleset(version: int) -> int:
    handled = [(1 << _KINDS.get(version, 16)) - 1]
    if version >= _NETWORK_FROM:
        handled.append(0b11)
    if version >= _SCOPES_FROM:
        handled.append(0b11)
    attributes = struct.pack(f"={len(handled)}Q", *handled)
    size = ctypes.c_size_t(len(attributes))
    return _called(_libc.syscall(_CREATE_RULESET, attributes, size, 0))


def _allow(rules: int, folder: Path) -> None:
    try:
        place = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rule = struct.pack("=Qi", _READ_FILE | _READ_DIR, place)
        _called(_libc.syscall(_ADD_RULE, rules, _BENEATH, rule, 0))
    finally:
        os.close(place)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        _called(_libc.prctl(option, *map(ctypes.c_ulong, (value, 0, 0, 0))))


def _called(result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result
