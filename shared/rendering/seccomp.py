"""A filter of system calls: no network, no new process, no access to other processes."""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator
from typing import Final

# seccomp(2), and the offsets in seccomp_data.
_SET_SECCOMP: Final = 22
_FILTER: Final = 2
_NUMBER: Final = 0
_MACHINE: Final = 4
_FIRST: Final = 16

# Instructions of classic BPF.
_LOAD: Final = 0x20
_IS: Final = 0x15
_AT_LEAST: Final = 0x35
_HAS: Final = 0x45
_RETURN: Final = 0x06

_ALLOW: Final = 0x7FFF_0000
_KILL: Final = 0x8000_0000
_REFUSE: Final = 0x0005_0000

_X32: Final = 0x4000_0000  # the second set of numbers of system calls on x86-64
_THREAD: Final = 0x0001_0000  # of clone(2)

# Names and numbers of the refused calls. The same on every machine:
_NEWER: Final = """
    pidfd_send_signal 424 io_uring_setup 425 io_uring_enter 426 io_uring_register 427
    move_mount 429 fsopen 430 pidfd_open 434 pidfd_getfd 438 process_madvise 440 fchmodat2 452
"""
_X86_64: Final = """
    socket 41 connect 42 sendto 44 sendmsg 46 bind 49 listen 50 socketpair 53
    fork 57 vfork 58 execve 59 execveat 322
    ptrace 101 process_vm_readv 310 process_vm_writev 311 kcmp 312
    rt_sigqueueinfo 129 tkill 200 rt_tgsigqueueinfo 297
    chmod 90 fchmod 91 chown 92 fchown 93 lchown 94 fchownat 260 fchmodat 268 utimensat 280
    setpriority 141 sched_setscheduler 144 sched_setaffinity 203
    chroot 161 mount 165 unshare 272 setns 308 personality 135
    add_key 248 request_key 249 keyctl 250 perf_event_open 298
    open_by_handle_at 304 bpf 321 userfaultfd 323 memfd_create 319
    shmget 29 semget 64 msgget 68 mq_open 240
"""
_AARCH64: Final = """
    socket 198 connect 203 sendto 206 sendmsg 211 bind 200 listen 201 socketpair 199
    execve 221 execveat 281
    ptrace 117 process_vm_readv 270 process_vm_writev 271 kcmp 272
    rt_sigqueueinfo 138 tkill 130 rt_tgsigqueueinfo 240
    fchmod 52 fchmodat 53 fchownat 54 fchown 55 utimensat 88
    setpriority 140 sched_setscheduler 119 sched_setaffinity 122
    chroot 51 mount 40 unshare 97 setns 268 personality 92
    add_key 217 request_key 218 keyctl 219 perf_event_open 241
    open_by_handle_at 265 bpf 280 userfaultfd 282 memfd_create 279
    shmget 194 semget 190 msgget 186 mq_open 180
"""
# By machine, with the number of its architecture in seccomp_data.
_REFUSED: Final = {"x86_64": (0xC000_003E, _X86_64), "aarch64": (0xC000_00B7, _AARCH64)}
_CLONE3: Final = 435

# Allowed towards oneself only; each names a process first. A process of ours ends itself by them.
_OWN: Final = {
    "x86_64": {"kill": 62, "tgkill": 234, "prlimit64": 302},
    "aarch64": {"kill": 129, "tgkill": 131, "prlimit64": 261},
}
_CLONE: Final = {"x86_64": 56, "aarch64": 220}

_Step = tuple[int, int, int, int]


def install() -> bool:
    """Put the filter on this thread and all that it starts; False on a machine without one.

    The process must have given up new privileges.
    """
    machine = platform.machine()
    if machine not in _REFUSED:
        return False
    steps = list(_program(machine))
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    held = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HP", len(steps), ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    zero = ctypes.c_ulong(0)
    refused: int = libc.prctl(_SET_SECCOMP, ctypes.c_ulong(_FILTER), program, zero, zero)
    return refused == 0


def _program(machine: str) -> Iterator[_Step]:
    audited, refused = _REFUSED[machine]
    yield _LOAD, 0, 0, _MACHINE
    yield _IS, 1, 0, audited
    yield _RETURN, 0, 0, _KILL
    yield _LOAD, 0, 0, _NUMBER
    yield _AT_LEAST, 0, 1, _X32
    yield _RETURN, 0, 0, _KILL
    for number in (refused + _NEWER).split()[1::2]:
        yield _IS, 0, 1, int(number)
        yield _RETURN, 0, 0, _REFUSE | errno.EPERM
    # The flags of clone3 are in memory, where no filter can see them; libc calls clone instead.
    yield _IS, 0, 1, _CLONE3
    yield _RETURN, 0, 0, _REFUSE | errno.ENOSYS
    yield from _only(_CLONE[machine], (_HAS, _THREAD))
    for own in _OWN[machine].values():
        yield from _only(own, (_IS, os.getpid()), (_IS, 0))
    yield _RETURN, 0, 0, _ALLOW


def _only(number: int, *allowed: tuple[int, int]) -> Iterator[_Step]:
    """Allow a call only if its first argument passes one of these tests."""
    yield _IS, 0, 2 + 2 * len(allowed), number
    yield _LOAD, 0, 0, _FIRST
    for test, value in allowed:
        yield test, 0, 1, value
        yield _RETURN, 0, 0, _ALLOW
    yield _RETURN, 0, 0, _REFUSE | errno.EPERM
