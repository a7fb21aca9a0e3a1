"""OpenDKIM's verdict on a mail, by the records that it is given.

OpenDKIM asks the servers of /etc/resolv.conf, at their port 53. So it runs in namespaces of its
own, in which that file and 127.0.0.1 are ours: `python -m tests.judge.opendkim`.
"""

import asyncio
import fcntl
import json
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.judge.dns import Dns

_PROGRAM = "opendkim-testmsg"
_ROOT = Path(__file__).parents[2]
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1


def unavailable() -> str | None:
    """Return why it cannot run here, or None."""
    for program, package in ((_PROGRAM, "opendkim-tools"), ("unshare", "util-linux")):
        if shutil.which(program) is None:
            return f"{program} is not installed: it is in {package}"
    tried = subprocess.run(["unshare", "-rmn", "true"], capture_output=True, check=False)
    return None if tried.returncode == 0 else "unshare makes no namespaces here"


async def complaint(data: bytes, records: Mapping[str, Sequence[str]]) -> str | None:
    """Return what it says against the signature of a mail, or None if the signature is good."""
    process = await asyncio.create_subprocess_exec(
        *("unshare", "-rmn", sys.executable, "-m", "tests.judge.opendkim", json.dumps(records)),
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate(data)
    return None if process.returncode == 0 else output.decode() or f"status {process.returncode}"


def _make_loopback() -> None:
    with socket.socket() as any_socket:
        named = struct.pack("16sH14x", b"lo", 0)
        (flags,) = struct.unpack("16xH14x", fcntl.ioctl(any_socket, _GET_FLAGS, named))
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", b"lo", flags | _UP))


async def _verdict(records: Mapping[str, Sequence[str]]) -> int:
    async with Dns(records, port=53):
        process = await asyncio.create_subprocess_exec(_PROGRAM, "-C")
        return await process.wait()


def _main(records: Mapping[str, Sequence[str]]) -> int:
    _make_loopback()
    with tempfile.NamedTemporaryFile("w") as servers:
        servers.write("nameserver 127.0.0.1\n")
        servers.flush()
        subprocess.run(["mount", "--bind", servers.name, "/etc/resolv.conf"], check=True)
        return asyncio.run(_verdict(records))


if __name__ == "__main__":
    sys.exit(_main(json.loads(sys.argv[1])))
