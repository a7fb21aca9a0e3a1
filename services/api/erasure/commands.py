"""The command that erases a customer; the context's object is the environment to read from."""

import asyncio
from collections.abc import Mapping

import click

from services.api.console import BUSINESS, connection
from services.api.erasure import store
from services.api.erasure.store import Erased
from services.api.refusals import Refusal
from shared.settings import DatabaseSettings

_REMAINS = """\
Remains: ids, dates, states and times (counts), digests of statements.
Not touched: the ledger itself, which your other systems write; dead letters of RabbitMQ, which may
hold requests with names and keys (ledgerpost-mailer dead-letters); logs, backups and mailboxes;
suppressions of addresses that other customers share."""


@click.command()
@click.option("--business", required=True, type=BUSINESS, metavar="ID", help="Whose customer.")
@click.option("--customer", required=True, type=BUSINESS, metavar="ID", help="Whom to erase.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.pass_obj
def erase(environ: Mapping[str, str], *, business: int, customer: int, yes: bool) -> None:
    """Remove what is personal in a customer's history; counts stay. It cannot be undone."""
    settings = DatabaseSettings.from_environ(environ)
    if not yes:
        click.confirm(f"Erase customer {customer} of business {business} for good?", abort=True)

    async def run() -> Erased:
        async with connection(settings) as conn:
            return await store.erase(conn, business, customer)

    try:
        erased = asyncio.run(run())
    except Refusal as error:
        raise click.ClickException(str(error)) from None
    for name, count in erased._asdict().items():
        click.echo(f"{name}: {count}")
    click.echo(_REMAINS)
