import asyncio
from collections.abc import Mapping
from datetime import datetime

import click

from services.api.access import store
from services.api.access.expiry import Expiry
from services.api.core.cli import BUSINESS, connection, table, time
from services.api.core.refusals import SCOPES, NotFound, Scope
from shared.process.settings import DatabaseSettings


@click.group()
def keys() -> None:
    """Create, list and revoke API keys."""


@keys.command(short_help="Create a key and print it")
@click.option(
    "--business",
    required=True,
    type=BUSINESS,
    metavar="ID",
    help="The business to which the key gives access.",
)
@click.option(
    "--name", required=True, help="The user of the key, to distinguish it from other keys."
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    help="What the key may do. May be repeated. Default: all scopes.",
)
@click.option(
    "--expires",
    "expires_at",
    type=Expiry(),
    help="After a number of days (90d), or at the end of a day (UTC, 2027-03-31). Default: never.",
)
@click.pass_obj
def create(
    environ: Mapping[str, str],
    business: int,
    name: str,
    scopes: tuple[Scope, ...],
    expires_at: datetime | None,
) -> None:
    """Create a key of one business and print it.

    It cannot be shown again: only its hash is stored.
    """
    settings = DatabaseSettings.from_environ(environ)
    if not name.strip() or not name.isprintable():
        raise click.BadParameter("should be a line of text", param_hint="--name")

    async def run() -> str:
        async with connection(settings, business=business) as conn:
            key = await store.create(
                conn,
                business_id=business,
                name=name,
                scopes=scopes or SCOPES,
                expires_at=expires_at,
            )
            return key.text

    try:
        click.echo(asyncio.run(run()))
    except NotFound:
        raise click.ClickException(f"there is no business {business}") from None


@keys.command("list")
@click.pass_obj
def list_(environ: Mapping[str, str]) -> None:
    """List all keys, without the secret part."""
    settings = DatabaseSettings.from_environ(environ)

    async def run() -> list[tuple[str, ...]]:
        async with connection(settings) as conn:
            return [
                (
                    str(row["id"]),
                    str(row["business_id"]),
                    row["name"],
                    row["prefix"],
                    " ".join(row["scopes"]),
                    time(row["created_at"]),
                    time(row["expires_at"]),
                    time(row["last_used_at"]),
                    time(row["revoked_at"]),
                )
                for row in await store.all_keys(conn)
            ]

    times = ("created", "expires", "last used", "revoked")
    for line in table(
        [("id", "business", "name", "prefix", "scopes", *times), *asyncio.run(run())]
    ):
        click.echo(line)


@keys.command(short_help="Revoke a key")
@click.argument("key", metavar="ID")
@click.pass_obj
def revoke(environ: Mapping[str, str], key: str) -> None:
    """Revoke the key with this id or prefix. It may be repeated."""
    settings = DatabaseSettings.from_environ(environ)

    async def run() -> None:
        async with connection(settings) as conn:
            await store.revoke(conn, key)

    try:
        asyncio.run(run())
    except NotFound:
        raise click.ClickException("there is no key with this id or prefix") from None
