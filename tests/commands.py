"""Runs our programs, each in a separate process that is forked from one that has imported them."""

import asyncio
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
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


class Forked:
    """A process that behaves like `python -m program words`, with only these settings.

    Both of its outputs go to the descriptors `outputs`, which are closed here. It has a session of
    its own.
    """

    def __init__(
        self, program: str, words: Sequence[str], environ: Mapping[str, str], outputs: list[int]
    ) -> None:
        self._asked = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._asked.connect(_listening())
        request = {"program": program, "words": words, "environ": dict(environ)}
        socket.send_fds(self._asked, [json.dumps(request).encode()], outputs)
        for each in outputs:
            os.close(each)
        self.pid = int(self._asked.recv(64))
        self._asked.setblocking(False)  # noqa: FBT003 - the method has no name for it
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        if self.returncode is None:
            with suppress(BlockingIOError):
                self.returncode = int(self._asked.recv(64))
                self._asked.close()
        return self.returncode

    async def wait(self) -> int:
        """Wait for its end, and return the exit status."""
        if self.returncode is None:
            loop = asyncio.get_running_loop()
            self.returncode = int(await loop.sock_recv(self._asked, 64))
            self._asked.close()
        return self.returncode


async def ended(program: str, *words: str, settings: Mapping[str, str]) -> Ended:
    """Run `python -m program words` to its end, with only these settings."""
    read, written = zip(os.pipe(), os.pipe(), strict=True)
    environ = _clean() | dict(settings)
    process = await asyncio.to_thread(Forked, program, words, environ, list(written))
    try:
        async with asyncio.timeout(180):
            out, err = await asyncio.gather(*(asyncio.to_thread(_all, each) for each in read))
            return Ended(await process.wait(), out, err)
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
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
