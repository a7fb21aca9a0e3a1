"""The commands `doctor` and `support-bundle` of the API. The context has the environment."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import click

from services.api.doctor.processes import PROCESSES, Process, examine, settings_of, usual
from shared.doctor.commands import end, options
from shared.process.settings import ApiSettings, DatabaseSettings, RelaySettings
from shared.support.bundle import Place, Sources
from shared.support.commands import OUT, make

_process = click.option(
    "--process", "processes", multiple=True, type=click.Choice(PROCESSES),
    help="Check for this process. Default: relay if AMQP_URL is set, else serve.",
)  # fmt: skip


@click.command(short_help="Check the installation, and say what to do")
@_process
@options
@click.pass_obj
def doctor(
    environ: Mapping[str, str],
    processes: tuple[Process, ...],
    *,
    management: str | None,
    only: tuple[str, ...],
    as_json: bool,
    strict: bool,
) -> None:
    """Check settings, Postgres, RabbitMQ and this machine, and say what to do for each finding.

    Exit status 1 if something does not work, 2 if a setting is wrong; warnings alone are 0.
    """
    chosen = processes or usual(environ)
    end(examine(environ, chosen, only, management), as_json=as_json, strict=strict)


@click.command("support-bundle", short_help="Write facts for support to a file")
@_process
@OUT
@click.pass_obj
def support_bundle(environ: Mapping[str, str], processes: tuple[Process, ...], out: Path) -> None:
    """Write versions, settings without secrets, findings of doctor and figures to a new file.

    It has no name, address or amount of a customer, no key and no password.
    """
    chosen = processes or usual(environ)
    settings = [settings_of(environ, process) for process in chosen]
    sources = Sources(
        settings=settings,
        databases=settings[0].databases,
        amqp_url=next(
            (each.amqp_url for each in settings if isinstance(each, RelaySettings)), None
        ),
        metrics=_metrics(settings),
    )
    make(out, sources, partial(examine, environ, chosen))


def _metrics(settings: Sequence[DatabaseSettings]) -> Place | None:
    for each in settings:
        if isinstance(each, ApiSettings):
            return Place(each.api_host, each.api_port)
        if isinstance(each, RelaySettings):
            return Place(each.relay_ops_host, each.relay_ops_port)
    return None
