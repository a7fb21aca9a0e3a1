"""The mailer's command line."""

import asyncio
import os
import sys
from collections.abc import Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import click
import uvloop

from services.mailer import app
from services.mailer.dead_letters import REFUSED, DeadLetter, choose, drop, read, replay
from services.mailer.dkim.commands import dkim
from services.mailer.doctor.commands import doctor, support_bundle
from services.mailer.preview import NothingToPreview
from services.mailer.preview import preview as preview_files
from services.mailer.returns import app as returns
from services.mailer.smtp.check import CheckFailed, check
from shared.amqp import broker
from shared.db import postgres
from shared.db.migrate import MigrationError
from shared.mail.address import Unsendable
from shared.process import chosen_database, logs, start
from shared.process.commands import Commands
from shared.process.returns_settings import ReturnsSettings
from shared.process.settings import (
    BrokerSettings,
    MailerSettings,
    MessageSettings,
    SmtpSettings,
)
from shared.process.stop import until_signalled
from shared.process.terminal import say, show
from shared.rendering import confinement
from shared.rendering.pool import NoRenderProcess

Result = TypeVar("Result")


@click.group(cls=Commands)
@click.version_option(package_name="ledgerpost", prog_name="ledgerpost-mailer")
@chosen_database.option
def cli() -> None:
    """Mail statements that are due, each at most once."""


@cli.command(short_help="Mail statements that are due")
@click.pass_obj
def run(environ: Mapping[str, str]) -> None:
    """Consume and deliver until SIGTERM, SIGINT or SIGHUP."""
    settings = MailerSettings.from_environ(environ)
    logs.configure(settings)
    start.log_start(
        "mailer",
        settings,
        **settings.servers,
        RabbitMQ=settings.amqp_url,
        SMTP=settings.smtp_url,
    )
    confinement.hide()
    try:
        uvloop.run(until_signalled(partial(app.run, settings)))
    except NoRenderProcess as error:
        raise click.ClickException(str(error)) from None


@cli.command("returns", short_help="Receive returned mail from mail servers")
@click.pass_obj
def receive_returns(environ: Mapping[str, str]) -> None:
    """Receive returned mail from mail servers until SIGTERM, SIGINT or SIGHUP."""
    settings = ReturnsSettings.from_environ(environ)
    logs.configure(settings)
    start.log_start("returns", settings, **settings.servers)
    uvloop.run(until_signalled(partial(returns.run, settings)))


@cli.command("check", short_help="Try the smarthost step by step")
@click.option("--to", "recipient", help="Also send a test mail to this address.")
@click.pass_obj
def check_smarthost(environ: Mapping[str, str], recipient: str | None) -> None:
    """Open a session with the smarthost and print each step. Exit status 1 if one fails."""
    settings = SmtpSettings.from_environ(environ)
    smarthost, sender = app.smarthost_from(settings), app.mail_from(settings)
    try:
        name, signer = app.ehlo_name(settings), settings.signer
        uvloop.run(check(smarthost, name, sender, signer, recipient, click.echo))
    except (CheckFailed, Unsendable) as error:
        raise click.ClickException(str(error)) from None


cli.add_command(dkim)
cli.add_command(doctor)
cli.add_command(support_bundle)


@cli.group("dead-letters", short_help="Replay or delete messages that failed")
def dead_letters() -> None:
    """List, show, replay or delete messages that could not be handled."""


@dead_letters.command("list", short_help="List dead letters")
@click.option(
    "--most", default=100, show_default=True, help="The number of dead letters, oldest first."
)
@click.pass_obj
def list_dead_letters(environ: Mapping[str, str], most: int) -> None:
    """List dead letters: id, time, queue, reason, size."""
    _print(_run(read(_broker(environ), most)))


@dead_letters.command("show")
@click.argument("letter_id")
@click.option(
    "--raw", is_flag=True, help="Print the octets as they are. At a terminal they can control it."
)
@click.pass_obj
def show_dead_letter(environ: Mapping[str, str], letter_id: str, *, raw: bool) -> None:
    """Print the body of one dead letter. At a terminal, control characters are escaped."""
    found = _run(read(_broker(environ), sys.maxsize))
    letter = next((letter for letter in found if letter.id == letter_id), None)
    if letter is None:
        raise click.ClickException(f"no dead letter {letter_id}")
    show(letter.body, raw=raw)


_everything = click.option("--all", "everything", is_flag=True, help="Every dead letter.")


@dead_letters.command("replay", short_help="Put them back into their queues")
@click.argument("letter_ids", nargs=-1)
@_everything
@click.option("--dry-run", is_flag=True, help="Only list what would be replayed.")
@click.pass_obj
def replay_dead_letters(
    environ: Mapping[str, str], letter_ids: tuple[str, ...], *, everything: bool, dry_run: bool
) -> None:
    """Put dead letters back into the queues from which they came."""
    wanted = _wanted(letter_ids, everything=everything)
    if dry_run:
        _print(chosen := _run(choose(_broker(environ), wanted)))
        click.echo(f"would replay {len(chosen)}")
        return
    click.echo(f"replayed {len(_run(replay(_broker(environ), wanted)))}")


@dead_letters.command("drop")
@click.argument("letter_ids", nargs=-1)
@_everything
@click.pass_obj
def drop_dead_letters(
    environ: Mapping[str, str], letter_ids: tuple[str, ...], *, everything: bool
) -> None:
    """Delete dead letters for good. No mail is lost: its delivery waits in Postgres."""
    wanted = _wanted(letter_ids, everything=everything)
    click.echo(f"dropped {len(_run(drop(_broker(environ), wanted)))}")


@cli.command(short_help="Write the mail of a send to files")
@click.argument("send_id", type=click.UUID)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, allow_dash=True),
    default=Path("preview"),
    show_default=True,
    help="The folder for the files; - writes message.eml to standard output.",
)
@click.pass_obj
def preview(environ: Mapping[str, str], send_id: UUID, folder: Path) -> None:
    """Write the mail of a send to files: message.eml, body.txt, body.html and what they have."""
    settings = MessageSettings.from_environ(environ)
    sender, links = app.mail_from(settings), app.unsubscribe_links(settings)
    pdf = settings.attach_pdf == "on"
    given = settings.database.url, sender, links, send_id
    contents = _run(
        preview_files(*given, signer=settings.signer, pdf=pdf, public_url=settings.public_url)
    )
    if "flaws.txt" in contents:
        click.echo(contents["flaws.txt"].decode(), err=True, nl=False)
    if str(folder) == "-":
        click.echo(contents["message.eml"], nl=False)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
            say(folder / name)
    except OSError as error:
        raise click.ClickException(f"--to {folder}: {error.strerror}") from None


def _broker(environ: Mapping[str, str]) -> str:
    return BrokerSettings.from_environ(environ).amqp_url


def _wanted(letter_ids: tuple[str, ...], *, everything: bool) -> set[str] | None:
    if everything == bool(letter_ids):
        raise click.UsageError("name dead letters, or use --all")
    return None if everything else set(letter_ids)


def _print(found: list[DeadLetter]) -> None:
    if not found:
        click.echo("there are no dead letters", err=True)
    for letter in found:
        fields = (
            letter.id,
            letter.died_at,
            letter.queue,
            letter.reason,
            f"{len(letter.body)} bytes",
        )
        say("  ".join(fields))


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run `work`. An error of Postgres or RabbitMQ is printed as one line, with exit status 1."""
    try:
        return asyncio.run(work)
    except (MigrationError, NothingToPreview, *REFUSED) as error:
        raise click.ClickException(str(error)) from None
    except (*postgres.UNAVAILABLE, *broker.UNAVAILABLE) as error:
        raise click.ClickException(f"Postgres or RabbitMQ is not available: {error}") from None


def main() -> None:
    """Run the command line."""
    cli(obj=os.environ)


if __name__ == "__main__":
    main()
