"""The commands that control deliveries. The context's object is the environment."""

import asyncio
from collections.abc import Mapping

import click

from services.api.batches import over_quota
from services.api.core.cli import BUSINESS, connection, has_business, table, time
from services.api.relay import restored
from services.api.relay.restored import Stopped
from services.api.schedules import store as schedules
from shared.db.postgres import Connection
from shared.deliveries import operator
from shared.deliveries.operator import Backlog, Pause
from shared.deliveries.states import State
from shared.process.settings import DatabaseSettings
from shared.returns import about_us

_AT_THE_END = "every mail is in a final state"

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
        async with connection(settings, business=business) as conn:
            if business is not None and not await has_business(conn, business):
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
        async with connection(settings, business=business) as conn:
            return await operator.resume(conn, business), await operator.pauses(conn)

    ended, left = asyncio.run(run())
    click.echo(f"{'resumed' if ended else 'was not paused'}: {_whose(business)}")
    _show(left)


@click.command(short_help="Show pauses and what waits")
@click.pass_obj
def status(environ: Mapping[str, str]) -> None:
    """Show the current pauses, what waits for a reason, and the unfinished mails by state."""
    settings = DatabaseSettings.from_environ(environ)
    for each in settings.apart:
        if len(settings.databases) > 1:
            click.echo(f"{each.database.name}:")
        _show_status(each)


@click.command(short_help="Mark due mails in doubt after a restore")
@click.confirmation_option(
    prompt="Does no other process use this restored database, and shall all due mails become in"
    " doubt?"
)
@click.pass_obj
def quarantine(environ: Mapping[str, str]) -> None:
    """After a restore, mark all due mails as in doubt: they may have gone out after the backup.

    Batches that were being expanded fail, and schedules with an occurrence that is due are paused,
    for the same reason.
    """
    settings = DatabaseSettings.from_environ(environ)

    async def run() -> tuple[dict[State, int], Stopped]:
        async with connection(settings) as conn, conn.transaction():
            return await operator.quarantine(conn), await restored.stop(conn)

    doubted, stopped = asyncio.run(run())
    for state, mails in doubted.items():
        click.echo(f"{state}: {mails}")
    click.echo(f"in doubt now: {sum(doubted.values())}")
    click.echo(f"batches failed: {stopped.batches}")
    click.echo(f"schedules paused: {stopped.schedules}")


def _show_status(settings: DatabaseSettings) -> None:
    async def run() -> tuple[list[Pause], list[str], list[Backlog]]:
        async with connection(settings) as conn:
            return await operator.pauses(conn), await _held_up(conn), await operator.backlog(conn)

    pauses, held_up, backlog = asyncio.run(run())
    _show(pauses)
    for line in held_up:
        click.echo(line)
    if not backlog:
        is_well = not pauses and not held_up
        click.echo(f"all is well: nothing is paused, {_AT_THE_END}" if is_well else _AT_THE_END)
        return
    heads = ("state", "mails", "oldest due")
    for line in table([heads, *((b.state, str(b.mails), time(b.oldest_due)) for b in backlog)]):
        click.echo(line)


async def _held_up(conn: Connection) -> list[str]:
    """Return a line for each kind of thing that waits and that a person may have to look at."""
    batches, failing = await over_quota.number_waiting(conn), await schedules.number_failing(conn)
    return [
        *about_us.lines(await about_us.about_us(conn)),
        *((f"batches that wait for DAILY_QUOTA: {batches}",) if batches else ()),
        *((f"schedules whose batch cannot be made: {failing}",) if failing else ()),
    ]


def _whose(business: int | None) -> str:
    return "all businesses" if business is None else f"business {business}"


def _show(pauses: list[Pause]) -> None:
    for each in pauses:
        click.echo(f"paused since {time(each.paused_at)}: {_whose(each.business_id)}")
