"""What the mailer needs of its servers, of the DNS and of its machine."""

from collections.abc import Mapping, Sequence
from functools import partial

from services.mailer import app
from services.mailer.doctor import sender, smarthost
from shared.amqp import topology
from shared.db.grants import MAILER
from shared.doctor import machine, postgres, rabbitmq
from shared.doctor.checkup import Checkup, Part
from shared.doctor.masking import Masking
from shared.doctor.report import Report, report
from shared.doctor.rights import Needed
from shared.doctor.settings import consistency
from shared.process.settings import MailerSettings

_AT_THE_START = 1  # connection to Postgres, for a moment


async def examine(
    environ: Mapping[str, str],
    only: Sequence[str] = (),
    resolver: str | None = None,
    management: str | None = None,
) -> Report:
    """Run all checks of a mailer, or only those of some parts.

    `management` is the URL of RabbitMQ's HTTP API, if it is to be asked.

    Raises SettingsError if a setting is wrong, and NoSuchPart.
    """
    settings = MailerSettings.from_environ(environ)
    app.redirection(settings)
    checkup = Checkup(Masking(settings))
    needs = postgres.Needs(
        rights=Needed((MAILER,)),
        connections=app.DATABASE_CONNECTIONS + _AT_THE_START,
        setting="the number of mailers",
    )
    queues = tuple(topology.deliveries_of(each.name) for each in settings.databases)
    longest = app.longest_hold(app.timeouts_from(settings), len(settings.databases))
    access = rabbitmq.Needs((topology.DEAD_LETTERS,), queues, longest)
    parts: dict[str, Part] = {
        "settings": partial(consistency, checkup, settings),
        **{
            database.label("postgres"): partial(postgres.examine, checkup, database, needs)
            for database in settings.databases
        },
        "rabbitmq": partial(rabbitmq.examine, checkup, settings.amqp_url, access, management),
        "smtp": partial(smarthost.examine, checkup, settings),
        "dns": partial(sender.examine, checkup, settings, resolver),
        "machine": partial(
            machine.examine,
            checkup,
            descriptors=app.descriptors_needed(settings.mailer_concurrency),
            pdf=settings.attach_pdf == "on",
        ),
    }
    await checkup.run(parts, only)
    return report("ledgerpost-mailer", checkup.findings)
