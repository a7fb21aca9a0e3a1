"""The commands about mails in doubt. The context's object is the environment."""

import asyncio
from collections.abc import Mapping
from uuid import UUID

import click

from services.api.core.cli import BUSINESS, connection, show_table, time
from services.api.core.refusals import Refusal
from services.api.sends import in_doubt as doubts
from services.api.sends.history import DoubtsQuery
from services.api.sends.send import Doubt
from shared.deliveries.operator import Resolution
from shared.process.settings import DatabaseSettings
from shared.process.terminal import say

# The resolutions of the API; `give-up` is another name for `failed`.
_RESOLUTIONS: dict[str, Resolution] = {
    "sent": "sent",
    "resend": "resend",
    "failed": "failed",
    "give-up": "failed",
}


@click.group("in-doubt", short_help="Settle mails in doubt")
def in_doubt() -> None:
    """Settle mails that may or may not have gone out."""


@in_doubt.command("list")
@click.option(
    "--business", type=BUSINESS, metavar="ID", help="Only this business. Default: all businesses."
)
@click.option(
    "--most",
    default=100,
    show_default=True,
    type=click.IntRange(1),
    help="The largest number of mails to list.",
)
@click.pass_obj
def list_(environ: Mapping[str, str], business: int | None, most: int) -> None:
    """List mails in doubt, the oldest first."""
    settings = DatabaseSettings.from_environ(environ)

    async def run() -> tuple[Doubt, ...]:
        async with connection(settings, business=business) as conn:
            return (await doubts.page(conn, business, DoubtsQuery().cursor, most)).data

    heads = ("id", "business", "customer", "send", "since", "email", "reason")
    rows = [
        (
            str(each.id),
            str(each.business_id),
            str(each.customer_id),
            str(each.send_id),
            time(each.in_doubt_since),
            each.email,
            each.reason or "-",
        )
        for each in asyncio.run(run())
    ]
    show_table(heads, rows, "all is well: no mail is in doubt")


@in_doubt.command(short_help="Resolve mails in doubt")
@click.argument("ids", nargs=-1, required=True, type=click.UUID, metavar="ID...")
@click.option(
    "--as",
    "resolution",
    required=True,
    type=click.Choice(list(_RESOLUTIONS)),
    help="sent: it went out. resend: send it again, at the risk of a second mail. failed, or"
    " give-up: it need not be sent any more.",
)
@click.pass_obj
def resolve(environ: Mapping[str, str], ids: tuple[UUID, ...], resolution: str) -> None:
    """Resolve mails in doubt; exit status 1 if one of them is not in doubt."""
    settings = DatabaseSettings.from_environ(environ)

    async def run() -> list[str]:
        refused: list[str] = []
        async with connection(settings) as conn:
            for each in ids:
                try:
                    await doubts.resolve(conn, None, each, _RESOLUTIONS[resolution])
                except Refusal as refusal:
                    refused.append(f"{each}: {refusal}")
        return refused

    refused = asyncio.run(run())
    for line in refused:
        say(line, err=True)
    click.echo(f"resolved {len(ids) - len(refused)}")
    if refused:
        raise click.exceptions.Exit(1)
