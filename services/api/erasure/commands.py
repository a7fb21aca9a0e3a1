"""The command `erase`. The context's object is the environment."""

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg
import click

from services.api.core.cli import BUSINESS, connection
from services.api.core.refusals import Refusal
from services.api.erasure import dead_letters, store
from services.api.erasure.dead_letters import Dropped
from services.api.erasure.model import Erased, Found, Whom
from shared.amqp import broker
from shared.mail.address import Address
from shared.process.settings import ErasureSettings
from shared.process.terminal import say

_REMAINS = """\
Kept: ids, dates, states and times (for counts), digests of statements.
Not changed: the ledger, which other systems write; logs, backups and mailboxes;
suppressions of addresses that other customers share."""
_STATEMENTS = "Statements may contain the address of their customer: erase the customer, too."
_LETTERS = (
    "Dead letters of RabbitMQ remain: they were not searched, because AMQP_URL is not set. They may"
    " contain refused requests with names and keys."
)


@click.command(short_help="Erase a customer or an address")
@click.option(
    "--business",
    required=True,
    type=BUSINESS,
    metavar="ID",
    help="The business of the customer or address.",
)
@click.option("--customer", type=BUSINESS, metavar="ID", help="Erase this customer.")
@click.option("--address", metavar="EMAIL", help="Erase only this address.")
@click.option("--cancel", is_flag=True, help="First cancel the mails that have not gone out yet.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.pass_obj
def erase(environ: Mapping[str, str], /, *, cancel: bool, yes: bool, **given: Any) -> None:
    """Remove the personal data of a customer or an address. This cannot be undone.

    Counts stay correct. Dead letters are searched, too, if AMQP_URL is set.
    """
    whom = _whom(given["business"], given["customer"], given["address"])
    settings = ErasureSettings.from_environ(environ)
    if not yes:
        named = "this address" if whom.address else f"customer {whom.customer_id}"
        click.confirm(f"Erase {named} of business {whom.business_id} permanently?", abort=True)
    try:
        erased, dropped = asyncio.run(_erase(settings, whom, cancel=cancel))
    except Refusal as error:
        raise click.ClickException(str(error)) from None
    for name, count in erased._asdict().items():
        click.echo(f"{name}: {count}")
    _tell(whom, dropped)


def _whom(business: int, customer: int | None, address: str | None) -> Whom:
    if (customer is None) == (address is None):
        raise click.UsageError("Give either --customer or --address.")
    if address is None:
        return Whom(business, customer_id=customer)
    try:
        return Whom(business, address=Address.parse(address).key)
    except ValueError as error:
        raise click.UsageError(f"--address {error}") from None


async def _erase(
    settings: ErasureSettings, whom: Whom, *, cancel: bool
) -> tuple[Erased, Dropped | None]:
    async with connection(settings, business=whom.business_id) as conn:
        if cancel:
            say(f"cancelled: {await store.cancel(conn, whom)}")
        async with conn.transaction():
            found = await store.find(conn, whom)
            erased = await store.erase(conn, whom, found)
            if settings.amqp_url is None:
                return erased, None
            # Within the transaction: if RabbitMQ is unavailable, the command can be repeated.
            return erased, await _drop(conn, settings.amqp_url, whom, found)


async def _drop(conn: asyncpg.Connection, url: str, whom: Whom, found: Found) -> Dropped:
    async def owner(digest: bytes) -> bool | None:
        return await store.owns(conn, whom.business_id, digest)

    try:
        return await dead_letters.drop(url, whom, found, owner)
    except asyncpg.PostgresError:
        raise
    except broker.UNAVAILABLE as error:
        text = str(error) or type(error).__name__
        raise click.ClickException(f"RabbitMQ: {text}; nothing was erased") from None


def _tell(whom: Whom, dropped: Dropped | None) -> None:
    if dropped is not None:
        click.echo(f"dead letters: {dropped.removed}")
    click.echo(_REMAINS)
    if whom.address is not None:
        click.echo(_STATEMENTS)
    if dropped is None:
        click.echo(_LETTERS)
    elif dropped.unknown:
        click.echo(
            f"{dropped.unknown} dead letters name the erased data, but their key is unknown, so"
            " they stay: see ledgerpost-mailer dead-letters."
        )
