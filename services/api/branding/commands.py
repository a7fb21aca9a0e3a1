"""The commands `branding`. The context's object is the environment."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import click

from services.api.branding import store
from services.api.branding.logo import process
from services.api.branding.logo.picture import OCTETS_MAX
from services.api.branding.model import BrandingBody, BusinessBranding
from services.api.businesses import store as businesses
from services.api.core.cli import BUSINESS, connection
from services.api.core.parsing import parse
from services.api.core.refusals import Refusal
from shared.process.settings import DatabaseSettings
from shared.text import escaped

_Act = Callable[[asyncpg.Connection], Awaitable[BusinessBranding]]
_FIELDS = tuple(BrandingBody.model_fields)
_of_business = click.option(
    "--business", required=True, type=BUSINESS, metavar="ID", help="The business."
)


@click.group()
def branding() -> None:
    """Show and change the look of statements."""


@branding.command(short_help="Show the branding")
@_of_business
@click.pass_obj
def show(environ: Mapping[str, str], business: int) -> None:
    """Print the branding of a business."""

    async def act(conn: asyncpg.Connection) -> BusinessBranding:
        # Every business has a branding, if only the default.
        await businesses.business(conn, business)
        return await store.branding(conn, business)

    _print(_run(environ, business, act))


@branding.command("set", short_help="Change the branding")
@_of_business
@click.option("--accent", metavar="#RRGGBB", help="The colour of names, rules and buttons.")
@click.option("--sender-name", metavar="NAME", help="The name from which mails come.")
@click.option("--reply-to", metavar="EMAIL", help="The address to which customers answer.")
@click.option("--how-to-pay", metavar="TEXT", help="How to pay, such as bank details.")
@click.option("--pay-link", metavar="URL", help="The page for paying, with its placeholders.")
@click.option("--paper", metavar="SIZE", help="a4 or letter.")
@click.option("--statement-kind", metavar="KIND", help="What statements list by default.")
@click.option("--attach-csv", metavar="true|false", help="Whether mails also have a CSV file.")
@click.pass_obj
def set_(environ: Mapping[str, str], /, business: int, **given: str | None) -> None:
    """Change the fields that are given; an empty text brings back the default of a field."""
    changed = {name: value for name, value in given.items() if value is not None}
    if not changed:
        raise click.UsageError("give at least one field to change")

    async def act(conn: asyncpg.Connection) -> BusinessBranding:
        now = (await store.branding(conn, business)).model_dump(include=set(_FIELDS))
        kept = {name: value for name, value in {**now, **changed}.items() if value != ""}
        return await store.replace(conn, business, parse(BrandingBody, kept))

    _print(_run(environ, business, act))


@branding.command(short_help="Set or remove the logo")
@_of_business
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--remove", is_flag=True, help="Remove the logo.")
@click.pass_obj
def logo(environ: Mapping[str, str], business: int, file: Path | None, *, remove: bool) -> None:
    """Make a PNG or JPEG FILE the logo of a business."""
    if remove == (file is not None):
        raise click.UsageError("give a FILE, or --remove")
    data = _beginning(file) if file else None
    _print(_run(environ, business, partial(_logo, business=business, data=data)))


async def _logo(conn: asyncpg.Connection, business: int, data: bytes | None) -> BusinessBranding:
    if data is None:
        await store.drop_logo(conn, business)
        return await store.branding(conn, business)
    try:
        picture = await process.picture(data)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="FILE") from None
    return await store.use_logo(conn, business, picture)


def _run(environ: Mapping[str, str], business: int, act: _Act) -> BusinessBranding:
    settings = DatabaseSettings.from_environ(environ)

    async def run() -> BusinessBranding:
        async with connection(settings, business=business) as conn:
            return await act(conn)

    try:
        return asyncio.run(run())
    except Refusal as error:
        raise click.ClickException(str(error)) from None


def _print(shown: BusinessBranding) -> None:
    fields: dict[str, Any] = shown.model_dump(mode="json")
    if shown.logo is not None:
        fields["logo"] = f"{shown.logo.width} by {shown.logo.height} pixels"
    for name, value in fields.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        click.echo(f"{name}: {'-' if value is None else escaped(text)}")


def _beginning(file: Path) -> bytes:
    """Return the content of a file, or as much of it as shows that it is too large."""
    with file.open("rb") as opened:
        return opened.read(OCTETS_MAX + 1)
