"""Runs commands of our programs, each in a separate process, and returns their results."""

import asyncio
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str


async def ended(program: str, *words: str, settings: Mapping[str, str]) -> Ended:
    """Run `python -m program words` to its end, with only these settings."""
    asked = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with asked:
        asked.connect(await asyncio.to_thread(_listening))
        asked.setblocking(False)  # noqa: FBT003 - the method has no name for it
        request = {"program": program, "words": words, "environ": _clean() | dict(settings)}
        read, written = zip(os.pipe(), os.pipe(), strict=True)
        socket.send_fds(asked, [json.dumps(request).encode()], list(written))
        for each in written:
            os.close(each)
        loop = asyncio.get_running_loop()
        pid = int(await loop.sock_recv(asked, 64))
        try:
            async with asyncio.timeout(60):
                out, err = await asyncio.gather(*(asyncio.to_thread(_all, each) for each in read))
                return Ended(int(await loop.sock_recv(asked, 64)), out, err)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            raise


def _clean() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


@cache
def _listening() -> str:
    """The address of the process that forks; it ends with this one."""
    name = f"ledgerpost-{secrets.token_hex(8)}"
    forks = subprocess.Popen(
        [sys.executable, "-m", "tests.forks", name],
        cwd=ROOT, env=_clean(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C is ours
    )  # fmt: skip
    assert forks.stdout is not None
    assert forks.stdout.readline() == b"listening\n"
    _kept.append(forks)  # its standard input ends with the last reference to it
    return f"\0{name}"


_kept: list[subprocess.Popen[bytes]] = []


def _all(pipe: int) -> str:
    with open(pipe, "rb") as file:
        return file.read().decode()
