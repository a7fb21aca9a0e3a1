"""What each process of the API needs: the API itself, the relay, and the commands."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, Literal

from services.api import app
from services.api.doctor import ledger
from services.api.relay import database_loops as relay
from shared.amqp import topology
from shared.db.grants import API, RELAY
from shared.doctor import machine, postgres, rabbitmq
from shared.doctor.checkup import Checkup, Part
from shared.doctor.masking import Masking
from shared.doctor.report import Report, report
from shared.doctor.rights import Needed
from shared.doctor.settings import consistency
from shared.process.environment import setting
from shared.process.settings import ApiSettings, DatabaseSettings, RelaySettings

Process = Literal["serve", "relay", "commands"]
PROCESSES: Final[tuple[Process, ...]] = ("serve", "relay", "commands")

_LISTENERS = 1  # of the relay
_AT_THE_START = 1
# Of connections to Postgres and callers, pipes, logs; a caller takes one more.
_DESCRIPTORS = 256


def usual(environ: Mapping[str, str]) -> tuple[Process, ...]:
    """Return the process that these settings are for: the relay if they name RabbitMQ."""
    return ("relay",) if setting(environ, "AMQP_URL") else ("serve",)


async def examine(
    environ: Mapping[str, str],
    processes: Sequence[Process],
    only: Sequence[str] = (),
    management: str | None = None,
) -> Report:
    """Run all checks for these processes, or only those of some parts.

    `management` is the URL of RabbitMQ's HTTP API, if it is to be asked.

    Raises SettingsError if a setting is wrong, and NoSuchPart.
    """
    settings = [settings_of(environ, process) for process in processes]
    checkup = Checkup(Masking(*settings))
    parts: dict[str, Part] = {
        "settings": partial(consistency, checkup, *settings),
    }
    needs = _needs(settings)
    for database in settings[0].databases:
        examined = partial(postgres.examine, checkup, database, needs)
        parts[database.label("postgres")] = examined
    for each in settings:
        if isinstance(each, RelaySettings):
            parts["rabbitmq"] = partial(
                rabbitmq.examine, checkup, each.amqp_url, _access(each), management
            )
        if isinstance(each, ApiSettings):
            pdf = each.attach_pdf == "on"
            parts["machine"] = partial(machine.examine, checkup, descriptors=_DESCRIPTORS, pdf=pdf)
    await checkup.run(parts, only)
    return report("ledgerpost-api", checkup.findings)


def settings_of(environ: Mapping[str, str], process: Process) -> DatabaseSettings:
    """Return the settings of a process. Raises SettingsError if one is wrong."""
    match process:
        case "serve":
            return ApiSettings.from_environ(environ)
        case "relay":
            return RelaySettings.from_environ(environ)
        case "commands":
            return DatabaseSettings.from_environ(environ)


def _access(settings: RelaySettings) -> rabbitmq.Needs:
    names = [each.name for each in settings.databases]
    further = [topology.requests_of(name) for name in names] if len(names) > 1 else []
    return rabbitmq.Needs(
        publishes=(topology.DELIVERIES, topology.EVENTS, topology.DEAD_LETTERS),
        consumes=(topology.SEND_REQUESTS, *further),
    )


def _needs(settings: Sequence[DatabaseSettings]) -> postgres.Needs:
    groups, connections = [], _AT_THE_START
    for each in settings:
        if isinstance(each, ApiSettings):
            groups.append(API)
            connections += app.DATABASE_CONNECTIONS * each.api_workers
        if isinstance(each, RelaySettings):
            groups.append(RELAY)
            connections += relay.DATABASE_CONNECTIONS + _LISTENERS
    return postgres.Needs(
        rights=Needed(tuple(groups)),
        connections=connections,
        setting="API_WORKERS",
        further={"figures": ledger.check},
    )
