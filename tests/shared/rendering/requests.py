"""Requests for rendering processes, and a program of theirs that can be killed or held up."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from shared.mail.mailbox import Mailbox
from shared.mail.message import Message
from shared.rendering import worker
from shared.rendering.frames import RenderRequest
from shared.statements.render import Renderer
from tests.shared.statements.snapshots import frozen, snapshot

SENDER = Mailbox.parse("Ledgerpost <post@ledgerpost.example>")
DATE = datetime(2024, 12, 1, tzinfo=UTC)

# The program, with requests that kill it, that never end, and with a library that prints.
DEADLY = (
    "-c",
    """
import os, signal, sys, time
for each in (signal.SIGINT, signal.SIGTERM):
    signal.signal(each, signal.SIG_IGN)
from shared.rendering import service, worker
service._ANSWER_S_MAX = 1
from shared.statements.render import Renderer
render = Renderer.render
def strike(self, content, message, **options):
    print("noise")
    if message == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if message in ("hang", "slow"):
        time.sleep(3600 if message == "hang" else 0.2)
    return render(self, content, message, **options)
Renderer.render = strike
worker.serve(pdf="--pdf" in sys.argv)
""",
)


def request(number: int, message: str | None = None) -> RenderRequest:
    content = frozen(snapshot(opening=str(number))).decode()
    return RenderRequest(content, message, UUID(int=number), SENDER, DATE)


def expected(wanted: RenderRequest) -> Message:
    rendered = Renderer(pdf=False).render(wanted.content.encode(), wanted.message)
    return worker.message(rendered, wanted.send_id, wanted.sender, wanted.accepted)


def processes_of(pid: int) -> list[int]:
    tasks = [task / "children" for task in Path(f"/proc/{pid}/task").iterdir()]
    children = [int(child) for task in tasks for child in content(task).split()]
    return [child for child in children if b"shared.rendering" in content(cmdline(child))]


def cmdline(pid: int) -> Path:
    return Path(f"/proc/{pid}/cmdline")


def content(path: Path) -> bytes:
    """What /proc tells; nothing if the thread or the process has ended meanwhile."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return path.read_bytes()
    return b""


def told(pid: int, name: str) -> bytes:
    return Path(f"/proc/{pid}/{name}").read_bytes()


def ours() -> list[int]:
    return processes_of(os.getpid())


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def is_gone(process: int) -> Callable[[], Awaitable[bool]]:
    async def gone() -> bool:
        return process not in ours()

    return gone


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(180):
        while not await holds():
            await asyncio.sleep(0.02)
