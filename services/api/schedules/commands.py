"""The commands about schedules. The context's object is the environment."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC
from uuid import UUID

import click

from services.api.core.cli import BUSINESS, connection, show_table, time
from services.api.core.refusals import Refusal
from services.api.schedules import interruptions, store
from services.api.schedules.model import Schedule
from services.api.schedules.stored import Stored
from shared.db.postgres import Connection
from shared.process.settings import DatabaseSettings
from shared.text import escaped

_HEADS = ("id", "business", "name", "status", "next", "timezone", "last", "why it waits")
_Act = Callable[[Connection, int, UUID], Awaitable[Schedule]]


@click.group(invoke_without_command=True, short_help="Show, pause and resume schedules")
@click.option(
    "--business", type=BUSINESS, metavar="ID", help="Only this business. Default: all businesses."
)
@click.pass_context
def schedules(context: click.Context, business: int | None) -> None:
    """Show the schedules, those that are due first; or pause or resume one of them."""
    if context.invoked_subcommand is not None:
        return
    settings = DatabaseSettings.from_environ(context.obj)

    async def run() -> list[Stored]:
        async with connection(settings, business=business) as conn:
            return await store.everyone(conn, business)

    rows = [_row(each) for each in asyncio.run(run())]
    show_table(_HEADS, rows, "there is no schedule")


@schedules.command(short_help="Pause a schedule")
@click.argument("schedule", type=click.UUID, metavar="ID")
@click.pass_obj
def pause(environ: Mapping[str, str], schedule: UUID) -> None:
    """Let a schedule make no batch until it is resumed; occurrences that pass are not made."""
    _act(environ, schedule, interruptions.pause)


@schedules.command(short_help="End the pause of a schedule")
@click.argument("schedule", type=click.UUID, metavar="ID")
@click.pass_obj
def resume(environ: Mapping[str, str], schedule: UUID) -> None:
    """End the pause of a schedule."""
    _act(environ, schedule, interruptions.resume)


def _act(environ: Mapping[str, str], schedule_id: UUID, act: _Act) -> None:
    settings = DatabaseSettings.from_environ(environ)

    async def run() -> Schedule:
        async with connection(settings) as conn:
            business = await store.business_of(conn, schedule_id)
            return await act(conn, business, schedule_id)

    try:
        found = asyncio.run(run())
    except Refusal as refusal:
        raise click.ClickException(str(refusal)) from None
    following = f", next: {time(found.next.at.astimezone(UTC))}" if found.next else ""
    click.echo(f"{escaped(found.name)}: {found.status}{following}")


def _row(stored: Stored) -> tuple[str, ...]:
    schedule = store.shown(stored)
    last = schedule.last
    return (
        str(schedule.id),
        str(stored.business_id),
        schedule.name,
        schedule.status,
        "-" if schedule.next is None else schedule.next.at.isoformat(timespec="minutes"),
        schedule.timezone,
        "-" if last is None else f"{last.occurrence} {last.outcome}",
        schedule.reason or "-",
    )
