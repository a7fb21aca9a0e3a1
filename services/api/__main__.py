"""The command line of the API."""

import asyncio
import os
from collections.abc import Mapping
from functools import partial
from typing import Any

import asyncpg
import click
import uvloop

from services.api.access.commands import keys
from services.api.app import create_app
from services.api.erasure.commands import erase
from services.api.http.server import Server
from services.api.http.tallies import Tallies
from services.api.ledger.commands import import_, rebuild, verify
from services.api.relay.app import LAST_STEP
from services.api.relay.app import run as run_relay
from services.api.relay.commands import pause, quarantine, resume, status
from services.api.sends.commands import in_doubt
from shared.db.migrate import MigrationError
from shared.db.migrate import migrate as run_migrations
from shared.db.postgres import UNAVAILABLE, is_away
from shared.process import logs, start
from shared.process.commands import Commands
from shared.process.settings import ApiSettings, DatabaseSettings, RelaySettings
from shared.process.stop import until_signalled

_DATABASE_FAULTS: tuple[type[Exception], ...] = (*UNAVAILABLE, asyncpg.PostgresError)


_OWNERS = "commands need the tables' owner, see Roles of the database in docs/operations.md"


class _Commands(Commands):
    """Prints errors of Postgres and the system in one line, without a trace or a secret."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MigrationError as error:
            raise click.ClickException(str(error)) from None
        except BrokenPipeError:
            raise
        except asyncpg.InsufficientPrivilegeError as error:
            raise click.ClickException(f"Postgres: {error.message}; {_OWNERS}") from None
        except _DATABASE_FAULTS as error:
            text = (str(error) or type(error).__name__).splitlines()[0]
            source = "" if isinstance(error, OSError) and not is_away(error) else "Postgres: "
            raise click.ClickException(source + logs.clean(text)) from None


@click.group(cls=_Commands)
@click.version_option(package_name="ledgerpost", prog_name="ledgerpost-api")
def cli() -> None:
    """Report income by customer from a Postgres ledger, and send the statements behind it."""


@cli.command(short_help="Serve the HTTP API")
@click.option("--with-relay", is_flag=True, help="Run the relay in the same process.")
@click.pass_obj
def serve(environ: Mapping[str, str], *, with_relay: bool) -> None:
    """Serve the HTTP API until SIGTERM, then finish the requests in flight."""
    settings = ApiSettings.from_environ(environ)
    relay = RelaySettings.from_environ(environ) if with_relay else None
    logs.configure(settings)
    start.log_start("API", settings, Postgres=settings.database_url)
    if relay:
        start.log_start("relay", relay, Postgres=relay.database_url, RabbitMQ=relay.amqp_url)
    tallies = Tallies(settings.api_workers) if settings.api_workers > 1 else None
    create = partial(create_app, settings, relay=relay, tallies=tallies)
    Server(settings, create, tallies, last_step=LAST_STEP).run()


@cli.command(short_help="Publish due deliveries to RabbitMQ")
@click.pass_obj
def relay(environ: Mapping[str, str]) -> None:
    """Publish due deliveries and events to RabbitMQ, until SIGTERM."""
    settings = RelaySettings.from_environ(environ)
    logs.configure(settings)
    start.log_start("relay", settings, Postgres=settings.database_url, RabbitMQ=settings.amqp_url)
    uvloop.run(until_signalled(partial(run_relay, settings)))


@cli.command(short_help="Bring the database up to date")
@click.pass_obj
def migrate(environ: Mapping[str, str]) -> None:
    """Bring the database and its roles' rights up to date, and print the applied migrations."""
    settings = DatabaseSettings.from_environ(environ)
    say = partial(click.echo, err=True)
    applied = asyncio.run(run_migrations(settings.database_url, say=say))
    click.echo("\n".join(applied or ["up to date"]))


for _command in (
    import_,
    verify,
    rebuild,
    keys,
    pause,
    resume,
    status,
    quarantine,
    in_doubt,
    erase,
):
    cli.add_command(_command)


def main() -> None:
    """Run the command that the arguments name."""
    cli(obj=os.environ)


if __name__ == "__main__":
    main()
