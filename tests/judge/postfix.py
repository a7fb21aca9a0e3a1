"""A private postfix that accepts mail over SMTP, and holds it unless told otherwise."""

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = postfix.test
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
relay_domains = d.org
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
smtpd_client_restrictions = check_client_access static:HOLD
smtpd_relay_restrictions = permit_auth_destination, reject
"""
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
postlog unix-dgram n - n - 1 postlogd
"""
_QUEUES = ("maildrop", "incoming", "active", "deferred", "hold", "corrupt")


def unavailable() -> str | None:
    """Return why postfix cannot run here, or None."""
    if shutil.which("postfix") is None:
        return "postfix is not installed"
    return None if os.geteuid() == 0 else "postfix starts as root only"


def _lay_out(settings: str) -> tuple[Path, int]:
    # Postfix's own users must be able to reach it, so pytest's private folder will not do.
    folder = Path(tempfile.mkdtemp(prefix="postfix-"))
    folder.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name in ("etc", "spool", "data"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    (folder / "etc" / "main.cf").write_text(_MAIN.format(folder=folder) + settings)
    (folder / "etc" / "master.cf").write_text(_MASTER.format(port=port))
    return folder, port


def _mails(spool: Path) -> int:
    return sum(path.is_file() for queue in _QUEUES for path in (spool / queue).rglob("*"))


@asynccontextmanager
async def postfix(settings: str = "") -> AsyncIterator[tuple[int, Callable[[], Awaitable[int]]]]:
    """Run one, with further lines of main.cf; yields its port and what counts its queued mails."""
    folder, port = _lay_out(settings)

    async def run(command: str) -> None:
        arguments = ("-c", str(folder / "etc"), command)
        process = await asyncio.create_subprocess_exec(
            "postfix", *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        errors = (await process.communicate())[1]
        assert process.returncode == 0, errors.decode()

    async def taken() -> int:
        return await asyncio.to_thread(_mails, folder / "spool")

    try:
        await run("start")
        try:
            yield port, taken
        finally:
            await run("stop")
    finally:
        shutil.rmtree(folder)
