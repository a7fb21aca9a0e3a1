"""The preview as a command: files in a folder, or the mail on standard output."""

import asyncio
import os
import sys
from pathlib import Path

from tests.journeys.conftest import System

_ROOT = Path(__file__).parents[2]


async def preview(system: System, *arguments: str) -> tuple[int | None, bytes, str]:
    settings = {"DATABASE_URL": system.dsn, "MAIL_FROM": "Ledgerpost <post@ledgerpost.example>"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.mailer", "preview", *arguments),
        cwd=_ROOT,
        env=dict(os.environ) | settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    return process.returncode, output, errors.decode()


async def test_it_needs_no_mail_server_and_says_where_it_cannot_write(
    system: System, tmp_path: Path
) -> None:
    async with system.relay(), system.mailer():
        send = (await system.send())["id"]
        await system.settled(send)
    (mail,) = system.judge.accepted
    assert await preview(system, send, "--to", "-") == (0, mail.data, "")
    status, output, _ = await preview(system, send, "--to", str(tmp_path / "new"))
    assert status == 0
    assert (tmp_path / "new" / "message.eml").read_bytes() == mail.data
    assert output.decode().splitlines()[0] == str(tmp_path / "new" / "message.eml")
    (tmp_path / "file").touch()
    within = tmp_path / "file" / "within"
    failed = await preview(system, send, "--to", str(within))
    assert failed == (1, b"", f"Error: --to {within}: Not a directory\n")
