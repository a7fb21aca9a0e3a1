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
from services.api.batches.commands import batches
from services.api.branding.commands import branding
from services.api.doctor.commands import doctor, support_bundle
from services.api.erasure.commands import erase
from services.api.http.server import Server
from services.api.http.tallies import Tallies
from services.api.ledger.commands import import_, rebuild, verify
from services.api.relay.app import run as run_relay
from services.api.relay.commands import pause, quarantine, resume, status
from services.api.relay.database_loops import LAST_STEP
from services.api.returns.commands import returns
from services.api.schedules.commands import schedules
from services.api.sends.commands import in_doubt
from services.api.suppressions.commands import suppressions
from shared.db.migrate import MigrationError
from shared.db.migrate import migrate as run_migrations
from shared.db.postgres import UNAVAILABLE, is_away
from shared.process import chosen_database, logs, start
from shared.process.commands import Commands
from shared.process.settings import ApiSettings, DatabaseSettings, RelaySettings
from shared.process.stop import until_signalled

_DATABASE_FAULTS: tuple[type[Exception], ...] = (*UNAVAILABLE, asyncpg.PostgresError)


_OWNERS = "commands need the tables' owner, see Roles of the database in docs/postgres.md"


class _Commands(Commands):
    """Prints errors of Postgres and the system in one line, without a trace or a secret."""

    def run(self, ctx: click.Context) -> Any:
        try:
            return super().run(ctx)
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
@chosen_database.option
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
    start.log_start("API", settings, **settings.servers)
    if relay:
        start.log_start("relay", relay, **relay.servers, RabbitMQ=relay.amqp_url)
    tallies = Tallies(settings.api_workers) if settings.api_workers > 1 else None
    create = partial(create_app, settings, relay=relay, tallies=tallies)
    Server(settings, create, tallies, last_step=LAST_STEP).run()


@cli.command(short_help="Publish due deliveries to RabbitMQ")
@click.pass_obj
def relay(environ: Mapping[str, str]) -> None:
    """Publish due deliveries and events to RabbitMQ, until SIGTERM."""
    settings = RelaySettings.from_environ(environ)
    logs.configure(settings)
    start.log_start("relay", settings, **settings.servers, RabbitMQ=settings.amqp_url)
    uvloop.run(until_signalled(partial(run_relay, settings)))


@cli.command(short_help="Bring the database up to date")
@click.option(
    "--after",
    is_flag=True,
    help="Also apply the migrations that come after the code: once the version before has ended.",
)
@click.pass_obj
def migrate(environ: Mapping[str, str], *, after: bool) -> None:
    """Bring the database and its roles' rights up to date, and print the applied migrations."""
    settings = DatabaseSettings.from_environ(environ)
    say = partial(click.echo, err=True)
    for each in settings.databases:
        applied = asyncio.run(run_migrations(each.url, after=after, say=say))
        which = "" if each.alone else f"{each.name}: "
        click.echo("\n".join(which + line for line in applied or ["up to date"]))


for _command in (
    import_,
    verify,
    rebuild,
    keys,
    branding,
    pause,
    resume,
    status,
    quarantine,
    in_doubt,
    batches,
    schedules,
    returns,
    suppressions,
    erase,
    doctor,
    support_bundle,
):
    cli.add_command(_command)


def main() -> None:
    """Run the command that the arguments name."""
    cli(obj=os.environ)


if __name__ == "__main__":
    main()
