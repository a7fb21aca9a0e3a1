"""The commands that take returned mails in, and that have them understood again."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

import asyncpg
import click

from services.api.core.cli import connection, show_table
from services.api.core.notes import note_line
from services.api.core.refusals import Refusal
from services.api.returns.reprocess import Asked, Result, candidates, reprocess
from services.api.returns.store import kept
from shared.mail.return_path import ReturnPaths
from shared.process.settings import DatabaseSettings, ReturnSettings
from shared.process.terminal import say
from shared.returns import intake
from shared.returns.intake import Incoming, NotSettledYet
from shared.returns.noted_recipient import noted_recipient
from shared.returns.parts import BYTES_MAX

_PIECE = 1024 * 1024
_BY = "command"


class _File(NamedTuple):
    name: str
    raw: bytes
    size: int


@click.command("add", short_help="Take returned mails in from files")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(allow_dash=True)
)
@click.option(
    "--recipient",
    metavar="ADDRESS",
    help="The recipient of the envelope. Default: the one that the header notes.",
)
@click.pass_obj
def add_returns(environ: Mapping[str, str], files: tuple[str, ...], recipient: str | None) -> None:
    """Take in a returned mail from each FILE (-: from the standard input).

    A mail that was taken in before is a copy, and changes nothing. Needs RETURN_SECRET.
    """
    settings, paths = DatabaseSettings.from_environ(environ), _paths(environ)
    if paths is None:
        raise click.ClickException("RETURN_SECRET: is missing; it reads the addresses of mails")

    async def run() -> list[tuple[str, ...]]:
        async with connection(settings) as conn:
            return [await _added(conn, _read(name), recipient, paths) for name in files]

    rows = asyncio.run(run())
    show_table(("file", "id", "new", "kind", "scope", "delivery", "effect"), rows, "nothing")
    if waiting := sum(row[1] == "-" for row in rows):
        raise click.ClickException(f"{waiting} not taken in: the mail is being handed over; repeat")


@click.command("reprocess", short_help="Understand returned mails again")
@click.argument("return_ids", nargs=-1, type=click.UUID, metavar="[ID]...")
@click.option("--unknown", is_flag=True, help="All kept mails of the kind unknown.")
@click.option("--unmatched", is_flag=True, help="All kept mails that match no delivery.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option(
    "--why", default="", metavar="TEXT", help="Why; kept with each result that is another one."
)
@click.pass_obj
def reprocess_returns(
    environ: Mapping[str, str],
    return_ids: tuple[UUID, ...],
    why: str,
    *,
    unknown: bool,
    unmatched: bool,
    dry_run: bool,
) -> None:
    """Understand returned mails again, by the rules of today.

    What a new result adds is carried out. What the former one did stays.
    """
    if not (return_ids or unknown or unmatched):
        raise click.UsageError("name some returned mails, or use --unknown or --unmatched")
    settings = DatabaseSettings.from_environ(environ)
    try:
        asked = Asked(_BY, note_line(why) or None, None, _paths(environ))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--why") from None

    async def run() -> list[tuple[UUID, Result | str]]:
        async with connection(settings) as conn:
            ids = list(return_ids)
            if unknown or unmatched:
                ids += [
                    each async for each in candidates(conn, unknown=unknown, unmatched=unmatched)
                ]
            return [(each, await _result(conn, each, asked, is_dry=dry_run)) for each in ids]

    results = asyncio.run(run())
    rows = [_row(each, found) for each, found in results if _is_told(found)]
    show_table(("id", "was", "is", "delivery", "changed"), rows, "every result is as it was")
    say(f"understood again: {len(results)}" + ("; nothing was changed" if dry_run else ""))
    if any(isinstance(found, str) for _, found in results):
        raise click.exceptions.Exit(1)


async def _added(
    conn: asyncpg.Connection, file: _File, recipient: str | None, paths: ReturnPaths
) -> tuple[str, ...]:
    address = recipient or noted_recipient(file.raw, paths, is_unsigned_read=True)
    found = await intake.match(conn, address, paths) if address else None
    incoming = Incoming(file.raw, "command", address, size=file.size)
    try:
        taken = await intake.take(conn, incoming, found)
    except NotSettledYet:
        return (file.name, *["-"] * 6)
    shown = (await kept(conn, taken.id)).shown
    effect = ", ".join(shown.effect) or "-"
    is_new = "no" if taken.is_copy else "yes"
    about = str(shown.delivery_id or "-")
    return file.name, str(taken.id), is_new, shown.kind, shown.scope or "-", about, effect


def _read(name: str) -> _File:
    """Return the beginning of a file and its size. Raises ClickException if it cannot be read."""
    try:
        with click.open_file(name, "rb") as opened:
            raw = opened.read(BYTES_MAX)
            size = len(raw) + sum(map(len, iter(lambda: opened.read(_PIECE), b"")))
    except OSError as error:
        raise click.ClickException(f"{name}: {error.strerror}") from None
    if not raw:
        raise click.ClickException(f"{name}: is empty")
    return _File(name, raw, size)


async def _result(
    conn: asyncpg.Connection, return_id: UUID, asked: Asked, *, is_dry: bool
) -> Result | str:
    """Return what became of a mail, or why it was refused."""
    attempt = conn.transaction()
    await attempt.start()
    try:
        found = await reprocess(conn, return_id, asked)
    except Refusal as refusal:
        await attempt.rollback()
        return str(refusal)
    except BaseException:
        await attempt.rollback()
        raise
    await (attempt.rollback() if is_dry else attempt.commit())
    return found


def _is_told(found: Result | str) -> bool:
    return isinstance(found, str) or found.is_other


def _row(return_id: UUID, found: Result | str) -> tuple[str, ...]:
    if isinstance(found, str):
        return str(return_id), found, "-", "-", "-"
    about = str(found.delivery_id or "-")
    return str(return_id), found.before, found.now, about, ", ".join(found.effect) or "-"


def _paths(environ: Mapping[str, str]) -> ReturnPaths | None:
    return ReturnSettings.from_environ(environ).return_paths
