"""Runs the examples of docs/quickstart.md on the ledger of the demo."""

import asyncio
import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from demo import ledger
from services.api.access import store as access
from services.api.core.refusals import SCOPES
from services.api.ledger.imports import import_directory
from tests.contract.tenants import settings
from tests.journeys.conftest import System
from tests.judge.script import Say
from tests.judge.server import Judge
from tests.servers import absent
from tests.services.api.api_client import serving

ROOT = Path(__file__).parents[2]
AXIOS = Path(__file__).parent / "axios"
TEXT = (ROOT / "docs" / "quickstart.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Demo:
    """The URL of the API, its key, and the mail server."""

    environ: dict[str, str]
    judge: Judge

    async def run(self, *command: str | Path, cwd: Path) -> str:
        """Run to the end and return what was printed."""
        status, out, err = await self.ended(*command, cwd=cwd)
        assert status == 0, err + out
        return out

    async def ended(self, *command: str | Path, cwd: Path) -> tuple[int | None, str, str]:
        """Run to the end and return the exit status and what was printed."""
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=cwd,
            env=os.environ | self.environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(180):
            out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()


@pytest.fixture
async def demo(database: str, broker: str, tmp_path: Path) -> AsyncIterator[Demo]:
    ledger.write(tmp_path / "ledger")
    await import_directory(database, tmp_path / "ledger")
    db = await asyncpg.connect(database)
    key = await access.create(db, business_id=ledger.WHOLESALER, name="quickstart", scopes=SCOPES)
    async with (
        Judge() as judge,
        aiohttp.ClientSession() as http,
        serving(settings(database)) as api,
    ):
        system = System(database, broker, judge, http, db)
        async with system.relay(), system.mailer():
            yield Demo({"API": f"http://127.0.0.1:{api.port}", "KEY": key.text}, judge)
    await db.close()


async def test_the_blocks_of_curl(demo: Demo, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        absent("curl is not installed")
    written = blocks("sh")
    assert len(written) == 4
    for block in written:
        said = await demo.run("bash", "-euo", "pipefail", "-c", block, cwd=tmp_path)
        assert said.startswith(("[{", "{")), said
    assert _sent(demo) == Counter({"books@example.com": 1, "": 1})


async def test_curl_does_not_wait_for_ever_for_a_mail_that_failed(
    demo: Demo, tmp_path: Path
) -> None:
    if shutil.which("curl") is None:
        absent("curl is not installed")
    demo.judge.on("rcpt", Say("550 5.1.1 no such mailbox"))
    (block,) = (each for each in blocks("sh") if "sleep" in each)
    status, said, _ = await demo.ended("bash", "-euo", "pipefail", "-c", block, cwd=tmp_path)
    assert (status, said) == (1, ""), "the status is failed, and not sent"


async def test_the_block_of_axios(demo: Demo, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not (AXIOS / "node_modules").is_dir():
        absent("node or its packages are not installed: run make node")
    (block,) = blocks("js")
    script = tmp_path / "quickstart.mjs"
    script.write_text(block, "utf-8")
    (tmp_path / "node_modules").symlink_to(AXIOS / "node_modules")
    said = await demo.run(node, script, cwd=tmp_path)
    assert "\nsent\n" in said
    assert "books@example.com sent 250" in said
    assert "422 [ { field: 'from'" in said
    assert _sent(demo) == Counter({"books@example.com": 1, "": 1})


async def test_the_block_of_python(demo: Demo, tmp_path: Path) -> None:
    (block,) = blocks("python")
    script = tmp_path / "quickstart.py"
    script.write_text(block, "utf-8")
    said = await demo.run(sys.executable, script, cwd=tmp_path)
    assert said.splitlines()[-1].startswith("sent [(")
    assert _sent(demo) == Counter({"books@example.com": 1, "": 1})


def test_no_block_is_forgotten() -> None:
    languages = re.findall(r"^```(\w+)$", TEXT, flags=re.MULTILINE)
    assert Counter(languages) == {"console": 1, "sh": 4, "js": 1, "python": 1}


def _sent(demo: Demo) -> Counter[str]:
    """The recipients of mails; the customer's own address has no name here."""
    known = {"books@example.com"}
    return Counter(
        mail.recipient if mail.recipient in known else "" for mail in demo.judge.accepted
    )
