"""The mailer's commands: help without settings, errors in one line, a check of the smarthost."""

import socket
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import click
import pytest

from services.mailer.__main__ import cli
from tests.commands import ended
from tests.judge.certificate import self_made
from tests.judge.script import Say
from tests.judge.server import Judge
from tests.shared.mail.signed import key, records, verdicts

SENDER = {"MAIL_FROM": "Ledgerpost <post@ledgerpost.example>"}


async def ledgerpost_mailer(*arguments: str, **settings: str) -> tuple[int, str, str]:
    """Run it with these settings and no others; returns status, output, errors."""
    done = await ended("services.mailer", *arguments, settings=settings)
    return done.status, done.out, done.err


def paths(group: click.Group, path: str = "") -> Iterator[str]:
    """The words of the group and of each command below it."""
    yield path
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from paths(command, f"{path} {name}")
        else:
            yield f"{path} {name}"


@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize("command", [*paths(cli)])
async def test_help_needs_no_settings(command: str, option: str) -> None:
    status, output, errors = await ledgerpost_mailer(*command.split(), option)
    assert (status, errors) == (0, "")
    assert output.startswith("Usage: ")


async def test_preview_tells_where_the_files_go() -> None:
    output = (await ledgerpost_mailer("preview", "--help"))[1]
    assert "[default: preview]" in output
    assert "- writes message.eml to standard output" in " ".join(output.split())


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        (["run"], "DATABASE_URL, AMQP_URL, SMTP_URL, MAIL_FROM"),
        (["check"], "SMTP_URL, MAIL_FROM"),
        (["preview", str(uuid4())], "DATABASE_URL, MAIL_FROM"),
        (["dead-letters", "list"], "AMQP_URL"),
        (["dead-letters", "drop", "--all"], "AMQP_URL"),
    ],
)
async def test_a_command_asks_for_all_that_it_needs_at_once(
    command: list[str], missing: str
) -> None:
    status, output, errors = await ledgerpost_mailer(*command)
    assert (status, output) == (2, "")
    told, _, rest = errors.removeprefix("Error: ").rpartition(": ")
    assert errors.startswith("Error: ")
    assert set(told.split(", ")) == set(missing.split(", "))
    assert rest in {"is not set\n", "are not set\n"}


async def test_a_wrong_setting_is_one_line() -> None:
    status, _, errors = await ledgerpost_mailer("check", SMTP_URL="ftp://x", **SENDER)
    assert status == 2
    assert errors == "Error: SMTP_URL: should be a URL that begins with smtp:// or smtps://\n"


async def test_check_tells_each_step(judge: Judge, tmp_path: Path) -> None:
    judge.tls = self_made(tmp_path)[1]
    judge.users, judge.size = {"us": "secret"}, 10_000_000
    status, output, errors = await ledgerpost_mailer(
        "check",
        SMTP_URL=f"smtp://us:secret@127.0.0.1:{judge.port}",
        EHLO_NAME="m.x.org",
        RETURN_SECRET="s" * 32,
        **SENDER,
    )
    assert (status, errors) == (0, "")
    connected, greeting, hello, tls, again, login, size, mail = output.splitlines()
    assert connected == f"connected to 127.0.0.1, port {judge.port}"
    assert greeting == "greeting: judge ESMTP"
    assert hello.startswith("EHLO m.x.org: judge ")
    assert "STARTTLS" in hello
    assert tls.startswith("TLSv1.")
    assert tls.endswith("certificate not verified")
    assert "STARTTLS" not in again
    assert (login, size) == ("AUTH PLAIN: logged in", "takes mails of up to 10000000 octets")
    assert mail.startswith("MAIL FROM bounce+")
    assert mail.endswith("@ledgerpost.example: accepted")
    assert judge.accepted == []
    assert "secret" not in output


async def test_check_sends_a_mail_if_told_to_whom(judge: Judge) -> None:
    smarthost = f"smtp://127.0.0.1:{judge.port}?starttls=never"
    status, output, _ = await ledgerpost_mailer(
        "check", "--to", "me@x.org", SMTP_URL=smarthost, RETURN_PATH="plain", **SENDER
    )
    assert (status, output.splitlines()[-1]) == (0, "test mail accepted: 250 2.0.0 taken")
    [mail] = judge.accepted
    assert (mail.sender, mail.recipient) == ("post@ledgerpost.example", "me@x.org")
    assert mail.message["Subject"] == "Ledgerpost test mail"
    assert mail.message["To"] == "me@x.org"
    assert "test mail" in mail.message.get_content()


async def test_its_mail_is_signed_if_there_are_keys(judge: Judge) -> None:
    made = key("a", domain="ledgerpost.example")
    smarthost = f"smtp://127.0.0.1:{judge.port}?starttls=never"
    status, _, errors = await ledgerpost_mailer(
        "check", "--to", "me@x.org", SMTP_URL=smarthost, DKIM_KEYS=made.text, **SENDER
    )
    assert (status, errors) == (0, "")
    [mail] = judge.accepted
    assert verdicts(mail.data, records(made)) == [True]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("connect", "554 5.3.2 go away"),
        ("ehlo", "550 5.7.1 not you"),
        ("mail", "550 5.7.1 not from you"),
        ("rcpt", "550 5.1.1 nobody"),
        ("dot", "550 5.4.5 quota"),
    ],
)
async def test_check_says_what_was_refused(judge: Judge, step: str, said: str) -> None:
    judge.on(step, Say(said))  # type: ignore[arg-type]  # one of its steps
    judge.on("helo", Say(said))
    smarthost = f"smtp://127.0.0.1:{judge.port}"
    status, _, errors = await ledgerpost_mailer(
        "check", "--to", "me@x.org", SMTP_URL=smarthost, **SENDER
    )
    assert status == 1
    assert errors.startswith("Error: ")
    assert said in errors
    assert errors.count("\n") == 1


async def test_check_says_when_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        status, output, errors = await ledgerpost_mailer(
            "check", SMTP_URL=f"smtp://127.0.0.1:{port}", **SENDER
        )
    assert (status, output) == (1, "")
    assert errors.startswith(f"Error: no connection to port {port}: ")


async def test_check_refuses_an_address_that_is_none(judge: Judge) -> None:
    smarthost = f"smtp://127.0.0.1:{judge.port}"
    status, _, errors = await ledgerpost_mailer("check", "--to", "me", SMTP_URL=smarthost, **SENDER)
    assert (status, errors) == (1, "Error: the address is malformed\n")
