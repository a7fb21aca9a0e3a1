"""Before `migrate` has run, every command prints in one sentence what to run."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import click

from services.api.__main__ import cli
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
    ("batches",),
    ("batches", "cancel", str(uuid4())),
    ("schedules",),
    ("schedules", "pause", str(uuid4())),
    ("schedules", "resume", str(uuid4())),
    ("returns", "list"),
    ("returns", "show", str(uuid4())),
    ("returns", "add", __file__),
    ("returns", "reprocess", str(uuid4())),
    ("suppressions", "list", "--business", "1"),
    ("suppressions", "lift", "--business", "1", "a@b.example"),
    ("branding", "show", "--business", "1"),
    ("branding", "set", "--business", "1", "--accent", "#112233"),
    ("branding", "logo", "--business", "1", "--remove"),
    ("erase", "--business", "1", "--customer", "1", "--yes"),
)
# These migrate, wait for it, or find it out as one of many things.
OTHERS = {"migrate", "serve", "relay", "doctor", "support-bundle"}


def paths(group: click.Group, path: str = "") -> Iterator[str]:
    """The words of each command below the group."""
    for name, command in group.commands.items():
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield f"{path}{name}"
        if isinstance(command, click.Group):
            yield from paths(command, f"{path}{name} ")


def test_no_command_is_left_out() -> None:
    tried = {" ".join(words) for words in COMMANDS}
    for path in {*paths(cli)} - OTHERS:
        assert any(f"{each} ".startswith(f"{path} ") for each in tried), path


async def test_every_command_says_what_to_run(empty: str) -> None:
    settings = {
        "DATABASE_URL": empty,
        "AMQP_URL": "amqp://nobody@127.0.0.1:9/none",
        "RETURN_SECRET": "s" * 32,
        "BOUNCE_DOMAIN": "b.example",
    }
    ended = await asyncio.gather(*(run(*words, **settings) for words in COMMANDS))
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
