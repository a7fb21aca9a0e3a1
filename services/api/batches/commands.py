"""The commands about batches. The context's object is the environment."""

import asyncio
from collections.abc import Mapping
from typing import get_args
from uuid import UUID

import click

from services.api.batches import store
from services.api.batches.cancel import cancel as cancel_batch
from services.api.batches.model import Batch, Status
from services.api.core.cli import BUSINESS, connection, show_table, time
from services.api.core.paging import LIMIT_MAX
from services.api.core.refusals import Refusal
from shared.deliveries.states import OPEN
from shared.process.settings import DatabaseSettings

_HEADS = (
    *("id", "business", "status", "accepted", "due"),
    *("customers", "sends", "skipped", "mails open", "why"),
)


@click.group(invoke_without_command=True, short_help="Show batches, and cancel one")
@click.option(
    "--business", type=BUSINESS, metavar="ID", help="Only this business. Default: all businesses."
)
@click.option("--status", type=click.Choice(get_args(Status)), help="Only batches of this status.")
@click.option(
    "--most",
    default=50,
    show_default=True,
    type=click.IntRange(1, LIMIT_MAX),
    help="The largest number of batches to show.",
)
@click.pass_context
def batches(context: click.Context, business: int | None, status: Status | None, most: int) -> None:
    """Show the newest batches and how far each has come; or cancel one of them."""
    if context.invoked_subcommand is not None:
        return
    settings = DatabaseSettings.from_environ(context.obj)

    async def run() -> list[tuple[int, Batch]]:
        async with connection(settings, business=business) as conn:
            return await store.newest(conn, business, status, most)

    rows = [_row(*each) for each in asyncio.run(run())]
    show_table(_HEADS, rows, "there is no such batch")


@batches.command(short_help="Cancel a batch")
@click.argument("batch", type=click.UUID, metavar="ID")
@click.pass_obj
def cancel(environ: Mapping[str, str], batch: UUID) -> None:
    """Cancel every mail of a batch that has not been handed over, and mail nobody further."""
    settings = DatabaseSettings.from_environ(environ)

    async def run() -> Batch:
        async with connection(settings) as conn:
            business = await store.business_of(conn, batch)
            await cancel_batch(conn, business, batch)
            return await store.one(conn, business, batch)

    try:
        found = asyncio.run(run())
    except Refusal as refusal:
        raise click.ClickException(str(refusal)) from None
    counts = ", ".join(f"{number} {state}" for state, number in found.counts.items())
    click.echo(f"{found.status}: {counts or 'no mail was made'}")


def _row(business: int, batch: Batch) -> tuple[str, ...]:
    return (
        str(batch.id),
        str(business),
        f"{batch.status}{' (paused)' if batch.paused else ''}",
        time(batch.created_at),
        time(batch.send_at),
        str(batch.progress.customers),
        str(batch.progress.sends),
        str(sum(batch.skipped.values())),
        str(sum(number for state, number in batch.counts.items() if state in OPEN)),
        batch.reason or "-",
    )
