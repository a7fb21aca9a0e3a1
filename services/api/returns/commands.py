"""The commands about returned mail. The context's object is the environment."""

import asyncio
from collections.abc import Mapping
from typing import get_args
from uuid import UUID

import asyncpg
import click

from services.api.core.cli import BUSINESS, connection, show_table, time
from services.api.core.paging import LIMIT_MAX
from services.api.core.refusals import Refusal
from services.api.returns import store
from services.api.returns.change_commands import add_returns, reprocess_returns
from services.api.returns.model import Kind
from services.api.returns.reprocess import notes
from services.api.returns.store import Kept
from services.api.returns.why import why
from shared.process.settings import DatabaseSettings
from shared.process.terminal import say, show

_HEADS = ("id", "received", "business", "kind", "scope", "status", "delivery", "effect")


@click.group()
def returns() -> None:
    """List, show, add or reprocess returned mail."""


returns.add_command(add_returns)
returns.add_command(reprocess_returns)


@returns.command("list", short_help="List returned mails")
@click.option(
    "--business", type=BUSINESS, metavar="ID", help="Only this business. Default: all businesses."
)
@click.option("--kind", type=click.Choice(get_args(Kind)), help="Only mails of this kind.")
@click.option("--unmatched", is_flag=True, help="Only mails that match no delivery.")
@click.option(
    "--most",
    default=50,
    show_default=True,
    type=click.IntRange(1, LIMIT_MAX),
    help="The largest number of mails to show.",
)
@click.pass_obj
def list_returns(
    environ: Mapping[str, str],
    business: int | None,
    kind: Kind | None,
    most: int,
    *,
    unmatched: bool,
) -> None:
    """Show the newest returned mails, and what each changed."""
    settings = DatabaseSettings.from_environ(environ)

    async def run() -> list[Kept]:
        async with connection(settings, business=business) as conn:
            return await store.newest(conn, business, kind, most, unmatched=unmatched)

    try:
        rows = [_row(each) for each in asyncio.run(run())]
    except Refusal as refusal:
        raise click.ClickException(str(refusal)) from None
    show_table(_HEADS, rows, "there is no such returned mail")


@returns.command("show", short_help="Show a returned mail")
@click.argument("return_id", type=click.UUID, metavar="ID")
@click.option(
    "--raw",
    is_flag=True,
    help="Print the mail as it came, instead. At a terminal, control characters are escaped.",
)
@click.pass_obj
def show_return(environ: Mapping[str, str], return_id: UUID, *, raw: bool) -> None:
    """Show how a returned mail was understood, and why; or the mail itself."""
    settings = DatabaseSettings.from_environ(environ)

    async def run() -> tuple[Kept, list[asyncpg.Record]]:
        async with connection(settings) as conn:
            return await store.kept(conn, return_id), await notes(conn, return_id)

    try:
        found, noted = asyncio.run(run())
    except Refusal as refusal:
        raise click.ClickException(str(refusal)) from None
    if not raw:
        for name, value in _fields(found).items():
            say(f"{name}: {value}")
        for note in noted:
            say(f"understood again: {_note(note)}")
    elif found.raw is None:
        raise click.ClickException("the mail is no longer kept; what it said is")
    else:
        show(found.raw, raw=False)


def _note(note: asyncpg.Record) -> str:
    before = " ".join(filter(None, (note["former_kind"], note["former_scope"])))
    changed = ", ".join(note["effect"]) or "nothing"
    why = f' ("{note["why"]}")' if note["why"] else ""
    return (
        f"{time(note['reprocessed_at'])} by {note['reprocessed_by']}{why};"
        f" it was {before}; changed: {changed}"
    )


def _fields(found: Kept) -> dict[str, str]:
    shown = found.shown
    return {
        "received": time(shown.received_at),
        "business": _or_dash(found.business_id),
        "recipient": _or_dash(found.recipient),
        "delivery": _or_dash(shown.delivery_id),
        "kind": shown.kind,
        "form": _or_dash(shown.form),
        "scope": _or_dash(shown.scope),
        "permanent": "yes" if shown.permanent else "no",
        "status": _or_dash(shown.status),
        "diagnostic": _or_dash(shown.diagnostic),
        "remote MTA": _or_dash(shown.remote_mta),
        "effect": ", ".join(shown.effect) or "-",
        "why": why(shown),
        "mail": "erased" if found.raw is None else f"{len(found.raw)} octets are kept",
    }


def _row(kept: Kept) -> tuple[str, ...]:
    shown = kept.shown
    return (
        str(shown.id),
        time(shown.received_at),
        _or_dash(kept.business_id),
        shown.kind,
        _or_dash(shown.scope),
        _or_dash(shown.status),
        _or_dash(shown.delivery_id),
        ", ".join(shown.effect) or "-",
    )


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)
