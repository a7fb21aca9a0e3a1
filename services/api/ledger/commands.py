"""The commands `import`, `verify` and `rebuild`; the context's object is their environment."""

import asyncio
import sys
from pathlib import Path

import asyncpg
import click
from tqdm import tqdm

from services.api.ledger.faults import ImportRefused
from services.api.ledger.imports import Summary, import_directory
from services.api.ledger.verification import mend, prove
from shared.migrate import assert_up_to_date
from shared.settings import DatabaseSettings


@click.command("import")
@click.argument("directory", type=click.Path(path_type=Path))
@click.pass_context
def import_(context: click.Context, directory: Path) -> None:
    """Bring the CSV files of DIRECTORY into the ledger: all of it, or nothing."""
    try:
        summary = asyncio.run(_import(_dsn(context), directory, _sizes(directory)))
    except ImportRefused as refused:
        for error in refused.errors:
            click.echo(error, err=True)
        click.echo("nothing was imported", err=True)
        sys.exit(1)
    for name in summary.ignored:
        click.echo(f"{name}: ignored, no ledger file has this name", err=True)
    for file in summary.files:
        click.echo(
            f"{file.file}: {file.inserted} inserted, {file.updated} updated, "
            f"{file.unchanged} unchanged"
        )


@click.command()
@click.pass_context
def verify(context: click.Context) -> None:
    """Prove what must be true of the ledger; exit status 1 when anything is not."""
    if not asyncio.run(_verify(_dsn(context))):
        sys.exit(1)


@click.command()
@click.pass_context
def rebuild(context: click.Context) -> None:
    """Set kept figures right that `verify` finds wrong, while the system runs."""
    asyncio.run(_rebuild(_dsn(context)))


async def _import(dsn: str, directory: Path, sizes: dict[str, int]) -> Summary:
    current = ""
    # `disable=None` shows the bar on a terminal only.
    with tqdm(unit="B", unit_scale=True, disable=None, leave=False, file=sys.stderr) as bar:

        def show(step: str, read: int) -> None:
            nonlocal current
            if step != current:
                current = step
                bar.reset(sizes.get(step.removeprefix("reading ")))
                bar.set_description_str(step)
            bar.update(read - bar.n)

        return await import_directory(dsn, directory, show)


async def _verify(dsn: str) -> bool:
    connection = await asyncpg.connect(
        dsn, server_settings={"application_name": "ledgerpost-verify", "timezone": "UTC"}
    )
    right = True
    try:
        await assert_up_to_date(connection)
        async for proof in prove(connection):
            click.echo(f"{'differs' if proof.differences else 'ok':8}{proof.statement}")
            for difference in proof.differences:
                click.echo(f"{'':8}- {difference}")
            right = right and not proof.differences
    finally:
        await connection.close()
    return right


async def _rebuild(dsn: str) -> None:
    connection = await asyncpg.connect(
        dsn, server_settings={"application_name": "ledgerpost-rebuild", "timezone": "UTC"}
    )
    try:
        await assert_up_to_date(connection)
        async for kind, count in mend(connection):
            click.echo(f"{count:8} {kind} mended")
    finally:
        await connection.close()


def _sizes(directory: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in directory.glob("*.csv")}


def _dsn(context: click.Context) -> str:
    return DatabaseSettings.from_environ(context.obj).database_url
