"""The commands `import`, `verify` and `rebuild`. The context's object is the environment."""

import asyncio
import sys
from pathlib import Path

import click

from services.api.core.cli import connection
from services.api.ledger import templates
from services.api.ledger.faults import ImportRefused
from services.api.ledger.imports import Summary, import_directory
from services.api.ledger.progress import Progress
from services.api.ledger.verification import mend, prove
from shared.process.settings import DatabaseSettings
from shared.process.terminal import say


@click.command("import", short_help="Import CSV files into the ledger")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check everything and count, but write nothing.")
@click.option("--ignore-unknown", is_flag=True, help="Skip CSV files with other names.")
@click.option(
    "--template", is_flag=True, help="Instead, write empty files to fill in into DIRECTORY."
)
@click.pass_context
def import_(
    context: click.Context, directory: Path, *, dry_run: bool, ignore_unknown: bool, template: bool
) -> None:
    """Import the CSV files of DIRECTORY into the ledger, all or nothing."""
    try:
        if template:
            for path in templates.write(directory):
                say(path)
            return
        summary = asyncio.run(
            _import(
                _settings(context),
                directory,
                ignore_unknown=ignore_unknown,
                dry_run=dry_run,
            )
        )
    except ImportRefused as refused:
        for error in refused.errors:
            say(error, err=True)
        if not template:
            click.echo("nothing was imported", err=True)
        sys.exit(1)
    for warning in summary.warnings:
        say(f"warning: {warning}", err=True)
    to_be = " to be" if dry_run else ""
    for file in summary.files:
        click.echo(
            f"{file.file}: {file.inserted}{to_be} inserted, {file.updated}{to_be} updated, "
            f"{file.unchanged} unchanged"
        )
    if dry_run:
        click.echo("nothing was written: this was a dry run")


@click.command(short_help="Check the ledger and its figures")
@click.pass_context
def verify(context: click.Context) -> None:
    """Check the ledger and its figures; exit status 1 if anything is wrong."""
    right = [asyncio.run(_verify(each)) for each in _settings(context).apart]
    if not all(right):
        sys.exit(1)


@click.command(short_help="Correct the report figures")
@click.pass_context
def rebuild(context: click.Context) -> None:
    """Correct the report figures that `verify` finds wrong, while the system runs."""
    asyncio.run(_rebuild(_settings(context)))


async def _import(
    settings: DatabaseSettings, directory: Path, *, ignore_unknown: bool, dry_run: bool
) -> Summary:
    async with Progress(_sizes(directory)) as progress:
        return await import_directory(
            settings.database.url,
            directory,
            progress.show,
            ignore_unknown=ignore_unknown,
            dry_run=dry_run,
        )


async def _verify(settings: DatabaseSettings) -> bool:
    right = True
    if settings.database_urls:
        say(f"{settings.database.name}:")
    async with connection(settings, name="ledgerpost-verify") as conn:
        async for proof in prove(conn):
            say(f"{'differs' if proof.differences else 'ok':8}{proof.statement}")
            for difference in proof.differences:
                say(f"{'':8}- {difference}")
            right = right and not proof.differences
    return right


async def _rebuild(settings: DatabaseSettings) -> None:
    async with connection(settings, name="ledgerpost-rebuild") as conn:
        async for kind, count in mend(conn):
            click.echo(f"{count:8} {kind} corrected")


def _sizes(directory: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in directory.glob("*.csv")}


def _settings(context: click.Context) -> DatabaseSettings:
    return DatabaseSettings.from_environ(context.obj)
