"""The commands `doctor` and `support-bundle` of the mailer. The context has the environment."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import click

from shared.doctor.commands import end, options
from shared.process.settings import MailerSettings
from shared.support.bundle import Place, Sources
from shared.support.commands import OUT, make


@click.command(short_help="Check the installation, and say what to do")
@click.option("--resolver", help="Ask this DNS server, ADDRESS or ADDRESS:PORT, not the system's.")
@options
@click.pass_obj
def doctor(
    environ: Mapping[str, str],
    resolver: str | None,
    *,
    management: str | None,
    only: tuple[str, ...],
    as_json: bool,
    strict: bool,
) -> None:
    """Check settings, Postgres, RabbitMQ, SMTP server, DNS and machine, and say what to do.

    Exit status 1 if something does not work, 2 if a setting is wrong; warnings alone are 0.
    """
    # Not before: a mailer loads neither OpenSSL nor a resolver.
    from services.mailer.doctor.examination import examine  # noqa: PLC0415

    end(examine(environ, only, resolver, management), as_json=as_json, strict=strict)


@click.command("support-bundle", short_help="Write facts for support to a file")
@OUT
@click.pass_obj
def support_bundle(environ: Mapping[str, str], out: Path) -> None:
    """Write versions, settings without secrets, findings of doctor and figures to a new file.

    It has no name, address or amount of a customer, no key and no password.
    """
    from services.mailer.doctor.examination import examine  # noqa: PLC0415

    settings = MailerSettings.from_environ(environ)
    sources = Sources(
        settings=[settings],
        databases=settings.databases,
        amqp_url=settings.amqp_url,
        metrics=Place(settings.mailer_ops_host, settings.mailer_ops_port),
    )
    make(out, sources, partial(examine, environ))
