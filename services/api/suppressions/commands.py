"""The commands about suppressions. The context's object is the environment."""

import asyncio
from collections.abc import Mapping

import click

from services.api.core.cli import BUSINESS, connection, show_table, time
from services.api.core.notes import note_line
from services.api.core.paging import LIMIT_MAX
from services.api.core.refusals import NotFound
from services.api.suppressions import store
from services.api.suppressions.model import SuppressionsQuery
from shared.process.settings import DatabaseSettings
from shared.process.terminal import say

_BY = "command"
_business = click.option(
    "--business", required=True, type=BUSINESS, metavar="ID", help="The business that mails."
)


@click.group()
def suppressions() -> None:
    """List suppressed addresses, or lift one."""


@suppressions.command("list", short_help="List suppressed addresses")
@_business
@click.option("--lifted", is_flag=True, help="Those that were lifted, with who did it and why.")
@click.option(
    "--most",
    default=50,
    show_default=True,
    type=click.IntRange(1, LIMIT_MAX),
    help="The largest number of addresses to show.",
)
@click.pass_obj
def list_suppressions(
    environ: Mapping[str, str], business: int, most: int, *, lifted: bool
) -> None:
    """Show the newest suppressed addresses of a business, or those that were lifted."""
    settings, query = DatabaseSettings.from_environ(environ), SuppressionsQuery(limit=most)

    async def run() -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        async with connection(settings, business=business) as conn:
            if lifted:
                page = await store.lifted(conn, business, query)
                return ("address", "suppressed", "code", "lifted", "by", "why"), [
                    (
                        each.email,
                        time(each.suppressed_at),
                        each.reason_code,
                        time(each.lifted_at),
                        each.lifted_by,
                        each.why or "-",
                    )
                    for each in page.data
                ]
            listed = await store.page(conn, business, query)
            return ("address", "suppressed", "code", "reason"), [
                (each.email, time(each.created_at), each.reason_code, each.reason)
                for each in listed.data
            ]

    heads, rows = asyncio.run(run())
    show_table(heads, rows, "there is no such address")


@suppressions.command("lift", short_help="Mail an address again")
@_business
@click.argument("address")
@click.option("--why", default="", metavar="TEXT", help="Why; kept with the time.")
@click.pass_obj
def lift_suppression(environ: Mapping[str, str], business: int, address: str, why: str) -> None:
    """Remove ADDRESS from the list of a business, so that it is mailed again."""
    settings = DatabaseSettings.from_environ(environ)
    try:
        note = note_line(why)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--why") from None

    async def run() -> None:
        async with connection(settings, business=business) as conn:
            await store.lift(conn, business, address, _BY, note)

    try:
        asyncio.run(run())
    except NotFound as refusal:
        raise click.ClickException(str(refusal)) from None
    say("the address is mailed again")
