"""Before `migrate` has run, every command prints in one sentence what to run."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from uuid import uuid4

from tests.roles import acting
from tests.services.api.command import run
from tests.services.api.ledgers import GOLDEN

SENTENCE = "the database is not up to date: run `ledgerpost-api migrate` first"
COMMANDS = (
    ("keys", "list"),
    ("keys", "create", "--business", "1", "--name", "x"),
    ("keys", "revoke", "x"),
    ("import", str(GOLDEN)),
    ("verify",),
    ("rebuild",),
    ("status",),
    ("pause",),
    ("resume",),
    ("quarantine", "--yes"),
    ("in-doubt", "list"),
    ("in-doubt", "resolve", str(uuid4()), "--as", "sent"),
)


async def test_every_command_says_what_to_run(empty: str) -> None:
    ended = await asyncio.gather(*(run(*words, DATABASE_URL=empty) for words in COMMANDS))
    told = {" ".join(words[:2]): each.err for words, each in zip(COMMANDS, ended, strict=True)}
    assert told == dict.fromkeys(told, f"Error: {SENTENCE}\n")
    assert {each.status for each in ended} == {1}


async def test_a_preview_says_it_too(empty: str) -> None:
    given = {
        "DATABASE_URL": empty,
        "AMQP_URL": "amqp://nobody@127.0.0.1:9/none",
        "SMTP_URL": "smtp://127.0.0.1:9",
        "MAIL_FROM": "a@b.example",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.mailer", "preview", str(uuid4()),
        env=given, cwd=Path(__file__).parents[3], stderr=PIPE,
    )  # fmt: skip
    _, err = await process.communicate()
    assert err.decode() == f"Error: {SENTENCE}\n"


async def test_a_command_under_the_role_of_a_process_says_whose_it_is(database: str) -> None:
    ended = await run("keys", "create", "--business", "1", "--name", "x",
                      DATABASE_URL=acting(database, "api"))  # fmt: skip
    assert ended.status == 1
    assert ended.err == (
        "Error: Postgres: permission denied for table api_keys; commands need the"
        " tables' owner, see Roles of the database in docs/postgres.md\n"
    )
