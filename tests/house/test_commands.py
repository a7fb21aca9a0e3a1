"""A command that tests/commands.py forks behaves like one that is started normally."""

import asyncio
import subprocess
import sys

import pytest

from tests.commands import ROOT, Ended, ended

NOWHERE = {"DATABASE_URL": "postgresql://nobody:secret@127.0.0.1:9/none"}


@pytest.mark.parametrize(
    ("program", "words", "settings"),
    [
        ("services.api", ["--version"], {}),
        ("services.api", ["keys", "create", "--help"], {}),
        ("services.api", ["keys", "create", "--nonsense"], {}),
        ("services.api", ["keys", "list"], {}),
        ("services.api", ["keys", "list"], NOWHERE),
        ("services.mailer", ["run"], {}),
        ("services.mailer", ["preview", "--help"], {}),
    ],
)
async def test_both_end_alike(program: str, words: list[str], settings: dict[str, str]) -> None:
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", program, *words],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin"} | settings, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    expected = Ended(done.returncode, done.stdout, done.stderr)
    assert await ended(program, *words, settings=settings) == expected
