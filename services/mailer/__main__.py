"""The mailer's command line."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import click
import uvloop

from services.mailer import app, dead_letters
from services.mailer.preview import NothingToPreview
from services.mailer.preview import preview as compose_preview
from shared import broker, logs, postgres
from shared.settings import MailerSettings, SettingsError

Result = TypeVar("Result")


@click.group()
@click.version_option(package_name="ledgerpost")
@click.pass_context
def cli(context: click.Context) -> None:
    """Mail statements that are due, each at most once."""
    try:
        context.obj = MailerSettings.from_environ(os.environ)
        app.mail_from(context.obj)
        app.smtp_relay(context.obj)
    except SettingsError as error:
        click.echo(error, err=True)
        sys.exit(2)


@cli.command()
@click.pass_obj
def run(settings: MailerSettings) -> None:
    """Consume and deliver until told to stop."""
    logs.configure(settings)
    try:
        uvloop.run(_until_signalled(settings))
    except SettingsError as error:
        click.echo(error, err=True)
        sys.exit(2)


@cli.group("dead-letters")
def letters() -> None:
    """Look at messages that could not be handled, and try them again."""


@letters.command("list")
@click.option("--most", default=100, show_default=True, help="How many, the oldest first.")
@click.pass_obj
def list_letters(settings: MailerSettings, most: int) -> None:
    """List dead letters: id, time, reason, size."""
    for letter in _ask(dead_letters.read(settings.amqp_url, most)):
        click.echo(f"{letter.id}  {letter.died_at}  {letter.reason}  {len(letter.body)} bytes")


@letters.command("show")
@click.argument("letter_id")
@click.pass_obj
def show_letter(settings: MailerSettings, letter_id: str) -> None:
    """Print one dead letter as it is."""
    found = _ask(dead_letters.read(settings.amqp_url, sys.maxsize))
    letter = next((letter for letter in found if letter.id == letter_id), None)
    if letter is None:
        raise click.ClickException(f"no dead letter {letter_id}")
    click.echo(letter.body)


@letters.command("replay")
@click.argument("letter_ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Replay every dead letter.")
@click.pass_obj
def replay_letters(settings: MailerSettings, letter_ids: tuple[str, ...], everything: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Put dead letters back into the queue."""
    if everything == bool(letter_ids):
        raise click.UsageError("name the letters to replay, or --all of them")
    replayed = _ask(dead_letters.replay(settings.amqp_url, None if everything else set(letter_ids)))
    click.echo(f"replayed {len(replayed)}")


@cli.command()
@click.argument("send_id", type=click.UUID)
@click.option("--to", "folder", type=click.Path(path_type=Path), default=Path("preview"))
@click.pass_obj
def preview(settings: MailerSettings, send_id: UUID, folder: Path) -> None:
    """Write the mail of a send to files."""
    sender, links = app.mail_from(settings), app.unsubscribe_links(settings)
    contents = _ask(compose_preview(settings.database_url, sender, links, send_id))
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        click.echo(folder / name)


async def _until_signalled(settings: MailerSettings) -> None:
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    await app.run(settings, stop)


def _ask(work: Coroutine[Any, Any, Result]) -> Result:
    """Run `work`; trouble with a neighbour is one line and exit status 1."""
    try:
        return asyncio.run(work)
    except (NothingToPreview, dead_letters.NoSuchLetter) as error:
        raise click.ClickException(str(error)) from None
    except (*postgres.UNAVAILABLE, *broker.UNAVAILABLE) as error:
        raise click.ClickException(f"a neighbour is away: {error}") from None


def main() -> None:
    """Run the command line."""
    cli()


if __name__ == "__main__":
    main()
