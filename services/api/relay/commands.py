"""The commands that control deliveries. The context's object is the environment."""

import asyncio
from collections.abc import Mapping

import click

from services.api.core.cli import BUSINESS, connection, table, time
from shared.db.sql import load
from shared.deliveries import operator
from shared.deliveries.operator import Backlog, Pause
from shared.deliveries.states import State
from shared.process.settings import DatabaseSettings

_AT_THE_END = "every mail is in a final state"
_queries = load(__package__)

_of_business = click.option(
    "--business", type=BUSINESS, metavar="ID", help="Only this business. Default: all businesses."
)


@click.command(short_help="Pause the sending of mails")
@_of_business
@click.pass_obj
def pause(environ: Mapping[str, str], business: int | None) -> None:
    """Send no further mails until `resume`; mails in flight are finished."""
    settings = DatabaseSettings.from_environ(environ)

    async def run() -> None:
        async with connection(settings) as conn:
            if business is not None and not await conn.fetchval(_queries.has_business, business):
                raise click.ClickException(f"there is no business {business}")
            await operator.pause(conn, business)

    asyncio.run(run())
    click.echo(f"paused: {_whose(business)}")


@click.command(short_help="End a pause")
@_of_business
@click.pass_obj
def resume(environ: Mapping[str, str], business: int | None) -> None:
    """End a pause, and print the remaining pauses."""
    settings = DatabaseSettings.from_environ(environ)

    async def run() -> tuple[bool, list[Pause]]:
        async with connection(settings) as conn:
            return await operator.resume(conn, business), await operator.pauses(conn)

    ended, left = asyncio.run(run())
    click.echo(f"{'resumed' if ended else 'was not paused'}: {_whose(business)}")
    _show(left)


@click.command(short_help="Show pauses and what waits")
@click.pass_obj
def status(environ: Mapping[str, str]) -> None:
    """Show the current pauses, and the number of unfinished mails by state."""
    settings = DatabaseSettings.from_environ(environ)

    async def run() -> tuple[list[Pause], list[Backlog]]:
        async with connection(settings) as conn:
            return await operator.pauses(conn), await operator.backlog(conn)

    pauses, backlog = asyncio.run(run())
    _show(pauses)
    if not backlog:
        click.echo(_AT_THE_END if pauses else f"all is well: nothing is paused, {_AT_THE_END}")
        return
    heads = ("state", "mails", "oldest due")
    for line in table([heads, *((b.state, str(b.mails), time(b.oldest_due)) for b in backlog)]):
        click.echo(line)


@click.command(short_help="Mark due mails in doubt after a restore")
@click.confirmation_option(
    prompt="Does no other process use this restored database, and shall all due mails become in"
    " doubt?"
)
@click.pass_obj
def quarantine(environ: Mapping[str, str]) -> None:
    """After a restore, mark all due mails as in doubt: they may have gone out after the backup."""
    settings = DatabaseSettings.from_environ(environ)

    async def run() -> dict[State, int]:
        async with connection(settings) as conn:
            return await operator.quarantine(conn)

    doubted = asyncio.run(run())
    for state, mails in doubted.items():
        click.echo(f"{state}: {mails}")
    click.echo(f"in doubt now: {sum(doubted.values())}")


def _whose(business: int | None) -> str:
    return "all businesses" if business is None else f"business {business}"


def _show(pauses: list[Pause]) -> None:
    for each in pauses:
        click.echo(f"paused since {time(each.paused_at)}: {_whose(each.business_id)}")
